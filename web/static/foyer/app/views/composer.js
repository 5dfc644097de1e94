/**
 * Where one writes. Enter sends, Shift+Enter is a new line, the arrow up in an empty one edits the last message. What
 * keeps us from writing is said above it, and until when.
 */

import { el, icon } from "../dom.js";
import { draftOf, keepDraft } from "../drafts.js";
import { reasonOf, remaining, untilOf } from "../format.js";

const SECOND = 1000;

export function makeComposer({ client, place, name, editLast }) {
  const { standing } = client;
  const input = el("textarea", {
    id: "composer",
    rows: 1,
    maxlength: 4096,
    dir: "auto",
    placeholder: `Message ${name}`,
    oninput: typed,
    onkeydown: pressed,
    enterkeyhint: "send",
    "aria-describedby": "standing",
  });
  const button = el(
    "button",
    { type: "submit", class: "primary send", "aria-label": "Send", title: "Send" },
    icon("send"),
  );
  const writers = el("p", { class: "typing", "aria-live": "polite" });
  const said = el("span", { id: "standing", role: "status" });
  const left = el("span", { class: "left", "aria-hidden": "true" }); // runs, so it is seen and not read out
  const bar = el("p", { class: "standing", hidden: true }, said, " ", left);
  const element = el(
    "form",
    { class: "composer", onsubmit: send },
    writers,
    bar,
    el(
      "div",
      { class: "composer-line" },
      el("label", { for: "composer", class: "unseen" }, `Message ${name}`),
      input,
      button,
    ),
  );
  const { username } = client.me;
  input.value = draftOf(username, place);
  let timer = null;

  const mayPost = () => !standing.mute(place) && !standing.wait(place);

  function grow() {
    input.rows = Math.min(8, input.value.split("\n").length);
    button.disabled = !input.value.trim() || !mayPost();
  }

  function typed() {
    keepDraft(username, place, input.value);
    grow();
    if (input.value.trim()) client.typing.tell(place);
  }

  function pressed(event) {
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      element.requestSubmit();
    } else if (event.key === "ArrowUp" && !input.value) {
      event.preventDefault();
      editLast();
    }
  }

  function send(event) {
    event.preventDefault();
    if (!input.value.trim() || !mayPost()) return;
    client.outbox.send(place, input.value);
    client.typing.done(place);
    input.value = "";
    keepDraft(username, place, "");
    grow();
    input.focus();
  }

  function render() {
    const names = client.typing.at(place);
    const [first, second] = names;
    const sentences = ["", `${first} is typing…`, `${first} and ${second} are typing…`];
    writers.textContent = sentences[names.length] ?? "Several people are typing…";
  }

  /** What keeps us from writing: a mute, what the server said, or a slow mode. */
  function renderStanding() {
    clearTimeout(timer);
    const [mute, wait] = [standing.mute(place), standing.wait(place)];
    const ends = mute ? mute.until && Date.parse(mute.until) : wait && Date.now() + wait * SECOND;
    const text = mute
      ? `${mute.by ?? "Somebody"} muted you in this room ${untilOf(mute.until)}${reasonOf(mute)}.`
      : wait
        ? "The room is in slow mode. You may write again in a moment."
        : standing.words(place);
    if (said.textContent !== text) said.textContent = text;
    left.textContent = ends ? remaining(ends - Date.now()) : "";
    bar.hidden = !text;
    input.readOnly = Boolean(mute);
    grow();
    if (ends) timer = setTimeout(renderStanding, ends - Date.now() > 3600 * SECOND ? 60 * SECOND : SECOND / 2);
  }

  const stops = [
    client.typing.on("changed", (where) => where === place && render()),
    standing.on("changed", (where) => where === place && renderStanding()),
  ];
  render();
  renderStanding();
  return {
    element,
    focus: () => input.focus(),
    stop() {
      clearTimeout(timer);
      stops.forEach((stop) => stop());
    },
  };
}
