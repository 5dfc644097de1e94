/** The lists: lobby, tables, rooms and direct messages, with what is unread. */

import { el, eachFrame, icon, iconButton, sync, unseen } from "../dom.js";
import { count, nameOrGone } from "../format.js";
import { LOBBY, addressOf, roomPlace, userPlace } from "../places.js";
import { makeAvatar } from "./avatar.js";
import { browseRooms } from "./browse.js";
import { newDirect, newRoom } from "./dialogs.js";

export function makeSidebar(client) {
  const places = el("ul", { class: "entries" });
  const rooms = el("ul", { class: "entries" });
  const noRooms = el("p", { class: "quiet empty" }, "You are in no room yet. Browse those there are, or make one.");
  const people = el("ul", { class: "entries" });
  const noPeople = el("p", { class: "quiet empty" }, "Nobody wrote to you yet.");
  const element = el(
    "nav",
    { class: "sidebar", "aria-label": "Conversations" },
    places,
    section(
      "Rooms",
      iconButton("search", "Browse rooms", () => browseRooms(client)),
      iconButton("plus", "New room", () => newRoom(client)),
    ),
    rooms,
    noRooms,
    section(
      "Direct messages",
      iconButton("plus", "New direct message", () => newDirect(client)),
    ),
    people,
    noPeople,
  );

  const render = eachFrame(() => {
    const { lobby, own } = client.rooms;
    const fixed = [
      { key: LOBBY, name: "Lobby", mark: icon("door"), address: addressOf(LOBBY), ...lobby },
      { key: "tables", name: "Tables", mark: icon("table"), address: "#/tables", unread: 0 },
    ];
    show(places, fixed);
    show(
      rooms,
      own.map((room) => ({
        ...room,
        key: roomPlace(room.roomId),
        mark: icon(room.members_only ? "lock" : "hash"),
        preview: preview(room.last, true),
      })),
    );
    show(
      people,
      client.directs.all.map((person) => ({
        ...person,
        key: userPlace(person.name),
        mark: avatar(client, person.name),
        preview: preview(person.last),
      })),
    );
    noRooms.hidden = own.length > 0;
    noPeople.hidden = client.directs.all.length > 0;
    document.title = titled(client);
  });

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
    if (link.hash === location.hash) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    const badge = unread ? el("span", { class: "badge" }, count(unread), unseen(" unread")) : null;
    const text = el(
      "span",
      { class: "entry-text" },
      el("span", { class: "name" }, name),
      line ? el("span", { class: "preview" }, line) : null,
    );
    link.classList.toggle("is-unread", Boolean(unread));
    link.replaceChildren(...[mark, text, badge].filter(Boolean));
  }

  for (const part of [client.rooms, client.directs, client.online]) part.on("changed", render);
  addEventListener("hashchange", render);
  render();
  return { element, stop: () => removeEventListener("hashchange", render) };
}

function section(title, ...buttons) {
  return el("div", { class: "section" }, el("h2", {}, title), ...buttons);
}

export function avatar(client, name) {
  const isOnline = client.online.has(name) === true;
  const face = makeAvatar(name);
  return isOnline
    ? el("span", { class: "presence online" }, face, unseen("online"))
    : el("span", { class: "presence" }, face);
}

function preview(message, isRoom) {
  if (!message) return "";
  if (message.isDeleted) return "message deleted";
  return isRoom ? `${nameOrGone(message.sender)}: ${message.text}` : message.text;
}

/** What the tab is called: where we are, and how much is unread everywhere. */
function titled(client) {
  // Not of the lobby: whoever comes for the first time has read nothing of it.
  const unread = [...client.rooms.own, ...client.directs.all].reduce((sum, one) => sum + one.unread, 0);
  const where = document.querySelector("main h1")?.textContent;
  return `${unread ? `(${count(unread)}) ` : ""}${where ? `${where} – ` : ""}Foyer`;
}
