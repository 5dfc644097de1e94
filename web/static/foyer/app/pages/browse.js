/** The rooms that we may see, by words of their names, to look into or join; a page at a time, as the server finds them. */

import { el, icon, sync } from "../dom.js";
import { addressOf, roomPlace } from "../places.js";
import { open } from "../views/dialogs.js";
import { field } from "../views/forms.js";

const PAGE = 50;
const PAUSE = 250; // after a keystroke, before the server is asked

export function browseRooms(client) {
  const search = field({
    label: "Find",
    type: "search",
    name: "find",
    autocomplete: "off",
    maxlength: 200,
    oninput: typed,
  });
  const list = el("ul", { class: "room-choice", "aria-label": "Rooms" });
  const more = el("button", { type: "button", hidden: true, onclick: () => load() }, "More rooms");
  const said = el("p", { class: "quiet", role: "status" });
  const dialog = open("Browse rooms", search.element, said, list, el("div", { class: "buttons" }, more));
  let found = [];
  let next = null;
  let turn = 0; // what an earlier search finds is not shown
  let timer = null;

  const words = () => search.input.value.trim();

  function typed() {
    clearTimeout(timer);
    timer = setTimeout(begin, PAUSE);
  }

  function begin() {
    turn += 1;
    found = [];
    next = words() ? `/rooms?q=${encodeURIComponent(words())}&limit=${PAGE}` : `/rooms?limit=${PAGE}`;
    load();
  }

  async function load() {
    const now = turn;
    said.textContent = words() ? "Searching…" : "Loading…";
    list.setAttribute("aria-busy", "true");
    more.disabled = true;
    try {
      const before = found.length;
      while (next && found.length === before) {
        const page = await client.api.page(next); // of many that are not ours to see one may be empty
        if (now !== turn || !dialog.isConnected) return;
        found.push(...page.items);
        next = page.next;
      }
      said.textContent = sentence();
    } catch (error) {
      if (now !== turn) return;
      said.textContent = error.message;
    }
    render();
  }

  function sentence() {
    if (found.length)
      return `${found.length}${next ? " or more" : ""} ${found.length === 1 && !next ? "room" : "rooms"}`;
    return words() ? `No room that you may see has “${words()}” in its name.` : "There are no rooms yet.";
  }

  function render() {
    sync(
      list,
      found,
      ({ roomId }) => roomId,
      choice,
      () => {},
    );
    list.removeAttribute("aria-busy");
    more.disabled = false;
    more.hidden = next === null;
  }

  function choice(room) {
    const isIn = client.rooms.isMember(room.roomId);
    return el(
      "li",
      {},
      el(
        "a",
        { href: addressOf(roomPlace(room.roomId)), onclick: () => dialog.close() },
        icon(room.members_only ? "lock" : "hash"),
        el("span", { class: "name", dir: "auto" }, room.name),
        isIn ? el("span", { class: "quiet" }, "joined") : null,
      ),
    );
  }

  search.input.focus();
  begin();
}
