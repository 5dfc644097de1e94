/**
 * What keeps us from writing somewhere: mutes, and the slow mode of a room. Heard of live, or learnt when the server
 * refuses something. Tells of `changed`, with the place.
 */

import { Emitter } from "./emitter.js";

const SECONDS = /(\d+) s/;

export class Standing extends Emitter {
  #mutes = new Map(); // place -> {until, reason, by}
  #waits = new Map(); // place -> when we may post again, in ms
  #words = new Map(); // place -> what the server said

  /** The mute in force at a place: {until, reason, by}, or null. */
  mute(place) {
    const mute = this.#mutes.get(place);
    return mute && (mute.until === null || Date.parse(mute.until) > Date.now()) ? mute : null;
  }

  /** Seconds until we may post again. */
  wait = (place) => Math.max(0, Math.ceil(((this.#waits.get(place) ?? 0) - Date.now()) / 1000));

  /** What the server said when it refused something here last, or "". */
  words = (place) => this.#words.get(place) ?? "";

  muted(place, { until, reason, by }) {
    this.#mutes.set(place, { until, reason, by });
    this.emit("changed", place);
  }

  unmuted(place) {
    this.#mutes.delete(place);
    this.#words.delete(place);
    this.emit("changed", place);
  }

  /** We posted something, in a room where one may do so once in so many seconds. */
  posted(place, seconds) {
    this.#words.delete(place);
    this.#waits.set(place, Date.now() + seconds * 1000);
    this.emit("changed", place);
  }

  /** The server took what it had refused. */
  accepted(place) {
    if (this.#words.delete(place)) this.emit("changed", place);
  }

  refused(place, { code, message }) {
    if (code === "slow_mode") this.#waits.set(place, Date.now() + (SECONDS.exec(message)?.[1] ?? 1) * 1000);
    else if (["muted", "blocked"].includes(code)) this.#words.set(place, message);
    else return;
    this.emit("changed", place);
  }

  /** Something may be missing: it is learnt anew. */
  clear() {
    const places = new Set([...this.#mutes.keys(), ...this.#words.keys()]);
    this.#mutes.clear();
    this.#words.clear();
    for (const place of places) this.emit("changed", place);
  }
}
