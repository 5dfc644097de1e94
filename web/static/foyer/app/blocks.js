/** Whom we block: they can't write to us. Tells of `changed`. */

import { Emitter } from "./emitter.js";

const addressOf = (name) => `/blocks/${encodeURIComponent(name)}`;

export class Blocks extends Emitter {
  #names = new Set();

  constructor(api) {
    super();
    this.api = api;
  }

  /** In the order in which they were blocked. */
  get all() {
    return [...this.#names];
  }

  has = (name) => this.#names.has(name);

  async load() {
    const blocks = await this.api.request("GET", "/blocks");
    this.#names = new Set(blocks.map(({ username }) => username));
    this.emit("changed");
  }

  async block(name) {
    const { username } = await this.api.request("PUT", addressOf(name));
    this.#names.add(username);
    this.emit("changed");
  }

  async unblock(name) {
    await this.api.request("DELETE", addressOf(name));
    this.#names.delete(name);
    this.emit("changed");
  }
}
