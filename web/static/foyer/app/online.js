/** Who is online, as far as we know: what lists of members said, and what was told since. Tells of `changed`. */

import { Emitter } from "./emitter.js";

export class Online extends Emitter {
  #known = new Map();

  /** True, false, or undefined where nothing was heard of somebody. */
  has = (name) => this.#known.get(name);

  heard({ type, username, usernames }) {
    for (const name of usernames ?? [username]) this.#known.set(name, type === "user_joined");
    this.emit("changed");
  }

  learn(members) {
    for (const { username, online } of members) this.#known.set(username, online);
    this.emit("changed");
  }

  clear() {
    this.#known.clear();
    this.emit("changed");
  }
}
