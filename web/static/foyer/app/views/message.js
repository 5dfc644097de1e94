/** One message of a log, or one that is still on its way. */

import { el, iconButton, unseen } from "../dom.js";
import { dayOf, exactly, nameOrGone, shortTimeOf, timeOf } from "../format.js";
import { linked } from "../text.js";
import { makeAvatar } from "./avatar.js";
import { confirm } from "./dialogs.js";
import { field, form } from "./forms.js";
import { menuButton } from "./menu.js";

/**
 * An element for a message. `acts` says what may be done with it: `edit(message, text)`, `remove(message)`,
 * `tryAgain(clientId)`, `discard(clientId)`, which may be awaited, `mayEdit(message)`, `mayRemove(message)`
 * and `hasChoices(message)`, and `choices(message)`, what its menu offers.
 */
export function makeMessage(acts) {
  const item = el("li", { class: "message", tabindex: -1 });
  item.startEditing = () => edit(item, acts);
  item.acts = acts;
  return item;
}

/** Show `entry`: {message or pending, isFirst (of a group by one sender), day (if it is a day's first), isNew}. */
export function updateMessage(item, entry) {
  const { message, pending, isFirst } = entry;
  const shown = JSON.stringify([entry, Boolean(message) && item.acts.mayRemove(message)]);
  item.entry = entry;
  if (item.shown === shown || item.isEditing) return;
  item.shown = shown;
  item.className = "message";
  item.classList.toggle("first", isFirst);
  item.classList.toggle("pending", Boolean(pending));
  item.classList.toggle("failed", Boolean(pending?.error));
  item.replaceChildren(
    ...[
      entry.day ? el("div", { class: "day" }, el("span", {}, dayOf(entry.day))) : null,
      entry.isNew ? el("div", { class: "new" }, el("span", {}, "New")) : null,
      el("div", { class: "line" }, side(entry), body(item, entry), message ? actions(item, message) : null),
    ].filter(Boolean),
  );
}

function side({ message, pending, isFirst, me }) {
  const sender = message ? message.sender : me;
  if (isFirst) return makeAvatar(sender);
  return el("span", { class: "side-time", "aria-hidden": "true" }, pending ? "" : shortTimeOf(message.sent_at));
}

function body(item, { message, pending, isFirst, me }) {
  const sender = nameOrGone(message ? message.sender : me);
  const name = isFirst ? el("span", { class: "sender", dir: "auto" }, sender) : unseen(`${sender} `);
  const when = message
    ? el(
        "time",
        { datetime: message.sent_at, title: exactly(message.sent_at), class: isFirst ? "" : "unseen" },
        timeOf(message.sent_at),
      )
    : null;
  const edited = message?.edited_at
    ? el("span", { class: "edited", title: exactly(message.edited_at) }, "edited")
    : null;
  return el(
    "div",
    { class: "body" },
    el("div", { class: "meta" }, name, " ", when),
    el("p", { class: "text", dir: "auto" }, linked((message ?? pending).text), edited && " ", edited),
    pending ? waiting(item, pending) : null,
  );
}

function waiting(item, pending) {
  if (!pending.error) return el("p", { class: "waiting" }, "Not sent yet");
  return el(
    "p",
    { class: "waiting", role: "alert" },
    `Not sent: ${pending.error} `,
    el("button", { type: "button", class: "link", onclick: () => item.acts.tryAgain(pending.clientId) }, "Try again"),
    " ",
    el("button", { type: "button", class: "link", onclick: () => item.acts.discard(pending.clientId) }, "Discard"),
  );
}

function actions(item, message) {
  const { acts } = item;
  const remove = () =>
    confirm("Delete this message?", `“${message.text.slice(0, 200)}”`, "Delete", () => acts.remove(message));
  const buttons = [
    acts.mayEdit(message) && iconButton("pencil", "Edit message", () => edit(item, acts)),
    acts.mayRemove(message) && iconButton("trash", "Delete message", remove),
    acts.hasChoices(message) && menuButton("More about this message", () => acts.choices(message)),
  ].filter(Boolean);
  return buttons.length ? el("div", { class: "actions" }, buttons) : null;
}

/** Edit in place: Enter saves, Shift+Enter is a new line, Escape leaves it as it was. */
function edit(item, acts) {
  if (item.isEditing) return;
  const { message } = item.entry;
  const text = field({
    label: "Edit message",
    multiline: true,
    rows: Math.min(8, message.text.split("\n").length),
    maxlength: 4096,
    dir: "auto",
    oninput: () => body.scrollIntoView({ block: "nearest" }),
  });
  text.input.value = message.text;
  const finish = () => {
    Object.assign(item, { isEditing: false, shown: null });
    updateMessage(item, item.entry);
    item.focus();
  };
  const submit = async () => {
    if (text.input.value !== message.text) await acts.edit(message, text.input.value);
    finish();
  };
  const cancel = el("button", { type: "button", onclick: finish }, "Cancel");
  const body = form({ fields: { text }, action: "Save", extra: [cancel], submit });
  body.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Escape") finish();
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.target === text.input) {
      event.preventDefault();
      body.requestSubmit();
    }
  });
  item.isEditing = true;
  item.querySelector(".text").replaceWith(body);
  item.querySelector(".actions")?.remove();
  text.input.focus();
  body.scrollIntoView({ block: "nearest" }); // it is higher than the message was
}
