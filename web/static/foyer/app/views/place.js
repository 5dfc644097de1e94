/** One conversation: its head, what is said, where one writes, and who is there. */

import { el, icon, iconButton } from "../dom.js";
import { spanOf } from "../format.js";
import { LOBBY, addressOf, fieldsOf, isRoom, nameOf } from "../places.js";
import { makeComposer } from "./composer.js";
import { changeRoom, confirm } from "./dialogs.js";
import { makeLog } from "./log.js";
import { makeGuests, makeMembers } from "./members.js";
import { menuButton } from "./menu.js";
import { choicesAbout } from "./person.js";

const WIDE = matchMedia("(min-width: 1100px)");

export const backLink = () =>
  el("a", { class: "icon-button back", href: "#/", "aria-label": "Back to the list", title: "Back" }, icon("back"));

/** The view of a place, around the message `sought` if there is one. Raises `ApiError` for a room we may not see. */
export async function makePlace({ client, place, sought, notices }) {
  const failed = (error) => notices.show(error.message, "error");
  const id = nameOf(place);
  await client.begun;
  const isForeign = isRoom(place) && !client.rooms.get(id);
  if (isForeign) await client.lookInto(id);
  if (!isRoom(place)) client.directs.open(id);
  const stops = [];
  const title = el("h1", { tabindex: -1, dir: "auto" });
  const about = el("p", { class: "about" });
  const buttons = el("div", { class: "buttons" });
  const panel = el("aside", { class: "panel", id: "people" });
  const log = makeLog({
    client,
    conversation: client.conversation(place, told()?.unread, sought),
    name: nameOfPlace(),
    acts: acts(),
    readUpTo: sought === null ? await readUpTo() : null,
    sought,
    gone: () => notices.show("That message is not there any more. This is what was said around it."),
  });
  const composer = makeComposer({ client, place, name: nameOfPlace(), editLast: log.editLast });
  const peopleButton = iconButton("people", "People", () => showPanel(panel.hidden), { "aria-controls": "people" });
  const settings = iconButton("pencil", "Room settings", () => changeRoom(client, client.rooms.get(id), notices));
  const order = el(
    "a",
    {
      class: "icon-button",
      href: `${addressOf(place)}/order`,
      "aria-label": "Order",
      title: "Bans, mutes, what was done",
    },
    icon("shield"),
  );
  const membership = el("button", { type: "button", onclick: joinOrLeave });
  const element = el(
    "div",
    { class: "place" },
    el(
      "div",
      { class: "place-main" },
      el("header", { class: "place-head" }, backLink(), el("div", { class: "place-title" }, title, about), buttons),
      log.element,
      composer.element,
    ),
    panel,
  );
  let members = [];
  let areAll = true;

  function nameOfPlace() {
    return isRoom(place) ? (client.rooms.get(id)?.name ?? "") : id;
  }

  /** What the lists say of the place. */
  function told() {
    return isRoom(place) ? client.rooms.get(id) : client.directs.all.find(({ name }) => name === id);
  }

  /** The id of the last message that was read, where others came after it; else null. */
  async function readUpTo() {
    if (!told()?.unread) return null;
    if (!isRoom(place)) return told().read;
    return client.rooms.readUpTo(id).then(
      ({ read }) => read,
      () => null, // there is no connection; the line can be done without
    );
  }

  function acts() {
    const own = ({ sender }) => sender === client.me.username;
    const pending = (clientId) => client.outbox.at(place).find((item) => item.clientId === clientId);
    return {
      mayEdit: own,
      mayRemove: (message) => own(message) || (isRoom(place) && client.roles.may("delete_message", id, message.sender)),
      hasChoices: (message) => message.sender !== null && !own(message),
      choices: (message) => [
        { label: "Report…", act: () => report(message) },
        ...choicesAbout({ client, place, notices }, message.sender),
      ],
      edit: (message, text) => client.connection.request("edit", { ...fieldsOf(place), message: message.id, text }),
      remove: (message) => client.connection.request("delete", { ...fieldsOf(place), message: message.id }),
      tryAgain: (clientId) => client.outbox.tryAgain(pending(clientId)),
      discard: (clientId) => client.outbox.discard(pending(clientId)),
    };
  }

  async function report(message) {
    const dialogs = await import("../pages/dialogs.js").catch(failed);
    dialogs?.report({ client, place, notices }, message);
  }

  function showPanel(isShown) {
    panel.hidden = !isShown;
    peopleButton.setAttribute("aria-expanded", String(isShown));
  }

  const leave = () => client.api.request("DELETE", `/room/${id}/members/${encodeURIComponent(client.me.username)}`);

  async function joinOrLeave() {
    const { name, members_only } = client.rooms.get(id);
    const after = members_only ? "A member has to add you before you see it again." : "You can join it again.";
    if (client.rooms.isMember(id)) return confirm(`Leave “${name}”?`, after, "Leave room", leave);
    membership.disabled = true;
    await client.api.request("POST", `/room/${id}/members`, { username: client.me.username }).catch(failed);
    membership.disabled = false;
  }

  function render() {
    const room = client.rooms.get(id);
    if (isRoom(place) && !room) return;
    title.textContent = nameOfPlace();
    about.textContent = isRoom(place) ? aboutRoom(room) : aboutPerson();
    const isIn = client.rooms.isMember(id);
    membership.replaceChildren(isIn ? icon("door") : "Join");
    membership.className = isIn ? "icon-button" : "primary";
    membership.setAttribute("aria-label", isIn ? "Leave" : "Join");
    membership.title = isIn ? "Leave" : "";
    order.hidden = !client.roles.may("read_audit", id);
    settings.hidden = !client.rooms.isOurs(id) && !client.roles.may("slow_mode", id);
  }

  function aboutRoom(room) {
    if (place === LOBBY) return "Open to everyone, always";
    const online = members.filter(({ username }) => client.online.has(username)).length;
    const number = `${members.length}${areAll ? "" : " or more"} ${members.length === 1 ? "member" : "members"}`;
    const people = members.length ? `${number}, ${online} online` : "";
    const slow = room.slow_mode ? `slow mode: ${spanOf(room.slow_mode)}` : "";
    return [room.members_only ? "Members only" : "Open", people, slow].filter(Boolean).join(" · ");
  }

  function aboutPerson() {
    const isOnline = client.online.has(id);
    const blocked = client.blocks.has(id) ? " · blocked by you" : "";
    return (isOnline === undefined ? "Direct messages" : isOnline ? "Online" : "Offline") + blocked;
  }

  if (place === LOBBY) {
    panel.setAttribute("aria-label", "People in the lobby");
    fill(makeGuests({ client, notices }));
    buttons.append(order, peopleButton);
  } else if (isRoom(place)) {
    panel.setAttribute("aria-label", "Members of the room");
    const found = (loaded, isAll) => {
      members = loaded;
      areAll = isAll;
      render();
    };
    fill(makeMembers({ client, place, found, notices }));
    buttons.append(settings, order, peopleButton, membership);
  } else if (id !== client.me.username) {
    buttons.append(menuButton(`About ${id}`, () => choicesAbout({ client, place, notices }, id)));
  }

  function fill(content) {
    panel.append(
      iconButton(
        "close",
        "Close",
        () => {
          showPanel(false);
          peopleButton.focus();
        },
        { class: "icon-button panel-close" },
      ),
      content.element,
    );
    stops.push(content.stop);
  }

  showPanel(WIDE.matches && isRoom(place));
  for (const part of [client.rooms, client.online, client.roles, client.blocks]) stops.push(part.on("changed", render));
  element.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !panel.hidden && !WIDE.matches) showPanel(false);
  });
  render();
  return {
    element,
    focus: () => (matchMedia("(hover: none)").matches ? title.focus() : composer.focus()),
    stop() {
      [...stops, log.stop, composer.stop].forEach((stop) => stop());
      if (isRoom(place)) client.lookAway(id);
    },
  };
}
