/**
 * Everything a signed-in user has: the parts, and which of them an event concerns.
 *
 * Tells of `members` (with a place whose members changed), and of `reloaded` when something may be missing.
 */

import { Blocks } from "./blocks.js";
import { Connection } from "./connection.js";
import { Conversation } from "./conversation.js";
import { Directs } from "./directs.js";
import { Emitter } from "./emitter.js";
import { reasonOf, untilOf } from "./format.js";
import { Guests } from "./guests.js";
import { Notices } from "./notices.js";
import { Online } from "./online.js";
import { Outbox } from "./outbox.js";
import { LOBBY, isRoom, nameOf, placeOfDirect, roomPlace, userPlace } from "./places.js";
import { Reading } from "./reading.js";
import { Roles } from "./roles.js";
import { Rooms } from "./rooms.js";
import { Standing } from "./standing.js";
import { Tables } from "./tables.js";
import { Typing } from "./typing.js";

/** How many past events we want to hear at first: our own for conversations, comings and goings for who is online. */
const PAST = { user: 200, online: 300 };
const PAGE = 50; // messages
const ROOM_TELLS_WITHIN = 500;
const FOLLOWED = [LOBBY, "tables", "online"];

export class Client extends Emitter {
  #conversations = new Map();
  #leaving = new Map(); // room -> timer
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
    this.roles = new Roles(this.rooms, this.me);
    this.standing = new Standing();
    this.directs = new Directs(api, this.connection, this.me);
    this.online = new Online();
    this.guests = new Guests(this.connection);
    this.tables = new Tables(api);
    this.blocks = new Blocks(api);
    this.notices = new Notices(api, this.me.username);
    this.typing = new Typing(this.connection, (place, error) => this.standing.refused(place, error));
    this.reading = new Reading(this.connection);
    this.outbox = new Outbox(this.connection, this.me.username, {
      stored: (place, message) => {
        this.standing.accepted(place);
        this.#said(place, message);
      },
      refused: (place, error) => this.standing.refused(place, error),
    });
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
    this.#load("notices", "blocks");
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
    if (topics.some(isRoom)) this.standing.clear();
    if (messages) this.emit("reloaded");
  }

  // Events

  #hear(event) {
    if (event.type === "notice") return this.notices.heard(event);
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
      default:
        return this.#hearOfMember(place, event);
    }
  }

  /** Members came and went, or somebody keeps order: with others, or with us. */
  #hearOfMember(place, event) {
    const isAboutUs = event.username === this.me.username;
    const [id, by] = [nameOf(place), event.by ?? "Somebody"];
    const room = this.rooms.get(id) ? `“${this.rooms.get(id).name}”` : "a room";
    if (event.type === "member_updated") this.roles.heard(id, event);
    else if (event.type === "member_added") this.roles.heard(id, { ...event, role: "member" });
    else if (event.type !== "member_muted" && event.type !== "member_unmuted")
      this.roles.heard(id, { ...event, role: "stranger" });
    if (isAboutUs && event.type === "member_muted") this.standing.muted(place, event);
    else if (isAboutUs && event.type === "member_unmuted") this.standing.unmuted(place);
    else if (isAboutUs && event.type === "member_banned")
      this.#out(id, `${by} banned you from ${room} ${untilOf(event.until)}${reasonOf(event)}.`);
    else if (isAboutUs && event.type === "member_removed") this.#out(id, this.#whyOut(event));
    else if (isAboutUs && event.type === "member_updated")
      this.emit("told", `${by} made you ${event.role === "moderator" ? "a moderator" : "a plain member"} of ${room}.`);
    this.emit("members", place);
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
    if (message.sender === this.me.username) this.#saidOurselves(place, message);
    else this.typing.stopped(place, message.sender);
    if (isRoom(place)) this.rooms.said(nameOf(place), message);
    else this.directs.said(message);
    this.#conversations.get(place)?.heard(message);
  }

  #saidOurselves(place, { text, sent_at: at }) {
    this.outbox.heard(place, text);
    const slow = isRoom(place) && this.rooms.get(nameOf(place))?.slow_mode;
    const isRecent = Date.now() - Date.parse(at) < slow * 1000;
    if (slow && isRecent && !this.roles.may("slow_mode", nameOf(place))) this.standing.posted(place, slow);
  }

  #read({ room, user, read, unread }) {
    if (room !== undefined) this.rooms.read(room, read, unread);
    else this.directs.read(user, read);
  }

  #typing(place, name) {
    if (name !== this.me.username) this.typing.heard(place, name);
  }

  #entered({ room, at }) {
    this.#stays(room.roomId);
    this.connection.entered(at);
    this.rooms.entered(room);
  }

  /** The room's own topic tells more of it, such as a ban, and may do so a little later. */
  #left({ room: { roomId: id }, by }) {
    this.connection.left(roomPlace(id));
    const leave = () => this.#out(id, this.#whyOut({ by }));
    this.#leaving.set(id, setTimeout(leave, by === this.me.username ? 0 : ROOM_TELLS_WITHIN));
  }

  #stays(id) {
    clearTimeout(this.#leaving.get(id));
    this.#leaving.delete(id);
  }

  #whyOut = ({ by }) => (by === this.me.username ? "" : `${by ?? "Somebody"} took you out of the room.`);

  #out(id, why) {
    this.#stays(id);
    this.#conversations.delete(roomPlace(id));
    this.rooms.left(id, why);
  }
}
