/**
 * The gateway: one socket that is opened again whenever it breaks, and goes on where it was.
 *
 * Tells of `status` ({state, until, reason, isDoubtful}), `event` (each once and in order), `lost` (topics of which something may
 * be missing: load them anew), `ready` (all that is followed is heard, commands are taken) and `ended` (it won't be
 * opened again; why).
 * States: connecting, catching up, connected, waiting (to reconnect), ended. Connected is doubtful while an answer is
 * overdue, or the browser says that there is no network.
 */

import { comesBack, pauseAfter } from "./backoff.js";
import { Emitter } from "./emitter.js";
import { inOwnTime } from "./format.js";
import { Positions } from "./positions.js";

const OPEN_WITHIN = 15_000;
const ANSWER_WITHIN = 10_000;
const ANSWER_OFFLINE_WITHIN = 3000; // once the browser says that there is no network, which it may be wrong about
const DOUBT_AFTER = 2000;
const CATCH_UP_WITHIN = 20_000;
const RESUMED_AT_ONCE = 300; // topics in one frame, which may have 64 KiB
const ARE_WE_IN = "are we in"; // a socket whose cookie is no good is left to sign in by a frame

/** A command that the server refused, or that was lost with the socket (`code` is `disconnected`). */
export class CommandError extends Error {
  constructor({ code, detail, fields }) {
    super(inOwnTime(detail));
    Object.assign(this, { code, fields });
  }
}

const DISCONNECTED = { code: "disconnected", detail: "There is no connection at this moment." };

export class Connection extends Emitter {
  #past;
  #socket = null;
  #attempts = 0;
  #serial = 0;
  #answers = new Map();
  #positions = new Positions();
  #followed = new Set();
  #portions; // of a welcome that is not whole yet
  #awaited = new Map(); // topic -> the offset up to which it is being resumed
  #lost = [];
  #timers = {};
  #status = { state: "connecting" };

  /** `past` says of how many events before now we want to hear when a topic is new to us, by the topic's prefix. */
  constructor(past = {}) {
    super();
    this.#past = past;
  }

  get status() {
    return this.#status;
  }

  get isReady() {
    return this.#status.state === "connected";
  }

