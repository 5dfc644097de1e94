/**
 * Where this client stands in each topic's log, and whether an event is the next one.
 *
 * Offsets rise by one. While a topic is resumed, what comes ahead of its turn waits until what was missed has come;
 * what was heard before is dropped. So each event is handed on once, in order, and what can't be had is known as a gap.
 */
export class Positions {
  #topics = new Map();

  has = (topic) => this.#topics.has(topic);
  forget = (topic) => this.#topics.delete(topic);
  clear = () => this.#topics.clear();
  names = () => [...this.#topics.keys()];

  /** As `resume` wants it. */
  at(topic) {
    const { offset, epoch } = this.#topics.get(topic);
    return { topic, offset, epoch };
  }

  /** Stand at a place that the server named, unless events beyond it were heard already. */
  begin({ topic, offset, epoch }) {
    const known = this.#topics.get(topic);
    if (known && (known.epoch === epoch || known.epoch === "")) {
      known.epoch = epoch;
      known.offset = Math.max(known.offset, offset);
    } else {
      this.#topics.set(topic, { offset, epoch, waiting: null });
    }
  }

  /** From here until `release`, events that come ahead of their turn wait. */
  hold(topic) {
    this.#topics.get(topic).waiting ??= new Map();
  }

  /** Stop waiting. Returns what was kept, in order; the position is at `offset`, or beyond it, from now on. */
  release(topic, { offset, epoch } = {}) {
    const known = this.#topics.get(topic);
    if (!known?.waiting) return [];
    const kept = [...known.waiting.values()].filter((event) => offset === undefined || event.offset > offset);
    Object.assign(known, { waiting: null, offset: kept.at(-1)?.offset ?? offset ?? known.offset });
    if (epoch) known.epoch = epoch;
    return kept.sort((one, other) => one.offset - other.offset);
  }

  /** Forget what waits, but not where we stand: the socket is gone, and what waits will be given again. */
  abandon(topic) {
    this.#topics.get(topic).waiting = null;
  }

  /** Where `event` belongs: the events that are due now, and whether some before them are missing. */
  take(event) {
    const known = this.#topics.get(event.topic);
    if (!known) {
      this.#topics.set(event.topic, { offset: event.offset, epoch: "", waiting: null });
      return { due: [event], gap: false };
    }
    if (event.offset <= known.offset) return { due: [], gap: false };
    const isNext = event.offset === known.offset + 1;
    if (!isNext && known.waiting) {
      known.waiting.set(event.offset, event);
      return { due: [], gap: false };
    }
    const due = [event];
    for (let after = event.offset + 1; known.waiting?.has(after); after += 1) {
      due.push(known.waiting.get(after));
      known.waiting.delete(after);
    }
    known.offset = due.at(-1).offset;
    return { due, gap: !isNext };
  }
}
