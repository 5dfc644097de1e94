/** What was said in one place, as far as it was loaded, by id. Tells of `changed`. */

import { Emitter } from "./emitter.js";
import { fieldsOf } from "./places.js";

export class Conversation extends Emitter {
  #byId = new Map();
  #deleted = new Set();
  #loading = null;
  isLoaded = false;
  hasOlder = false;
  error = null;

  constructor(place, connection) {
    super();
    Object.assign(this, { place, connection });
  }

  /** Oldest first. */
  get messages() {
    return [...this.#byId.values()].sort((one, other) => one.id - other.id);
  }

  get isLoading() {
    return this.#loading !== null;
  }

  /** Load the newest messages, in place of whatever there is; `limit` of them, if that is said. */
  async load(limit) {
    await this.#loading;
    await this.#page(limit ? { limit } : {}, () => this.#byId.clear());
  }

  /** Load a page of those before what there is. */
  async older() {
    const [first] = this.messages;
    if (first && this.hasOlder) await this.#page({ before: first.id });
  }

  heard(message) {
    this.#put(message);
    this.emit("changed");
  }

  edited(message) {
    if (this.#byId.has(message.id)) this.heard(message);
  }

  deleted(id) {
    this.#deleted.add(id);
    if (this.#byId.delete(id)) this.emit("changed");
  }

  /** A page, one at a time. What fails is kept in `error`. */
  #page(cursor, before = () => {}) {
    this.#loading ??= this.#fetch(cursor, before).finally(() => {
      this.#loading = null;
      this.emit("changed");
    });
    this.emit("changed");
    return this.#loading;
  }

  async #fetch(cursor, before) {
    this.error = null;
    const since = this.#byId.size ? this.messages.at(-1).id : 0;
    try {
      const page = await this.connection.request("history", { ...fieldsOf(this.place), ...cursor });
      const heardMeanwhile = this.messages.filter(({ id }) => id > since);
      before();
      for (const message of [...page.messages, ...heardMeanwhile]) this.#put(message);
      this.hasOlder = page.more;
      this.isLoaded = true;
    } catch (error) {
      this.error = error;
    }
  }

  /** The newest version of a message stays, whichever way it came first. */
  #put(message) {
    const known = this.#byId.get(message.id);
    const isOlder = known && (known.edited_at ?? "") > (message.edited_at ?? "");
    if (!isOlder && !this.#deleted.has(message.id)) this.#byId.set(message.id, message);
  }
}
