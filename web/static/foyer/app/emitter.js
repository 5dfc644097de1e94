/** Says to those who listen that something happened. */
export class Emitter {
  #listeners = new Map();

  /** Call `listener` whenever `name` is told of. Returns what stops that. */
  on(name, listener) {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  emit(name, told) {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) listener(told);
  }
}
