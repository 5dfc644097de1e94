/**
 * Everything a signed-in user has: the parts, and which of them an event concerns.
 *
 * Tells of `members` (with a place whose members changed), and of `reloaded` when something may be missing.
 */

import { Connection } from "./connection.js";
import { Conversation } from "./conversation.js";
import { Directs } from "./directs.js";
import { Emitter } from "./emitter.js";
import { Guests } from "./guests.js";
import { Online } from "./online.js";
import { Outbox } from "./outbox.js";
import { LOBBY, isRoom, nameOf, placeOfDirect, roomPlace, userPlace } from "./places.js";
import { Reading } from "./reading.js";
import { Rooms } from "./rooms.js";
import { Tables } from "./tables.js";
import { Typing } from "./typing.js";

/** How many past events we want to hear at first: our own for conversations, comings and goings for who is online. */
const PAST = { user: 200, online: 300 };
const PAGE = 50; // messages
const FOLLOWED = [LOBBY, "tables", "online"];

export class Client extends Emitter {
  #conversations = new Map();
  #wasReady = false;
  #hasBegun;

  constructor(api, session) {
    super();
    this.api = api;
    /** Resolves when the lists were loaded for the first time, or could not be. */
    this.begun = new Promise((resolve) => (this.#hasBegun = resolve));
    this.me = { username: session.username, isAdmin: session.userType === "admin" };
    this.connection = new Connection(PAST);
    this.rooms = new Rooms(api, this.connection, this.me);
    this.directs = new Directs(api, this.connection, this.me);
    this.online = new Online();
    this.guests = new Guests(this.connection);
    this.tables = new Tables(api);
    this.typing = new Typing(this.connection);
    this.reading = new Reading(this.connection);
    this.outbox = new Outbox(this.connection, this.me.username, (place, message) => this.#said(place, message));
    this.connection.on("event", (event) => this.#hear(event));
    this.connection.on("ready", () => this.#begin());
    this.connection.on("lost", (topics) => this.#lost(topics));
    for (const topic of FOLLOWED) this.connection.follow(topic).catch(() => {});
  }

  /**
   * What is said in a place, around the message `sought` if there is one; otherwise to the end, and loaded when it is
   * first asked for, with all of `unread` messages and some before.
   */
  conversation(place, unread = 0, sought = null) {
    if (!this.#conversations.has(place)) this.#conversations.set(place, new Conversation(place, this.connection));
    const conversation = this.#conversations.get(place);
    if (sought !== null) conversation.loadAround(sought);
    else if (conversation.hasNewer) conversation.load();
    else if (!conversation.isLoaded && !conversation.isLoading && this.connection.isReady)
      conversation.load(unread + PAGE);
    return conversation;
  }

  /** Hear a room that we are not in, for as long as we look into it. */
  async lookInto(roomId) {
    await this.rooms.visit(roomId);
    if (!this.rooms.isMember(roomId)) await this.connection.follow(roomPlace(roomId)).catch(() => {});
  }

  lookAway(roomId) {
    if (roomId === "lobby" || this.rooms.isMember(roomId)) return;
    this.connection.unfollow(roomPlace(roomId));
    this.#conversations.delete(roomPlace(roomId));
  }

  async #begin() {
    const isFirst = !this.#wasReady;
    this.#wasReady = true;
    this.outbox.flush();
    this.reading.tell();
    for (const conversation of this.#conversations.values()) if (!conversation.isLoaded) conversation.reload();
    if (isFirst || !this.tables.isLoaded) await this.#load("rooms", "directs", "tables");
    this.#hasBegun();
  }

  /** Load lists anew. A broken connection is not worth telling: they are loaded again when it is back. */
  async #load(...names) {
    const loaded = await Promise.allSettled(names.map((name) => this[name].load()));
    const failed = loaded.find(({ reason }) => reason && !["disconnected", "unreachable"].includes(reason.code));
    if (failed) this.emit("failed", failed.reason);
    if (loaded.some(({ status }) => status === "rejected")) this.tables.isLoaded = false;
  }

  /** Something may be missing: load anew what it is about, and say so if it is about messages. */
  #lost(topics) {
    if (!this.#wasReady) return;
    const own = `user:${this.me.username}`;
    const concerned = (place) => topics.includes(isRoom(place) ? place : own);
    for (const [place, conversation] of this.#conversations) if (concerned(place)) conversation.reload();
    const messages = topics.some((topic) => isRoom(topic) || topic === own);
    if (messages) this.#load("rooms", "directs");
    if (topics.includes("tables")) this.#load("tables");
    if (topics.includes("online")) this.online.clear();
    if (messages) this.emit("reloaded");
  }

  // Events

  #hear(event) {
    const prefix = event.topic?.split(":")[0]; // a notice has none
    if (prefix === "room") this.#hearRoom(event.topic, event);
    else if (prefix === "user") this.#hearOwn(event);
    else if (prefix === "online") this.online.heard(event);
    else if (prefix === "tables") this.tables.heard(event);
  }

  #hearRoom(place, event) {
    const id = nameOf(place);
    switch (event.type) {
      case "message":
        return this.#said(place, event.message);
      case "message_edited":
        this.rooms.edited(id, event.message);
        return this.#conversations.get(place)?.edited(event.message);
      case "message_deleted":
        this.rooms.edited(id, { id: event.message.id, isDeleted: true });
        return this.#conversations.get(place)?.deleted(event.message.id);
      case "room_updated":
        return this.rooms.updated(event.room);
      case "room_deleted":
        return this.rooms.left(id, `${event.by ?? "Somebody"} deleted the room.`);
      case "typing":
        return this.#typing(place, event.username);
      case "member_added":
      case "member_removed":
        return this.emit("members", place);
    }
  }

  #hearOwn(event) {
    const isPast = !this.#wasReady && this.connection.status.state !== "connected";
    if (event.type === "direct_message") this.#heardDirect(event.message);
    else if (event.type === "message_edited") this.#directEdited(event.message);
    else if (event.type === "message_deleted") this.#directDeleted(event.message.id);
    else if (event.type === "read") this.#read(event);
    else if (event.type === "typing") this.#typing(userPlace(event.username), event.username);
    else if (isPast)
      return; // the lists that are loaded know it
    else if (event.type === "room_added") this.#entered(event);
    else if (event.type === "room_removed") this.#left(event);
  }

  #heardDirect(message) {
    const place = placeOfDirect(message, this.me.username);
    if (place) this.#said(place, message);
  }

  #directEdited(message) {
    const place = placeOfDirect(message, this.me.username);
    this.#conversations.get(place)?.edited(message);
    this.directs.edited(message);
  }

  /** All direct messages are in one log, so an id is that of one. */
  #directDeleted(id) {
    for (const [place, conversation] of this.#conversations) if (!isRoom(place)) conversation.deleted(id);
    this.directs.edited({ id, isDeleted: true });
  }

  #said(place, message) {
    if (message.sender === this.me.username) this.outbox.heard(place, message.text);
    else this.typing.stopped(place, message.sender);
    if (isRoom(place)) this.rooms.said(nameOf(place), message);
    else this.directs.said(message);
    this.#conversations.get(place)?.heard(message);
  }

  #read({ room, user, read, unread }) {
    if (room !== undefined) this.rooms.read(room, read, unread);
    else this.directs.read(user, read);
  }

  #typing(place, name) {
    if (name !== this.me.username) this.typing.heard(place, name);
  }

  #entered({ room, at }) {
    this.connection.entered(at);
    this.rooms.entered(room);
  }

  #left({ room, by }) {
    this.connection.left(roomPlace(room.roomId));
    this.#conversations.delete(roomPlace(room.roomId));
    this.rooms.left(room.roomId, by === this.me.username ? "" : `${by ?? "Somebody"} took you out of the room.`);
  }
}
