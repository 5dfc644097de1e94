/** The lists: lobby, tables, rooms and direct messages, with what is unread. */

import { el, eachFrame, icon, iconButton, sync, unseen } from "../dom.js";
import { count, nameOrGone } from "../format.js";
import { LOBBY, addressOf, roomPlace, userPlace } from "../places.js";
import { makeAvatar } from "./avatar.js";
import { newDirect, newRoom } from "./dialogs.js";

const MANY = 12; // entries, from which on there is a field to filter them

export function makeSidebar(client) {
  const failed = (error) => client.emit("failed", error);
  const browse = () => import("../pages/browse.js").then(({ browseRooms }) => browseRooms(client), failed);
  const places = el("ul", { class: "entries" });
  const rooms = makeSection(
    "Rooms",
    "You are in no room yet. Browse those there are, or make one.",
    iconButton("search", "Browse rooms", browse),
    iconButton("plus", "New room", () => newRoom(client)),
  );
  const people = makeSection(
    "Direct messages",
    "Nobody wrote to you yet.",
    iconButton("plus", "New direct message", () => newDirect(client)),
  );
  const filter = el("input", {
    type: "search",
    class: "filter",
    placeholder: "Filter rooms and people",
    "aria-label": "Filter rooms and people",
    autocomplete: "off",
    spellcheck: "false",
    oninput: () => render(),
    onkeydown: (event) => event.key === "Enter" && element.querySelector(".foldable .entries a")?.click(),
  });
  const element = el(
    "nav",
    { class: "sidebar", "aria-label": "Conversations" },
    places,
    filter,
    rooms.element,
    people.element,
  );

  const render = eachFrame(() => {
    const { lobby, own } = client.rooms;
    const everybody = client.directs.all;
    const wanted = filter.value.trim().toLowerCase();
    const isWanted = ({ name }) => name.toLowerCase().includes(wanted);
    const fixed = [
      { key: LOBBY, name: "Lobby", mark: icon("sofa"), address: addressOf(LOBBY), ...lobby },
      { key: "tables", name: "Tables", mark: icon("table"), address: "#/tables", unread: 0 },
      mayCloseReports() && { key: "reports", name: "Reports", mark: icon("shield"), address: "#/reports", unread: 0 },
    ].filter(Boolean);
    filter.hidden = own.length + everybody.length < MANY && !wanted;
    show(places, fixed);
    show(
      rooms.list,
      own.filter(isWanted).map((room) => ({
        ...room,
        key: roomPlace(room.roomId),
        mark: icon(room.members_only ? "lock" : "hash"),
        preview: preview(room.last, true),
      })),
    );
    show(
      people.list,
      everybody.filter(isWanted).map((person) => ({
        ...person,
        key: userPlace(person.name),
        mark: avatar(client, person.name),
        preview: preview(person.last),
      })),
    );
    rooms.tell(own, wanted);
    people.tell(everybody, wanted);
    document.title = titled(client);
  });

  /** Admins do, and those who keep order in some room, as far as we know by now. */
  const mayCloseReports = () =>
    client.me.isAdmin || client.rooms.own.some(({ roomId }) => client.roles.may("read_audit", roomId));

  function show(list, entries) {
    sync(
      list,
      entries,
      ({ key }) => key,
      () => el("li", {}, el("a", {})),
      fill,
    );
  }

  function fill(item, { key, name, mark, address, preview: line, unread }) {
    const link = item.firstElementChild;
    link.href = address ?? addressOf(key);
    if (location.hash.split(/\/message\/|\/order$|\?/)[0] === link.hash) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    const badge = unread ? el("span", { class: "badge" }, count(unread), unseen(" unread")) : null;
    const text = el(
      "span",
      { class: "entry-text" },
      el("span", { class: "name", dir: "auto" }, name),
      line ? el("span", { class: "preview" }, line) : null,
    );
    link.classList.toggle("is-unread", Boolean(unread));
    link.replaceChildren(...[mark, text, badge].filter(Boolean));
  }

  for (const part of [client.rooms, client.directs, client.online, client.roles]) part.on("changed", render);
  addEventListener("hashchange", render);
  render();
  return { element, stop: () => removeEventListener("hashchange", render) };
}

const folded = new Set(); // titles, until the page is loaded again

/** A part of the lists that can be folded, and says of what is folded how much is unread. */
function makeSection(title, nothing, ...buttons) {
  const list = el("ul", { class: "entries", id: `list-${title.split(" ")[0].toLowerCase()}` });
  const none = el("p", { class: "quiet empty" });
  const badge = el("span", { class: "badge" });
  const fold = el(
    "button",
    { type: "button", class: "fold", "aria-controls": list.id, onclick: toggle },
    icon("fold"),
    el("span", {}, title),
    badge,
  );
  const element = el(
    "section",
    { class: "foldable", "aria-label": title },
    el("div", { class: "section" }, el("h2", {}, fold), ...buttons),
    el("div", { class: "entries-frame" }, list, none),
  );

  function toggle() {
    if (!folded.delete(title)) folded.add(title);
    render();
  }

  function render() {
    const isOpen = !folded.has(title);
    fold.setAttribute("aria-expanded", String(isOpen));
    element.classList.toggle("folded", !isOpen);
    badge.hidden = isOpen || !badge.textContent;
  }

  /** Of all `entries`, and which of them are wanted. */
  function tell(entries, wanted) {
    const unread = entries.reduce((sum, entry) => sum + entry.unread, 0);
    badge.replaceChildren(...(unread ? [count(unread), unseen(" unread")] : []));
    none.textContent = entries.length ? `None has “${wanted}” in the name.` : nothing;
    none.hidden = list.children.length > 0;
    render();
  }
  render();
  return { element, list, tell };
}

export function avatar(client, name) {
  const isOnline = client.online.has(name) === true;
  const face = makeAvatar(name);
  return isOnline
    ? el("span", { class: "presence online" }, face, unseen("online"))
    : el("span", { class: "presence" }, face);
}

function preview(message, isRoom) {
  if (!message) return null;
  if (message.isDeleted) return ["message deleted"];
  const text = el("bdi", {}, message.text);
  return isRoom ? [el("bdi", {}, nameOrGone(message.sender)), ": ", text] : [text];
}

/** What the tab is called: where we are, and how much is unread everywhere. */
function titled(client) {
  // Not of the lobby: whoever comes for the first time has read nothing of it.
  const unread = [...client.rooms.own, ...client.directs.all].reduce((sum, one) => sum + one.unread, 0);
  const where = document.querySelector("main h1")?.textContent;
  return `${unread ? `(${count(unread)}) ` : ""}${where ? `${where} – ` : ""}Foyer`;
}
