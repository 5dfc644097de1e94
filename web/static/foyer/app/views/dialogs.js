/** Dialogs: native ones, so that Escape closes them. Focus goes back to where it was. */

import { el, icon } from "../dom.js";
import { spanOf } from "../format.js";
import { go } from "../router.js";
import { addressOf, roomPlace, userPlace } from "../places.js";
import { checkbox, choice, field, form } from "./forms.js";

/** Show a dialog. Returns its element. */
export function open(title, ...content) {
  const close = el(
    "button",
    { type: "button", class: "icon-button", "aria-label": "Close", onclick: () => dialog.close() },
    icon("close"),
  );
  const heading = el("h2", { id: "dialog-title" }, title);
  const opener = document.activeElement;
  const closed = () => {
    dialog.remove();
    opener.closest(".message")?.focus(); // whose buttons are there only while it has the focus
    opener.focus();
  };
  const dialog = el("dialog", { "aria-labelledby": "dialog-title", onclose: closed });
  dialog.append(el("div", { class: "dialog-head" }, heading, close), ...content);
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  dialog.querySelector("form input, form textarea, .buttons .primary")?.focus();
  return dialog;
}

export const cancel = () =>
  el("button", { type: "button", onclick: ({ target }) => target.closest("dialog").close() }, "Cancel");

/** Ask before something that can't be undone; `act()` is awaited. */
export function confirm(title, text, action, act) {
  const body = form({
    fields: {},
    action,
    extra: [cancel()],
    submit: async () => {
      await act();
      dialog.close();
    },
  });
  body.querySelector(".primary").classList.add("danger");
  const dialog = open(title, el("p", {}, text), body);
}

const roomFields = (room) => ({
  name: field({
    label: "Name",
    name: "name",
    value: room?.name ?? "",
    maxlength: 100,
    autocomplete: "off",
    required: true,
  }),
  members_only: checkbox({
    label: "Members only",
    hint: "Others neither see it nor read it; members add people.",
    checked: room?.members_only ?? false,
  }),
});

const days = (room) =>
  field({
    label: "Days that messages are kept",
    hint: "Older ones are gone for everyone. Empty: for ever, if this server has no rule of its own.",
    name: "retention_days",
    type: "number",
    inputmode: "numeric",
    min: 1,
    max: 36500,
    value: room.retention_days ?? "",
  });

/** What is to be sent of the days: nothing where they are as they were. */
function daysOf({ input }, room) {
  const wanted = input.value.trim() === "" ? null : Number(input.value);
  return wanted === (room.retention_days ?? null) ? {} : { retention_days: wanted };
}

const valuesOf = (fields) => ({ name: fields.name.input.value, members_only: fields.members_only.input.checked });

export function newRoom(client) {
  const fields = roomFields();
  const keys = new Map(); // a retry of the same request has the same key
  const submit = async () => {
    const body = valuesOf(fields);
    const request = JSON.stringify(body);
    if (!keys.has(request)) keys.set(request, crypto.randomUUID());
    const room = await client.api.request("POST", "/rooms", body, keys.get(request));
    dialog.close();
    go(addressOf(roomPlace(room.roomId)));
  };
  const dialog = open("New room", form({ fields, action: "Create room", extra: [cancel()], submit }));
}

const SLOW_MODES = [0, 5, 10, 30, 60, 300, 900, 3600]; // seconds

function slowMode({ slow_mode: now = 0 }) {
  const steps = [...new Set([...SLOW_MODES, now])].sort((one, other) => one - other);
  return choice({
    label: "Slow mode",
    hint: "How often a member may write; moderators may always.",
    name: "slow_mode",
    value: String(now),
    options: steps.map((seconds) => [String(seconds), seconds ? `Once in ${spanOf(seconds)}` : "Off"]),
  });
}

/** The owner of a room and admins change all of it, other moderators its slow mode. */
export function changeRoom(client, room) {
  const isOurs = client.rooms.isOurs(room.roomId);
  const fields = { ...(isOurs ? { ...roomFields(room), retention_days: days(room) } : {}), slow_mode: slowMode(room) };
  const submit = async () => {
    const body = isOurs ? { ...valuesOf(fields), ...daysOf(fields.retention_days, room) } : {};
    const wanted = Number(fields.slow_mode.input.value);
    if (wanted !== (room.slow_mode ?? 0) || !isOurs) body.slow_mode = wanted;
    await client.api.request("PATCH", `/room/${room.roomId}`, body);
    dialog.close();
  };
  const remove = el(
    "button",
    {
      type: "button",
      class: "danger-quiet",
      onclick: () => {
        dialog.close();
        confirm(
          `Delete “${room.name}”?`,
          "The room and all its messages will be gone, for everyone.",
          "Delete room",
          () => client.api.request("DELETE", `/room/${room.roomId}`),
        );
      },
    },
    "Delete room…",
  );
  const dialog = open(
    "Room settings",
    form({ fields, action: "Save", extra: [isOurs && remove, cancel()].filter(Boolean), submit }),
  );
}

export function newDirect(client) {
  const fields = {
    username: field({
      label: "Username",
      name: "username",
      maxlength: 64,
      autocomplete: "off",
      autocapitalize: "none",
      spellcheck: "false",
    }),
  };
  const submit = async () => {
    const user = fields.username.input.value.trim();
    await client.connection.request("history", { user, limit: 1 }); // raises for a name that nobody has
    dialog.close();
    go(addressOf(userPlace(user)));
  };
  const dialog = open("New direct message", form({ fields, action: "Write", extra: [cancel()], submit }));
}
