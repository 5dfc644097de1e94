/** Who is writing where, and telling others that we are. Tells of `changed`, with the place. */

import { Emitter } from "./emitter.js";
import { fieldsOf } from "./places.js";

const SHOWN_FOR = 5000;
const TOLD_EVERY = 3000;

export class Typing extends Emitter {
  #writers = new Map(); // place -> name -> timer
  #toldAt = new Map();

  /** `refused(place, error)` is called when the server won't tell others that we write. */
  constructor(connection, refused) {
    super();
    Object.assign(this, { connection, refused });
  }

  at = (place) => [...(this.#writers.get(place)?.keys() ?? [])];

  heard(place, name) {
    const writers = this.#writers.get(place) ?? new Map();
    this.#writers.set(place, writers);
    clearTimeout(writers.get(name));
    writers.set(
      name,
      setTimeout(() => this.stopped(place, name), SHOWN_FOR),
    );
    this.emit("changed", place);
  }

  stopped(place, name) {
    const writers = this.#writers.get(place);
    clearTimeout(writers?.get(name));
    if (writers?.delete(name)) this.emit("changed", place);
  }

  /** We write. */
  tell(place) {
    const now = Date.now();
    if (now - (this.#toldAt.get(place) ?? 0) < TOLD_EVERY) return;
    this.#toldAt.set(place, now);
    if (this.connection.isReady)
      this.connection.request("typing", fieldsOf(place)).catch((error) => this.refused(place, error));
  }

  /** We sent it; the next keystroke is news. */
  done(place) {
    this.#toldAt.delete(place);
  }
}
