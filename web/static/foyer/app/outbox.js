/**
 * What was written and is not acknowledged. It is kept with this tab, and sent again with the same `client_id` after a
 * reconnection, so that the server stores it once. Tells of `changed`, with the place.
 */

import { Emitter } from "./emitter.js";
import { fieldsOf } from "./places.js";

const TRY_AGAIN_AFTER = 2000;
const PASSING = ["busy", "nearly_full", "unavailable", "rate_limited"];

export class Outbox extends Emitter {
  #keptAs;
  #items;
  #isSending = false;

  /**
   * `username` is whose it is. `stored(place, message)` is called with each message once the server has it, and
   * `refused(place, error)` when it won't take one.
   */
  constructor(connection, username, { stored, refused }) {
    super();
    Object.assign(this, { connection, stored, refused });
    this.#keptAs = `foyer.outbox:${username}`;
    this.#items = JSON.parse(sessionStorage.getItem(this.#keptAs) ?? "[]");
  }

  /** What is to be shown as pending or failed in a place, in order. */
  at(place) {
    return this.#items.filter((item) => item.place === place && !item.isHeard);
  }

  send(place, text) {
    this.#items.push({ clientId: crypto.randomUUID(), place, text, error: null });
    this.#keep(place);
    this.flush();
  }

  tryAgain(item) {
    item.error = null;
    this.#keep(item.place);
    this.flush();
  }

  discard(item) {
    this.#items = this.#items.filter((other) => other !== item);
    this.#keep(item.place);
  }

  /** Our own message was heard before it was acknowledged: don't show it twice. */
  heard(place, text) {
    const item = this.#items.find((one) => one.isSent && !one.isHeard && one.place === place && one.text === text);
    if (item) item.isHeard = true;
  }

  /** Send what waits, one after another, so that the order stays. */
  async flush() {
    if (this.#isSending) return;
    this.#isSending = true;
    try {
      for (let item; this.connection.isReady && (item = this.#items.find(({ error }) => !error));)
        await this.#post(item);
    } finally {
      this.#isSending = false;
    }
  }

  async #post(item) {
    item.isSent = true;
    try {
      const fields = { ...fieldsOf(item.place), text: item.text, client_id: item.clientId };
      const message = await this.connection.request("post", fields);
      this.discard(item);
      this.stored(item.place, message);
    } catch (error) {
      item.isSent = item.isHeard = false;
      if (PASSING.includes(error.code)) {
        await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_AFTER));
      } else if (error.code !== "disconnected") {
        item.error = error.fields?.text?.[0] ?? error.message;
        this.refused(item.place, error);
      }
      this.#keep(item.place);
    }
  }

  #keep(place) {
    const kept = this.#items.map(({ clientId, place: to, text, error }) => ({ clientId, place: to, text, error }));
    sessionStorage.setItem(this.#keptAs, JSON.stringify(kept));
    this.emit("changed", place);
  }
}
