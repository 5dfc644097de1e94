/** Where one writes. Enter sends, Shift+Enter is a new line, the arrow up in an empty one edits the last message. */

import { el, icon } from "../dom.js";
import { draftOf, keepDraft } from "../drafts.js";

export function makeComposer({ client, place, name, editLast }) {
  const input = el("textarea", {
    id: "composer",
    rows: 1,
    maxlength: 4096,
    dir: "auto",
    placeholder: `Message ${name}`,
    oninput: typed,
    onkeydown: pressed,
    enterkeyhint: "send",
  });
  const button = el(
    "button",
    { type: "submit", class: "primary send", "aria-label": "Send", title: "Send" },
    icon("send"),
  );
  const writers = el("p", { class: "typing", "aria-live": "polite" });
  const element = el(
    "form",
    { class: "composer", onsubmit: send },
    writers,
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

  function grow() {
    input.rows = Math.min(8, input.value.split("\n").length);
    button.disabled = !input.value.trim();
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
    if (!input.value.trim()) return;
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
  const stop = client.typing.on("changed", (where) => where === place && render());
  grow();
  render();
  return { element, focus: () => input.focus(), stop };
}
