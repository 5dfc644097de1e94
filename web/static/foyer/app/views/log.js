/**
 * What is said in a place, as a log that goes on: older messages come while one scrolls up, new ones are shown at the
 * end and read out. Arrow keys go from message to message. Around a message of long ago, newer ones come while one
 * scrolls down.
 */

import { el, eachFrame, icon, sync } from "../dom.js";
import { dayOf } from "../format.js";
import { roomPlace } from "../places.js";
import { makeMessage, updateMessage } from "./message.js";

const NEAR = 80; // pixels from an end that count as being there
const GROUP_WITHIN = 5 * 60_000;

/**
 * `readUpTo` is the id of the last message that was read before, null if all of them were; `sought` that of the message
 * to begin at, if there is one; `gone()` is called when it is not there any more.
 */
export function makeLog({ client, conversation, name, acts, readUpTo, sought = null, gone = () => {} }) {
  const { place } = conversation;
  const older = el("button", { type: "button", class: "older", onclick: () => loadOlder() }, "Load earlier messages");
  const said = el("p", { class: "quiet state" });
  const list = el("ol", { class: "messages" });
  const scroller = el(
    "div",
    {
      class: "log",
      role: "log",
      tabindex: 0,
      "aria-label": `Messages, ${name}`,
      "aria-live": "polite",
      onscroll: () => scrolled(),
      onkeydown: walk,
    },
    older,
    said,
    list,
  );
  const jump = el(
    "button",
    { type: "button", class: "jump", hidden: true, onclick: () => toNewest() },
    el("span", {}, "New messages"),
    icon("down"),
  );
  const element = el("div", { class: "log-frame" }, scroller, jump);
  let isAtEnd = true; // and to stay there
  let isOpening = true;
  let newest = 0;

  const render = eachFrame(() => {
    const entries = entriesOf(conversation.messages, client.outbox.at(place), client.me.username, readUpTo);
    const anchor = isAtEnd ? null : firstSeen();
    scroller.setAttribute("aria-busy", String(conversation.isLoading));
    older.hidden = !conversation.hasOlder;
    older.textContent = conversation.isLoading ? "Loading…" : "Load earlier messages";
    said.textContent = sentence(entries.length);
    said.hidden = !said.textContent;
    const focused = [...list.children].findIndex((item) => item.contains(document.activeElement));
    sync(
      list,
      entries,
      ({ key }) => key,
      () => makeMessage(acts),
      updateMessage,
    );
    if (focused >= 0 && !list.contains(document.activeElement)) {
      const next = list.children[focused] ?? list.lastElementChild ?? scroller; // it was sent, or deleted
      next.focus({ preventScroll: true });
    }
    if (anchor?.item.isConnected) scroller.scrollTop += anchor.item.getBoundingClientRect().top - anchor.top;
    else if (isOpening && conversation.isLoaded && !conversation.isLoading) begin();
    else if (isAtEnd) toEnd();
    const last = conversation.messages.at(-1);
    if (last && last.id > newest) {
      jump.hidden = isAtEnd;
      newest = last.id;
    }
    if (conversation.hasNewer) jump.hidden = false;
    jump.firstElementChild.textContent = conversation.hasNewer ? "To the newest" : "New messages";
    noteRead();
  });

  function sentence(number) {
    if (conversation.error && conversation.error.code !== "disconnected") return conversation.error.message;
    if (!conversation.isLoaded) return "Loading…";
    return number ? "" : "Nothing has been said here yet.";
  }

  function firstSeen() {
    const top = scroller.getBoundingClientRect().top;
    const item = [...list.children].find((child) => child.getBoundingClientRect().bottom > top);
    return item && { item, top: item.getBoundingClientRect().top };
  }

  function toEnd() {
    scroller.scrollTop = scroller.scrollHeight;
    isAtEnd = true;
    jump.hidden = true;
  }

  /** Everything to the end, and there. */
  async function toNewest() {
    isOpening = false;
    if (conversation.hasNewer) await conversation.load();
    isAtEnd = true;
    render();
  }

  /** Where one begins to read: at the message that was sought, at the line above what is new, or at the end. */
  function begin() {
    isOpening = false;
    if (sought !== null) return showSought();
    const line = list.querySelector(".new");
    toEnd();
    if (!line) return;
    const above = line.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
    if (above < 0) scroller.scrollTop += above - NEAR;
    isAtEnd = isNearEnd();
  }

  /** It may be gone since; then what was said around it is shown. */
  function showSought() {
    const items = [...list.children];
    const item = items.find(({ entry }) => entry.key === sought);
    const beside = item ?? items.find(({ entry }) => entry.key > sought) ?? items.at(-1);
    isAtEnd = false;
    beside?.scrollIntoView({ block: "center" });
    item?.classList.add("sought");
    item?.focus({ preventScroll: true });
    if (!item) gone();
    isAtEnd = isNearEnd();
  }

  const isNearEnd = () => !conversation.hasNewer && isNearBottom();
  const isNearBottom = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR;

  function scrolled() {
    isAtEnd = isNearEnd();
    if (isAtEnd) jump.hidden = true;
    if (scroller.scrollTop < NEAR) loadOlder();
    else if (isNearBottom()) loadNewer();
    noteRead();
  }

  const mayLoad = () => !conversation.isLoading && conversation.isLoaded && !isOpening;

  function loadOlder() {
    if (mayLoad() && conversation.hasOlder) conversation.older();
  }

  function loadNewer() {
    if (mayLoad() && conversation.hasNewer) conversation.newer();
  }

  /** What is on the screen, to its end, was read, and with it what is above. */
  function noteRead() {
    if (isOpening || conversation.hasNewer || document.visibilityState !== "visible" || !scroller.isConnected) return;
    const read = isAtEnd ? newest : lastSeen();
    if (read) client.reading.reached(place, read);
  }

  function lastSeen() {
    const bottom = scroller.getBoundingClientRect().bottom;
    const items = [...list.children];
    while (items.length && items.at(-1).getBoundingClientRect().bottom > bottom) items.pop();
    return items.findLast(({ entry }) => entry.message)?.entry.message.id;
  }

  function walk(event) {
    const items = [...list.children];
    const at = items.indexOf(document.activeElement.closest?.(".message"));
    const to = {
      ArrowUp: at < 0 ? items.length - 1 : Math.max(0, at - 1),
      ArrowDown: at < 0 ? -1 : at + 1,
      Home: 0,
      End: items.length - 1,
    }[event.key];
    if (to === undefined || !items[to]) return;
    event.preventDefault();
    items[to].focus();
    items[to].scrollIntoView({ block: "nearest" });
  }

  const stops = [
    conversation.on("changed", render),
    client.roles.on("changed", (id) => place === roomPlace(id) && render()), // what may be deleted
    client.outbox.on("changed", (where) => {
      if (where !== place) return;
      if (client.outbox.at(place).length) return toNewest(); // what one writes oneself is looked at
      render();
    }),
  ];
  document.addEventListener("visibilitychange", noteRead);
  const resized = new ResizeObserver(() => isAtEnd && toEnd());
  resized.observe(scroller);
  render();
  return {
    element,
    /** Edit the last message that one may edit; for the arrow key in an empty composer. */
    editLast() {
      const own = [...list.children].filter(({ entry }) => entry.message && acts.mayEdit(entry.message));
      own.at(-1)?.startEditing();
    },
    stop() {
      stops.forEach((stop) => stop());
      resized.disconnect();
      document.removeEventListener("visibilitychange", noteRead);
    },
  };
}

/** Messages and what is pending, as `updateMessage` shows them. */
function entriesOf(messages, pending, me, readUpTo) {
  let [before, isMarked] = [null, readUpTo === null];
  const entries = messages.map((message) => {
    const day = before && dayOf(before.sent_at) === dayOf(message.sent_at) ? null : message.sent_at;
    const isNew = !isMarked && message.id > readUpTo && message.sender !== me;
    isMarked ||= isNew;
    const isFirst =
      day !== null ||
      isNew ||
      before.sender !== message.sender ||
      new Date(message.sent_at) - new Date(before.sent_at) > GROUP_WITHIN;
    before = message;
    return { key: message.id, message, day, isNew, isFirst, me };
  });
  const waiting = pending.map((item, number) => ({
    key: item.clientId,
    pending: item,
    isFirst: number === 0 && before?.sender !== me,
    me,
  }));
  return [...entries, ...waiting];
}
