/**
 * What was said in one place, as far as it was loaded, by id: without a gap, and to the end or around a message of long
 * ago. Tells of `changed`.
 */

import { Emitter } from "./emitter.js";
import { fieldsOf } from "./places.js";

export class Conversation extends Emitter {
  #byId = new Map();
  #beyond = new Map(); // what was heard while newer messages than ours are not loaded yet
  #deleted = new Set();
  #loading = null;
  #sought = null;
  isLoaded = false;
  hasOlder = false;
  hasNewer = false;
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
    this.#sought = null;
    await this.#loading;
    await this.#page(limit ? { limit } : {}, () => this.#byId.clear());
  }

  /** Load the messages around one, in place of whatever there is. */
  async loadAround(id) {
    this.#sought = id;
    await this.#loading;
    await this.#page({ around: id }, () => this.#byId.clear());
  }

  /** Load anew what is shown, something of which may be missing. */
  reload() {
    return this.#sought === null ? this.load() : this.loadAround(this.#sought);
  }

  /** Load a page of those before what there is. */
  async older() {
    const [first] = this.messages;
    if (first && this.hasOlder) await this.#page({ before: first.id });
  }

  /** Load a page of those after what there is. */
  async newer() {
    const last = this.messages.at(-1);
    if (last && this.hasNewer) await this.#page({ after: last.id });
  }

  heard(message) {
    this.#add(message);
    this.emit("changed");
  }

  edited(message) {
    if (this.#byId.has(message.id) || this.#beyond.has(message.id)) this.heard(message);
  }

  deleted(id) {
    this.#deleted.add(id);
    this.#beyond.delete(id);
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
      const heardMeanwhile = [...this.messages.filter(({ id }) => id > since), ...this.#beyond.values()];
      before();
      this.#note(page, cursor);
      page.messages.forEach((message) => this.#put(message));
      this.#beyond.clear();
      heardMeanwhile.forEach((message) => this.#add(message));
      this.isLoaded = true;
    } catch (error) {
      this.error = error;
    }
  }

  /** What there is beyond a page, in the direction that was asked for; around a message, in both. */
  #note({ more, earlier }, { before, around, after }) {
    if (after === undefined) this.hasOlder = around === undefined ? more : earlier;
    if (before === undefined) this.hasNewer = (around ?? after) !== undefined && more;
    if (!this.hasNewer) this.#sought = null;
  }

  /** What is beyond what we have waits until all before it is there, too. */
  #add(message) {
    if (this.hasNewer && !this.#byId.has(message.id)) this.#beyond.set(message.id, message);
    else this.#put(message);
  }

  /** The newest version of a message stays, whichever way it came first. */
  #put(message) {
    const known = this.#byId.get(message.id);
    const isOlder = known && (known.edited_at ?? "") > (message.edited_at ?? "");
    if (!isOlder && !this.#deleted.has(message.id)) this.#byId.set(message.id, message);
  }
}
