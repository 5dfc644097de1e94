/** Read markers: tells the server how far we have read, seldom enough, and again after a broken connection. */

import { fieldsOf } from "./places.js";

const GATHER = 400;

export class Reading {
  #reached = new Map();
  #told = new Map();
  #timer = null;

  constructor(connection) {
    this.connection = connection;
  }

  /** We have seen everything in a place up to a message. */
  reached(place, id) {
    if (id <= (this.#reached.get(place) ?? 0)) return;
    this.#reached.set(place, id);
    this.#timer ??= setTimeout(() => this.tell(), GATHER);
  }

  tell() {
    this.#timer = null;
    for (const [place, offset] of this.#reached) {
      if (!this.connection.isReady || this.#told.get(place) === offset) continue;
      this.#told.set(place, offset);
      this.connection.request("read", { ...fieldsOf(place), offset }).catch(() => this.#told.delete(place));
    }
  }
}