  /** Open the socket, at once also if it was waiting to. */
  open() {
    if (this.#socket || this.#status.state === "ended") return;
    this.#stopTimers();
    this.#tell({ state: "connecting" });
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/ws`, ["foyer.v1"]); // with the browser's cookie
    this.#socket = socket;
    socket.onopen = () => this.#send({ id: ARE_WE_IN, type: "resume", topics: [] });
    socket.onmessage = ({ data }) => this.#hear(JSON.parse(data));
    socket.onclose = ({ code, reason }) => this.#closed(code, reason);
    this.#after("open", OPEN_WITHIN, () => this.#drop());
  }

  /** Close it for good. */
  close() {
    this.#detach();
    this.#stopTimers();
    this.#tell({ state: "ended" });
  }

  /** Ask whether the other end still hears; if not, reconnect. For when a computer wakes or a network changes. */
  probe() {
    if (this.#status.state === "waiting") this.open();
    else if (this.#status.state === "connected") this.#ping();
  }

  /** The browser says that there is no network: believe it unless the server answers soon. */
  doubt() {
    if (!this.isReady) return;
    this.#tell({ state: "connected", isDoubtful: true });
    this.#clear("silence");
    this.#ping(ANSWER_OFFLINE_WITHIN);
  }

  /** Send a command. Resolves with the result; rejects with `CommandError`. */
  request(type, fields = {}) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return Promise.reject(new CommandError(DISCONNECTED));
    this.#serial += 1;
    const id = this.#serial;
    return new Promise((resolve, reject) => {
      this.#answers.set(id, { resolve, reject });
      this.#send({ id, type, ...fields });
      this.#expectAnswer(ANSWER_WITHIN);
    });
  }

  /** Send a command to which no answer is wanted, if that is possible now. */
  mention(type, fields) {
    if (this.isReady) this.#send({ type, ...fields });
  }

  /** Hear a topic from now on, also after reconnecting. What fails is tried again after reconnecting. */
  async follow(topic) {
    this.#followed.add(topic);
    const place = await this.request("subscribe", { topic });
    if (this.#isBehind(place)) await this.#catchUp([topic]);
  }

  /** Hear it no longer. */
  unfollow(topic) {
    this.#followed.delete(topic);
    this.#positions.forget(topic);
    this.mention("unsubscribe", { topic });
  }

  /** The server let us into a topic at `place`; from there on we hear it. */
  entered(place) {
    this.#positions.begin(place);
  }

  /** We hear a topic no longer. */
  left(topic) {
    if (!this.#followed.has(topic)) this.#positions.forget(topic);
  }

  #send(frame) {
    this.#socket.send(JSON.stringify(frame));
  }

  #tell(status) {
    this.#status = status;
    this.emit("status", status);
  }

  // Frames

  #hear(frame) {
    this.#clear("silence");
    this.#clear("doubt");
    if (this.#status.isDoubtful) this.#tell({ state: "connected" });
    if (frame.type === "welcome" || frame.type === "welcome_topics") this.#gather(frame);
    else if (this.#portions) this.#portions.early.push(frame);
    else if (frame.type === "reply" || frame.type === "error") this.#answered(frame);
    else if (frame.offset !== undefined) this.#take(frame);
    else if (frame.type !== "pong") this.emit("event", frame);
  }

  #answered({ id, type, result, ...error }) {
    if (id === ARE_WE_IN && error.code === "not_authenticated") return this.#closed(4401, "the session has ended");
    const answer = this.#answers.get(id);
    this.#answers.delete(id);
    if (type === "reply") answer?.resolve(result);
    else answer?.reject(new CommandError(error));
  }

  #take(event) {
    const { due, gap } = this.#positions.take(event);
    if (gap) this.emit("lost", [event.topic]);
    for (const next of due) this.emit("event", next);
    if (this.#awaited.get(event.topic) <= (due.at(-1)?.offset ?? -1)) this.#caughtUp(event.topic);
  }

  // Beginning, and coming back

  /** Who is in very many rooms is told where they stand in portions. What happens between those waits for the last. */
  #gather({ heartbeat, topics, more }) {
    const portions = heartbeat ? { heartbeat, topics, early: [] } : this.#portions;
    if (!heartbeat) portions.topics.push(...topics);
    this.#portions = more ? portions : undefined;
    if (more) return;
    this.#welcomed(portions);
    for (const frame of portions.early) this.#hear(frame);
  }

  async #welcomed({ heartbeat, topics }) {
    this.#clear("open");
    this.#after("beat", heartbeat * 1000, () => this.#beat(heartbeat * 1000));
    const socket = this.#socket;
    const missed = this.#compare(topics);
    if (missed.length) {
      this.#tell({ state: "catching up" });
      await this.#catchUp(missed).catch(() => socket === this.#socket && this.#giveUp());
    }
    if (socket === this.#socket && !this.#awaited.size) this.#finish();
  }

  /** Take over where topics stand; returns those of which we missed something, or that we have to ask for anew. */
  #compare(topics) {
    const heard = new Map(topics.map((place) => [place.topic, place]));
    for (const topic of this.#positions.names()) {
      if (!heard.has(topic) && !this.#followed.has(topic)) this.#positions.forget(topic);
    }
    const missed = this.#positions.names().filter((topic) => {
      const [then, now] = [this.#positions.at(topic), heard.get(topic)];
      return !now || now.offset !== then.offset || now.epoch !== then.epoch;
    });
    const isNew = topics.filter(({ topic }) => !this.#positions.has(topic));
    return [...missed, ...isNew.filter((place) => this.#isBehind(place)).map(({ topic }) => topic)];
  }

  /** Begin a topic, unless we stand in it already; whether there is something of its past that we want to hear. */
  #isBehind(place) {
    const past = this.#positions.has(place.topic) ? 0 : (this.#past[place.topic.split(":")[0]] ?? 0);
    const offset = Math.max(0, place.offset - past);
    this.#positions.begin({ ...place, offset });
    return past > 0 && offset < place.offset;
  }

  async #catchUp(topics) {
    this.#after("catching up", CATCH_UP_WITHIN, () => this.#giveUp());
    for (const topic of topics) {
      this.#positions.hold(topic);
      this.#awaited.set(topic, Infinity);
    }
    for (let first = 0; first < topics.length; first += RESUMED_AT_ONCE) {
      const some = topics.slice(first, first + RESUMED_AT_ONCE);
      const answer = await this.request("resume", { topics: some.map((topic) => this.#positions.at(topic)) });
      answer.topics.forEach((place) => this.#resumed(place));
    }
  }

  #resumed({ topic, recovered, offset, epoch }) {
    if (!recovered) {
      this.#lost.push(topic);
      if (epoch) this.#caughtUp(topic, { offset, epoch });
      else this.#gone(topic);
    } else if (this.#positions.at(topic).offset >= offset) {
      this.#caughtUp(topic);
    } else {
      this.#awaited.set(topic, offset);
    }
  }

  #caughtUp(topic, place) {
    this.#awaited.delete(topic);
    for (const event of this.#positions.release(topic, place)) this.emit("event", event);
    if (!this.#awaited.size) this.#finish();
  }

  #gone(topic) {
    this.#followed.delete(topic);
    this.#positions.forget(topic);
    this.#awaited.delete(topic);
    if (!this.#awaited.size) this.#finish();
  }

  /** What was promised did not come: go on with what there is, and say so. */
  #giveUp() {
    for (const topic of [...this.#awaited.keys()]) {
      this.#lost.push(topic);
      this.#caughtUp(topic);
    }
  }

  async #finish() {
    this.#clear("catching up");
    const lost = this.#lost.splice(0);
    if (lost.length) this.emit("lost", lost);
    if (this.#status.state === "connected") return;
    this.#attempts = 0;
    this.#tell({ state: "connected" });
    const isNew = [...this.#followed].filter((topic) => !this.#positions.has(topic));
    await Promise.allSettled(isNew.map((topic) => this.follow(topic)));
    if (this.isReady) this.emit("ready");
  }

  // Ending, and waiting to begin again

  #closed(code, reason) {
    this.#detach();
    this.#stopTimers();
    if (!comesBack(code)) {
      this.#tell({ state: "ended", reason });
      this.emit("ended", { code, reason });
      return;
    }
    if (code === 4400) this.#positions.clear();
    const pause = pauseAfter(code, this.#attempts);
    this.#attempts += 1;
    this.#tell({ state: "waiting", until: Date.now() + pause, reason });
    this.#after("again", pause, () => this.open());
  }

  #drop() {
    this.#closed(1006, "no answer");
  }

  #detach() {
    const socket = this.#socket;
    this.#socket = null;
    this.#awaited.clear();
    for (const topic of this.#positions.names()) this.#positions.abandon(topic);
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
    const answers = [...this.#answers.values()];
    this.#answers.clear();
    for (const { reject } of answers) reject(new CommandError(DISCONNECTED));
  }

  #beat(every) {
    this.#ping();
    this.#after("beat", every, () => this.#beat(every));
  }

  #ping(within = ANSWER_WITHIN) {
    this.#serial += 1;
    if (this.#socket?.readyState === WebSocket.OPEN) this.#send({ type: "ping", seq: this.#serial });
    this.#expectAnswer(within);
  }

  /** Anything that comes within a while will do for an answer. */
  #expectAnswer(within) {
    if (!this.#timers.silence) this.#after("silence", within, () => this.#drop());
    if (!this.#timers.doubt)
      this.#after("doubt", DOUBT_AFTER, () => this.isReady && this.#tell({ state: "connected", isDoubtful: true }));
  }

  // Timers, each by its name

  #after(name, milliseconds, run) {
    this.#clear(name);
    this.#timers[name] = setTimeout(() => {
      delete this.#timers[name];
      run();
    }, milliseconds);
  }

  #clear(name) {
    clearTimeout(this.#timers[name]);
    delete this.#timers[name];
  }

  #stopTimers() {
    Object.keys(this.#timers).forEach((name) => this.#clear(name));
  }
}
