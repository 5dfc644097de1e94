/** The queue of reports: what was reported and why, what was said around it, and what to do about it in one click. */

import { el } from "../dom.js";
import { nameOrGone } from "../format.js";
import { addressOfMessage, nameOf, roomPlace } from "../places.js";
import { makePage, makePaged, timeElement } from "./frame.js";
import { endOf } from "./dialogs.js";

const AROUND = 7; // messages
const DAY = 86_400; // seconds

const STATES = [
  ["open", "Open"],
  ["resolved", "Resolved"],
  ["dismissed", "Dismissed"],
];

export async function makeReports({ client, asked, notices }) {
  await client.begun;
  const state = asked.get("state") ?? "open";
  const paged = makePaged({
    api: client.api,
    path: () => `/reports?${new URLSearchParams({ state })}`,
    label: "Reports",
    key: ({ id }) => id,
    show: (report) => makeReport({ client, notices, done: () => paged.drop(report) }, report),
    none: state === "open" ? "Nothing waits to be looked at." : "There are none.",
  });
  const links = STATES.map(([name, label]) => {
    const isHere = name === state;
    return el("a", { href: `#/reports?state=${name}`, "aria-current": isHere ? "page" : null }, label);
  });
  const { element, heading } = makePage(
    "Reports",
    { beside: client.me.isAdmin ? "Of all rooms, and of direct messages" : "Of the rooms in which you keep order" },
    el("nav", { class: "tabs", "aria-label": "State" }, links),
    paged.element,
  );
  paged.load();
  return { element, focus: () => heading.focus(), stop: () => {} };
}

function makeReport(context, report) {
  const { message, reason, by, at } = report;
  const place = message.roomId ? roomPlace(message.roomId) : null;
  const around = el("div", { class: "surroundings" });
  const where = el("span", {});
  if (place) nameRoom(context.client, message.roomId, where);
  else where.textContent = `to ${nameOrGone(message.to)}`;
  return el(
    "li",
    { class: "record report" },
    el("p", {}, el("b", { dir: "auto" }, nameOrGone(by)), " reported, ", timeElement(at), ":"),
    el("p", { class: "reason", dir: "auto" }, reason),
    el(
      "blockquote",
      {},
      el(
        "p",
        { class: "about" },
        el("b", { dir: "auto" }, nameOrGone(message.sender)),
        " ",
        where,
        ", ",
        timeElement(message.sent_at),
      ),
      el("p", { class: "text", dir: "auto" }, message.text),
    ),
    place && surroundings(context, place, message.id, around),
    around,
    report.state === "open" ? deeds(context, report, place) : closed(report),
  );
}

async function nameRoom(client, id, where) {
  if (!client.rooms.get(id)) await client.rooms.visit(id).catch(() => {});
  where.textContent = `in “${client.rooms.get(id)?.name ?? "a room that is gone"}”`;
}

/** A button that shows what was said around a message. */
function surroundings({ client }, place, id, around) {
  const button = el(
    "button",
    { type: "button", class: "link", "aria-expanded": "false", onclick: toggle },
    "Show what was said around it",
  );

  async function toggle() {
    const isShown = around.hasChildNodes();
    button.setAttribute("aria-expanded", String(!isShown));
    if (isShown) return around.replaceChildren();
    around.textContent = "Loading…";
    try {
      const path = `/room/${encodeURIComponent(nameOf(place))}/messages?around=${id}&limit=${AROUND}`;
      around.replaceChildren(
        el(
          "ol",
          {},
          (await client.api.request("GET", path)).map((message) => line(message, message.id === id)),
        ),
        el("a", { href: addressOfMessage(place, id) }, "Open it in the room"),
      );
    } catch (error) {
      around.textContent = error.message;
    }
  }
  return button;
}

const line = ({ sender, text }, isMeant) =>
  el(
    "li",
    { class: isMeant ? "meant" : "" },
    el("b", { dir: "auto" }, nameOrGone(sender)),
    " ",
    el("span", { dir: "auto" }, text),
  );

const closed = ({ state, closed_by: by, closed_at: at, note }) =>
  el(
    "p",
    { class: "about" },
    state === "resolved" ? "Resolved by " : "Dismissed by ",
    el("b", { dir: "auto" }, nameOrGone(by)),
    at ? [", ", timeElement(at)] : null,
    note ? el("span", { dir: "auto" }, `: ${note}`) : null,
  );

/** What may be done: each does it and closes the report. */
function deeds({ client, notices, done }, { id, message, reason }, place) {
  const { api, me } = client;
  const note = el("input", {
    "aria-label": "Note",
    placeholder: "Note (for the audit)",
    maxlength: 500,
    autocomplete: "off",
  });
  const room = place && `/room/${encodeURIComponent(message.roomId)}`;
  const someone = message.sender && encodeURIComponent(message.sender);
  const isOurs = message.sender === me.username;
  const buttons = el("div", { class: "buttons" });

  function deed(label, state, act, isGrave = false) {
    const run = async () => {
      for (const button of buttons.children) button.disabled = true;
      try {
        await act?.();
        await api.request("PATCH", `/reports/${id}`, { state, note: note.value.trim() || null });
        done();
      } catch (error) {
        notices.show(error.message, "error");
        for (const button of buttons.children) button.disabled = false;
      }
    };
    return el("button", { type: "button", class: isGrave ? "grave" : "", onclick: run }, label);
  }

  /** It may have been deleted by its sender, or be deleted already. */
  const remove = () => api.request("DELETE", `${room}/messages/${message.id}`).catch(unlessGone);
  const put = (path, seconds) => api.request("PUT", path, { until: endOf(seconds), reason });
  const mayAct = someone && !isOurs;
  buttons.append(
    ...[
      deed("Resolve", "resolved"),
      deed("Dismiss", "dismissed"),
      room && deed("Delete message", "resolved", remove, true),
      room && mayAct && deed("Mute for a day", "resolved", () => put(`${room}/mutes/${someone}`, DAY), true),
      room && mayAct && deed("Ban", "resolved", () => put(`${room}/bans/${someone}`, 0), true),
      me.isAdmin &&
        mayAct &&
        deed("Suspend for a day", "resolved", () => put(`/user/${someone}/suspension`, DAY), true),
    ].filter(Boolean),
  );
  return el("div", { class: "deeds" }, note, buttons);
}

function unlessGone(error) {
  if (error.status !== 404) throw error;
}
