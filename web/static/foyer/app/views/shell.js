/**
 * The frame around everything: the bar at the top, the lists, and the part that the address names. Those of `pages/` are
 * loaded when they are first opened.
 */

import { el, icon } from "../dom.js";
import { isRoom, nameOf } from "../places.js";
import { go, route } from "../router.js";
import { makeBanner } from "./banner.js";
import { makeNotices } from "./notices.js";
import { backLink, makePlace } from "./place.js";
import { makeSearchField } from "./searchfield.js";
import { makeSidebar } from "./sidebar.js";
import { makeStatus } from "./status.js";
import { makeTables } from "./tables.js";

export function makeShell(client, signOut) {
  const main = el("main", { id: "main", tabindex: -1 });
  const notices = makeNotices();
  const failed = (error) => notices.show(error.message, "error");
  const sidebar = makeSidebar(client);
  const account = () => import("../pages/account.js").then(({ showAccount }) => showAccount(client), failed);
  const search = makeSearchField();
  const banner = makeBanner(client.notices);
  const toMain = (event) => {
    event.preventDefault();
    main.focus();
  };
  const shell = el(
    "div",
    { class: "shell" },
    el("a", { class: "skip", href: "#main", onclick: toMain }, "Skip to the conversation"),
    el(
      "header",
      { class: "bar" },
      el(
        "a",
        { class: "brand", href: "#/" },
        el("img", { src: new URL("../../logo.svg", import.meta.url).href, alt: "", width: 24, height: 24 }),
        "Foyer",
      ),
      makeStatus(client.connection),
      search.element,
      el(
        "div",
        { class: "account" },
        el(
          "button",
          { type: "button", class: "link who", title: "Your account", onclick: account },
          client.me.username,
          client.me.isAdmin ? el("b", { class: "tag" }, "admin") : null,
        ),
        el("button", { type: "button", class: "link", onclick: signOut }, icon("leave"), el("span", {}, "Sign out")),
      ),
    ),
    banner.element,
    sidebar.element,
    main,
    notices.element,
  );
  let shown = null;
  let turn = 0;

  async function show() {
    const asked = route();
    const { view } = asked;
    turn += 1;
    const now = turn;
    shown?.stop();
    shown = null;
    shell.dataset.pane = view === "home" ? "list" : "main";
    shell.dataset.view = view;
    if (view !== "home") main.replaceChildren(el("p", { class: "quiet state" }, "Loading…"));
    const found = await make(asked).catch((error) => sorry(error.message));
    if (now !== turn) return found.stop();
    shown = found;
    main.replaceChildren(found.element);
    found.focus();
    client.rooms.emit("changed"); // the list marks where we are, and the tab is called so
  }

  async function make({ view, ...asked }) {
    if (view === "place") return makePlace({ client, notices, ...asked });
    if (view === "tables") return makeTables({ client, failed });
    if (view === "order") return (await import("../pages/order.js")).makeOrder({ client, notices, ...asked });
    if (view === "reports") return (await import("../pages/reports.js")).makeReports({ client, notices, ...asked });
    if (view === "search") return (await import("../pages/search.js")).makeSearch({ client, ...asked });
    return home();
  }

  const stops = [
    client.on("failed", failed),
    client.on("told", (text) => notices.show(text)),
    client.connection.on("ready", () => shown?.isSorry && show()),
    client.on("reloaded", () =>
      notices.show("Some messages may be missing, so the history was loaded again.", "warning"),
    ),
    client.rooms.on("gone", ({ id, why }) => {
      const { view, place } = route();
      if (why) notices.show(why, "warning");
      if (view === "place" && isRoom(place) && nameOf(place) === id) go("#/");
    }),
  ];
  addEventListener("hashchange", show);
  show();
  return {
    element: shell,
    stop() {
      removeEventListener("hashchange", show);
      search.stop();
      banner.stop();
      client.notices.stop();
      turn += 1;
      shown?.stop();
      sidebar.stop();
      stops.forEach((stop) => stop());
    },
  };
}

const still = (element) => ({ element, focus: () => {}, stop: () => {} });

function home() {
  return still(
    el(
      "div",
      { class: "welcome" },
      el("h1", {}, "Welcome to Foyer"),
      el(
        "p",
        {},
        "Choose a room or somebody to talk to from the list, browse the rooms there are, or look into the lobby.",
      ),
      el("p", {}, el("a", { href: "#/lobby" }, "Go to the lobby")),
    ),
  );
}

/** For what the server refuses to show; tried again after a reconnection. */
function sorry(detail) {
  const element = el("div", { class: "welcome" }, backLink(), el("h1", {}, "That can't be shown"), el("p", {}, detail));
  return { ...still(element), isSorry: true };
}
