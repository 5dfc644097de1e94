/** The rooms we are in, the lobby, and those we look into. Tells of `changed`, and of `gone`: a room's id and why. */

import { Emitter } from "./emitter.js";

const UNKNOWN = { unread: 0, last: null, heard: [] }; // `heard`: ids of others' messages that were heard and not read
const LOBBY_ROOM = { roomId: "lobby", name: "Lobby", members_only: false, owner: null, ...UNKNOWN };
const MOST_UNREAD = 100; // stands for more, as on the server

export class Rooms extends Emitter {
  #own = new Map();
  #visited = new Map();
  lobby = { ...LOBBY_ROOM };

  constructor(api, connection, me) {
    super();
    Object.assign(this, { api, connection, me });
  }

  /** Those we are in, the liveliest first. */
  get own() {
    const when = (room) => room.last?.sent_at ?? room.created_at;
    return [...this.#own.values()].sort((one, other) => when(other).localeCompare(when(one)));
  }

  get = (id) => (id === "lobby" ? this.lobby : (this.#own.get(id) ?? this.#visited.get(id) ?? null));
  isMember = (id) => this.#own.has(id);

  /** Whether we may rename and delete it. */
  isOurs(id) {
    const room = this.get(id);
    return id !== "lobby" && Boolean(room) && (this.me.isAdmin || room.owner === this.me.username);
  }

  async load() {
    const found = [];
    for (let path = "/rooms?member=me"; path;) {
      const { items, next } = await this.api.page(path);
      found.push(...items.filter(({ roomId }) => roomId !== "lobby"));
      path = next;
    }
    const before = this.#own;
    this.#own = new Map(found.map((room) => [room.roomId, summed(room, before.get(room.roomId))]));
    this.emit("changed");
    this.lobby.unread = (await this.readUpTo("lobby")).unread;
    this.emit("changed");
  }

  /** How far we have read a room, and how many messages are unread since: {read, unread}. */
  readUpTo = (id) => this.connection.request("read", { room: id, offset: 0 });

  /** A room we are not in. Raises `ApiError` where we may not see it. */
  async visit(id) {
    const room = await this.api.request("GET", `/room/${encodeURIComponent(id)}`);
    if (!this.#own.has(id)) this.#visited.set(id, { ...room, ...UNKNOWN });
    this.emit("changed");
  }

  entered(room) {
    if (room.roomId === "lobby") return;
    const known = this.get(room.roomId) ?? UNKNOWN;
    this.#visited.delete(room.roomId);
    this.#own.set(room.roomId, { ...known, ...room });
    this.emit("changed");
  }

  /** We are out of it, or it is gone altogether. */
  left(id, why = "") {
    const wasKnown = this.#own.delete(id) || this.#visited.delete(id);
    this.emit("changed");
    if (wasKnown) this.emit("gone", { id, why });
  }

  updated(room) {
    const known = this.get(room.roomId);
    if (known) Object.assign(known, { slow_mode: undefined, retention_days: undefined }, room);
    this.emit("changed");
  }

  said(id, message) {
    const room = this.get(id);
    if (!room || message.id <= (room.last?.id ?? 0)) return;
    room.last = message;
    if (message.sender !== this.me.username) {
      room.heard = [...room.heard, message.id].slice(-MOST_UNREAD);
      room.unread = Math.min(room.unread + 1, MOST_UNREAD);
    }
    this.emit("changed");
  }

  edited(id, message) {
    const room = this.get(id);
    if (room?.last?.id === message.id) room.last = { ...room.last, ...message };
    if (message.isDeleted && room?.heard.includes(message.id)) {
      room.heard = room.heard.filter((other) => other !== message.id);
      room.unread = Math.max(room.unread - 1, room.heard.length);
    }
    this.emit("changed");
  }

  /** We have read up to `offset`, here or elsewhere; `unread` is what the server counted after that. */
  read(id, offset, unread) {
    const room = this.get(id);
    if (!room) return;
    room.heard = room.heard.filter((other) => other > offset);
    room.unread = Math.max(unread ?? room.unread, room.heard.length);
    if (!room.last || room.last.id <= offset) room.unread = 0;
    this.emit("changed");
  }
}

/** A room as the server lists it, with what we heard of it since. */
function summed({ last_message: last, unread, ...room }, known) {
  const heard = (known?.heard ?? []).filter((id) => id > (last?.id ?? 0));
  const isBehind = (known?.last?.id ?? 0) > (last?.id ?? 0);
  return { ...room, last: isBehind ? known.last : last, unread: Math.min(unread + heard.length, MOST_UNREAD), heard };
}
