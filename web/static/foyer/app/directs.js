/**
 * Those we exchange direct messages with, and what of theirs is unread. Tells of `changed`.
 *
 * No route lists them, so they are put together from what was sent to us and from our own topic's recent past.
 */

import { Emitter } from "./emitter.js";
import { nameOf, placeOfDirect } from "./places.js";

const RECEIVED = 500; // messages to look through
const ASKED_AT_ONCE = 50; // people about whose messages we ask how far they are read

export class Directs extends Emitter {
  #people = new Map();

  constructor(api, connection, me) {
    super();
    Object.assign(this, { api, connection, me });
  }

  /** Everyone, the most recent first: `name`, `last` message or null, `unread`. */
  get all() {
    const when = (person) => person.last?.sent_at ?? "9";
    return [...this.#people.values()]
      .map((person) => ({ ...person, unread: person.received.filter((id) => id > person.read).length }))
      .sort((one, other) => when(other).localeCompare(when(one)));
  }

  async load() {
    const received = await this.api.request("GET", `/messages?limit=${RECEIVED}`);
    for (const message of received) this.#note(message);
    this.emit("changed");
    for (const { name } of this.all.filter(({ unread }) => unread).slice(0, ASKED_AT_ONCE)) {
      const { read } = await this.connection.request("read", { user: name, offset: 0 }).catch(() => ({ read: 0 }));
      this.read(name, read);
    }
  }

  /** List somebody, also before anything is said. */
  open(name) {
    this.#person(name);
    this.emit("changed");
  }

  said(message) {
    this.#note(message);
    this.emit("changed");
  }

  /** What is shown of a message changed; one that was deleted is not unread any more. */
  edited(message) {
    for (const person of this.#people.values()) {
      if (person.last?.id === message.id) person.last = { ...person.last, ...message };
      if (message.isDeleted) person.received = person.received.filter((id) => id !== message.id);
    }
    this.emit("changed");
  }

  read(name, offset) {
    const person = this.#person(name);
    person.read = Math.max(person.read, offset);
    person.received = person.received.filter((id) => id > person.read);
    this.emit("changed");
  }

  #note(message) {
    const place = placeOfDirect(message, this.me.username);
    if (!place) return;
    const person = this.#person(nameOf(place));
    if (message.id > (person.last?.id ?? 0)) person.last = message;
    if (message.sender !== this.me.username && !person.received.includes(message.id)) person.received.push(message.id);
  }

  #person(name) {
    if (!this.#people.has(name)) this.#people.set(name, { name, last: null, read: 0, received: [] });
    return this.#people.get(name);
  }
}
