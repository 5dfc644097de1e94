/** What was found by words, newest first, a page at a time; each leads to its place in the history. */

import { el, icon, sync } from "../dom.js";
import { exactly, nameOrGone, whenOf } from "../format.js";
import { LOBBY, addressOfMessage, isRoom, nameOf, placeOf, roomPlace, userPlace } from "../places.js";
import { go } from "../router.js";
import { makeAvatar } from "../views/avatar.js";
import { backLink } from "../views/place.js";
import { addressOfSearch } from "../views/searchfield.js";
import { excerpt } from "./marks.js";

const PAGE = 20;

/** `asked` has `q`, and `in` (a place) and `from` (a username) where the search is narrowed to them. */
export async function makeSearch({ client, asked }) {
  await client.begun;
  const [q, within, from] = ["q", "in", "from"].map((name) => asked.get(name) ?? "");
  const title = el("h1", { tabindex: -1 }, "Search");
  const fields = {
    q: input("search", "q", "Search messages", q, { placeholder: "Words", enterkeyhint: "search" }),
    in: el("select", { name: "in", "aria-label": "Where", onchange: submit }, choices(client, within)),
    from: input("text", "from", "From whom", from, { placeholder: "From anyone", autocapitalize: "none" }),
  };
  const form = el(
    "form",
    { class: "search-form", role: "search", onsubmit: submit },
    fields.q,
    fields.in,
    fields.from,
    el("button", { type: "submit", class: "primary" }, "Search"),
  );
  const said = el("p", { class: "quiet", role: "status" });
  const again = el("button", { type: "button", hidden: true, onclick: load }, "Try again");
  const list = el("ol", { class: "results", "aria-label": "Messages that were found" });
  const more = el("button", { type: "button", class: "older", hidden: true, onclick: load }, "More results");
  const element = el(
    "div",
    { class: "place", onkeydown: walk },
    el(
      "div",
      { class: "place-main" },
      el("header", { class: "place-head" }, backLink(), el("div", { class: "place-title" }, title)),
      el("div", { class: "page-frame" }, form, said, again, list, more),
    ),
  );
  const found = [];
  let next = q ? pathOf(q, within, from) : null;
  let isOver = false;

  function submit(event) {
    event.preventDefault();
    const address = addressOfSearch({
      q: fields.q.value.trim(),
      in: fields.in.value,
      from: fields.from.value.trim(),
    });
    if (address !== location.hash) go(address);
    else load();
  }

  async function load() {
    if (!next || more.disabled) return;
    const first = found.length;
    say("Searching…", { isBusy: true });
    try {
      const page = await client.api.page(next);
      await nameRooms(client, page.items);
      if (isOver) return;
      found.push(...page.items);
      next = page.next;
      say(sentence());
    } catch (error) {
      if (isOver) return;
      say(error.message, { isWrong: true });
    }
    render();
    if (first && found.length > first) list.children[first].firstElementChild.focus();
  }

  function say(text, { isBusy = false, isWrong = false } = {}) {
    said.textContent = text;
    said.classList.toggle("trouble", isWrong);
    list.setAttribute("aria-busy", String(isBusy));
    more.disabled = isBusy;
    again.hidden = !isWrong;
    more.hidden = isWrong || !next;
  }

  function sentence() {
    const number = found.length;
    if (number) return `${number}${next ? " or more" : ""} ${number === 1 && !next ? "message" : "messages"}`;
    if (next) return "None among those that were looked at so far.";
    return `No message that you may read has “${q}” in it.`;
  }

  function render() {
    sync(
      list,
      found,
      (message) => `${placeOf(message, client.me.username)} ${message.id}`,
      (message) => result(client, message, q),
      () => {},
    );
  }

  function walk(event) {
    const links = [...list.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 }[event.key];
    if (to === undefined || event.target.tagName === "SELECT" || (at < 0 && event.key === "ArrowUp")) return;
    event.preventDefault();
    if (to < 0) fields.q.select();
    else (links[to] ?? more).focus();
  }

  if (q) load();
  else say("All words must be in a message; “a phrase” in quotation marks, in that order; -word leaves out.");
  return {
    element,
    focus: () => (q ? title : fields.q).focus(),
    stop: () => (isOver = true),
  };
}

const input = (type, name, label, value, properties) =>
  el("input", { type, name, "aria-label": label, value, maxlength: 200, autocomplete: "off", ...properties });

/** Where one may search: everywhere, or in one of the rooms and conversations that we know. */
function choices(client, chosen) {
  const places = [
    ["", "Everywhere"],
    [LOBBY, "Lobby"],
    ...client.rooms.own.map(({ roomId, name }) => [roomPlace(roomId), name]),
    ...client.directs.all.map(({ name }) => [userPlace(name), name]),
  ];
  if (!places.some(([place]) => place === chosen)) places.push([chosen, nameOf(chosen)]);
  return places.map(([value, label]) => el("option", { value, selected: value === chosen }, label));
}

function pathOf(q, within, from) {
  const asked = { q, limit: PAGE };
  if (within) asked[isRoom(within) ? "room" : "user"] = nameOf(within);
  if (from) asked.from = from;
  return `/search?${new URLSearchParams(asked)}`;
}

/** Learn what the rooms are called in which something was found; one may be gone by now. */
async function nameRooms(client, messages) {
  const unknown = messages.map(({ roomId }) => roomId).filter((id) => id && !client.rooms.get(id));
  await Promise.allSettled([...new Set(unknown)].map((id) => client.rooms.visit(id)));
}

function result(client, message, q) {
  const place = placeOf(message, client.me.username);
  const text = excerpt(message.text, q).map((part) => (part.isMarked ? el("mark", {}, part.text) : part.text));
  return el(
    "li",
    {},
    el(
      "a",
      { class: "result", href: place ? addressOfMessage(place, message.id) : null },
      makeAvatar(message.sender),
      el(
        "span",
        { class: "result-body" },
        el(
          "span",
          { class: "result-head" },
          el("span", { class: "sender", dir: "auto" }, nameOrGone(message.sender)),
          whereOf(client, message),
          el("time", { datetime: message.sent_at, title: exactly(message.sent_at) }, whenOf(message.sent_at)),
        ),
        el("span", { class: "text", dir: "auto" }, text),
      ),
    ),
  );
}

function whereOf(client, { roomId, sender, to }) {
  const isOwn = sender === client.me.username;
  if (!roomId) return el("span", { class: "result-where", dir: "auto" }, isOwn ? `to ${nameOrGone(to)}` : "to you");
  const room = client.rooms.get(roomId);
  const sign = icon(roomId === "lobby" ? "sofa" : room?.members_only ? "lock" : "hash");
  return el("span", { class: "result-where" }, sign, el("bdi", {}, room?.name ?? "a room"));
}
