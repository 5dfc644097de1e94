/**
 * Who is what in the rooms, as far as lists of members and events said it, and what somebody may do there. The server
 * decides; this is for what is offered. Tells of `changed`, with a room's id.
 */

import { Emitter } from "./emitter.js";

const RANKS = ["stranger", "member", "moderator", "owner", "admin", "nobody"];

/** The least role that may do it, that may do it to a moderator, and to the owner. Nobody does it to themselves. */
const RIGHTS = {
  set_role: ["owner", "owner", "nobody"],
  ban: ["moderator", "admin", "nobody"],
  mute: ["moderator", "admin", "nobody"],
  slow_mode: ["moderator"],
  delete_message: ["moderator", "owner", "admin"],
  remove_member: ["member", "owner", "admin"],
  read_audit: ["moderator"],
};

const reaches = (role, least) => RANKS.indexOf(role) >= RANKS.indexOf(least);

export class Roles extends Emitter {
  #known = new Map(); // room -> name -> role

  constructor(rooms, me) {
    super();
    Object.assign(this, { rooms, me });
  }

  learn(id, members) {
    for (const { username, role } of members) this.#room(id).set(username, role);
    this.emit("changed", id);
  }

  heard(id, { username, role }) {
    this.#room(id).set(username, role);
    this.emit("changed", id);
  }

  of(id, name) {
    if (name !== null && this.rooms.get(id)?.owner === name) return "owner";
    return this.#known.get(id)?.get(name) ?? "stranger";
  }

  /** Ours. */
  in(id) {
    if (this.me.isAdmin) return "admin";
    const role = this.of(id, this.me.username);
    return role === "stranger" && this.rooms.isMember(id) ? "member" : role;
  }

  /** Whether we may do something in a room, or to `name` in it. */
  may(what, id, name) {
    const [least, toModerator, toOwner] = RIGHTS[what];
    const role = this.in(id);
    if (name === undefined) return reaches(role, least);
    if (name === this.me.username) return false;
    return reaches(role, { moderator: toModerator, owner: toOwner }[this.of(id, name)] ?? least);
  }

  #room(id) {
    if (!this.#known.has(id)) this.#known.set(id, new Map());
    return this.#known.get(id);
  }
}
