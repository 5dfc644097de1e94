/** Order in a room, for those who keep it: who is banned and who is muted, and what was done by whom, and why. */

import { el } from "../dom.js";
import { nameOrGone, spanOf, untilOf } from "../format.js";
import { addressOf, addressOfMessage, nameOf } from "../places.js";
import { makePage, makePaged, timeElement } from "./frame.js";

/** Raises `ApiError` for a room that we may not see. */
export async function makeOrder({ client, place, notices }) {
  const id = nameOf(place);
  await client.begun;
  if (!client.rooms.get(id)) await client.rooms.visit(id);
  const path = (what) => `/room/${encodeURIComponent(id)}/${what}`;
  const { api } = client;

  const restricted = (what, none) => {
    const paged = makePaged({
      api,
      path: () => path(what),
      label: what === "bans" ? "Bans" : "Mutes",
      key: ({ username, at }) => `${username} ${at}`,
      show: (one) => restriction(one, () => lift(what, one, paged)),
      none,
    });
    return paged;
  };

  async function lift(what, one, paged) {
    try {
      await api.request("DELETE", `${path(what)}/${encodeURIComponent(one.username)}`);
      paged.drop(one);
    } catch (error) {
      notices.show(error.message, "error");
    }
  }

  const bans = restricted("bans", "Nobody is banned.");
  const mutes = restricted("mutes", "Nobody is muted.");
  const audit = makePaged({
    api,
    path: () => path("audit"),
    label: "What was done",
    key: (entry) => entry.id,
    show: (entry) => record(place, entry),
    none: "Nothing was done yet.",
  });
  const parts = [bans, mutes, audit];
  const { element, heading } = makePage(
    `Order in “${client.rooms.get(id).name}”`,
    { beside: el("a", { href: addressOf(place) }, "To the room") },
    el("p", {}, el("a", { href: "#/reports" }, "Reports of messages")),
    el("section", {}, el("h2", {}, "Bans"), bans.element),
    el("section", {}, el("h2", {}, "Mutes"), mutes.element),
    el("section", {}, el("h2", {}, "What was done"), audit.element),
  );
  const load = () => parts.forEach((part) => part.load());
  const stops = [client.on("members", (where) => where === place && load()), client.on("reloaded", load)];
  load();
  return { element, focus: () => heading.focus(), stop: () => stops.forEach((stop) => stop()) };
}

const bold = (name) => el("b", { dir: "auto" }, nameOrGone(name));

function restriction({ username, until, reason, by, at }, lift) {
  return el(
    "li",
    { class: "record" },
    el(
      "div",
      { class: "record-text" },
      el("p", {}, bold(username), ` ${untilOf(until)}`),
      reason && el("p", { dir: "auto" }, reason),
      el("p", { class: "about" }, "by ", bold(by), ", ", timeElement(at)),
    ),
    el("button", { type: "button", "aria-label": `Lift it for ${nameOrGone(username)}`, onclick: lift }, "Lift"),
  );
}

/** What was done, as a sentence that begins with who did it. */
const SENTENCES = {
  member_updated: ({ username, role }) =>
    role === "moderator" ? [" made ", bold(username), " a moderator"] : [" made ", bold(username), " a plain member"],
  member_banned: ({ username, until }) => [" banned ", bold(username), ` ${untilOf(until)}`],
  member_unbanned: ({ username }) => [" lifted the ban of ", bold(username)],
  member_muted: ({ username, until }) => [" muted ", bold(username), ` ${untilOf(until)}`],
  member_unmuted: ({ username }) => [" let ", bold(username), " write again"],
  member_removed: ({ username }) => [" removed ", bold(username)],
  message_deleted: ({ username, message }, place) => [
    " deleted a message",
    ...(username === undefined ? [] : [" of ", bold(username)]),
    ...(message === undefined ? [] : [" (", el("a", { href: addressOfMessage(place, message) }, "where it was"), ")"]),
  ],
  room_updated: ({ slow_mode: slow }) => [slow ? ` set the slow mode to ${spanOf(slow)}` : " ended the slow mode"],
  report_resolved: ({ username }) => [" resolved a report about ", bold(username)],
  report_dismissed: ({ username }) => [" dismissed a report about ", bold(username)],
};

function record(place, entry) {
  const { by, at, action, reason, note } = entry;
  const why = reason ?? note;
  return el(
    "li",
    { class: "record" },
    el(
      "div",
      { class: "record-text" },
      el("p", {}, bold(by), SENTENCES[action]?.(entry, place) ?? ` ${action}`),
      why && el("p", { dir: "auto" }, why),
      el("p", { class: "about" }, timeElement(at)),
    ),
  );
}
