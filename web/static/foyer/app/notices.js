/** What admins say to everybody, while it holds and until we put it away. Tells of `changed`. */

import { Emitter } from "./emitter.js";

const LONGEST_TIMER = 2 ** 31 - 1;

export class Notices extends Emitter {
  #known = new Map();
  #keptAs;
  #timer = null;

  constructor(api, username) {
    super();
    this.api = api;
    this.#keptAs = `foyer.dismissed:${username}`;
  }

  /** Those to be shown, the first first: {id, text, level, until}. */
  get all() {
    const dismissed = this.#dismissed;
    return [...this.#known.values()].filter((notice) => !isOver(notice) && !dismissed.includes(notice.id));
  }

  /** Some may have been deleted since. */
  async load() {
    const notices = await this.api.request("GET", "/notices");
    this.#known = new Map(notices.map((notice) => [notice.id, notice]));
    this.#tell();
  }

  heard({ id, text, level, until }) {
    this.#known.set(id, { id, text, level, until });
    this.#tell();
  }

  dismiss(id) {
    const dismissed = this.#dismissed.filter((other) => this.#known.has(other));
    sessionStorage.setItem(this.#keptAs, JSON.stringify([...dismissed, id]));
    this.#tell();
  }

  stop() {
    clearTimeout(this.#timer);
  }

  get #dismissed() {
    return JSON.parse(sessionStorage.getItem(this.#keptAs) ?? "[]");
  }

  /** Now, and again when the next one is over. */
  #tell() {
    clearTimeout(this.#timer);
    const ends = this.all.filter(({ until }) => until).map(({ until }) => Date.parse(until) - Date.now());
    if (ends.length) this.#timer = setTimeout(() => this.#tell(), Math.min(...ends, LONGEST_TIMER));
    this.emit("changed");
  }
}

const isOver = ({ until }) => until !== null && Date.parse(until) <= Date.now();
