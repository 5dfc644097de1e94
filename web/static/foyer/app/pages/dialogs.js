/** Dialogs of those who keep order, and for reporting what is out of order. */

import { el } from "../dom.js";
import { untilOf } from "../format.js";
import { isRoom, nameOf } from "../places.js";
import { cancel, open } from "../views/dialogs.js";
import { choice, field, form } from "../views/forms.js";

const SPANS = [
  ["600", "10 minutes"],
  ["3600", "An hour"],
  ["86400", "A day"],
  ["", "For good"],
];
const MUTE = {
  list: "mutes",
  action: "Mute",
  about: "They may read on, and not write, until it is over or somebody lifts it.",
  done: (name, until) => `${name} is muted ${until}.`,
};
const BAN = {
  list: "bans",
  action: "Ban",
  about: "They leave the room at once, and can neither read it nor come back until it is over or somebody lifts it.",
  done: (name, until) => `${name} is banned ${until}.`,
};

export const mute = (where, username) => restrict(where, username, MUTE);
export const ban = (where, username) => restrict(where, username, BAN);

/** Until when, from now: seconds, or "" for good. */
export const endOf = (seconds) => (seconds ? new Date(Date.now() + seconds * 1000).toISOString() : null);

/** Report a message of a place to those who keep order there, or to the admins. */
export function report({ client, place, notices }, message) {
  const path = isRoom(place)
    ? `/room/${encodeURIComponent(nameOf(place))}`
    : `/user/${encodeURIComponent(nameOf(place))}`;
  const who = isRoom(place) ? "The room's moderators" : "The admins";
  const fields = {
    reason: field({ label: "What is wrong with it?", name: "reason", maxlength: 500, autocomplete: "off" }),
  };
  const submit = async () => {
    await client.api.request("POST", `${path}/messages/${message.id}/report`, { reason: fields.reason.input.value });
    dialog.close();
    notices.show(`Thank you. ${who} will look at it.`);
  };
  const dialog = open(
    "Report this message",
    el("p", { class: "quoted", dir: "auto" }, message.text.slice(0, 200)),
    el("p", {}, `${who} get a copy of it, and your name.`),
    form({ fields, action: "Report", extra: [cancel()], submit }),
  );
}

function restrict({ client, id, notices }, username, { list, action, about, done }) {
  const path = `/room/${encodeURIComponent(id)}/${list}/${encodeURIComponent(username)}`;
  const fields = {
    until: choice({ label: "For how long", name: "until", options: SPANS }),
    reason: field({ label: "Reason", name: "reason", maxlength: 500, autocomplete: "off", hint: "They are told it." }),
  };
  const submit = async () => {
    const reason = fields.reason.input.value.trim() || null;
    const { until } = await client.api.request("PUT", path, { until: endOf(fields.until.input.value), reason });
    dialog.close();
    const lift = () => client.api.request("DELETE", path).catch((error) => notices.show(error.message, "error"));
    notices.show(done(username, untilOf(until)), "", { label: "Undo", act: lift });
  };
  const body = form({ fields, action, extra: [cancel()], submit });
  body.querySelector(".primary").classList.add("danger");
  const name = client.rooms.get(id)?.name ?? "the room";
  const dialog = open(`${action} ${username} in “${name}”`, el("p", {}, about), body);
}
