/**
 * Lobby tables, in order: the list as loaded, and every change since. Tells of `changed`.
 *
 * The list is asked for after the topic is heard, so an event may tell what it has already; each can be applied twice.
 */

import { Emitter } from "./emitter.js";

const BEGINNING = -1;
const PATIENCE = 5; // attempts to put a table back that was taken out to be moved
const PAUSE = 1000;

export class Tables extends Emitter {
  all = [];
  isLoaded = false;

  constructor(api) {
    super();
    this.api = api;
  }

  async load() {
    this.all = (await this.api.request("GET", "/lobby_api/tables")).tables;
    this.isLoaded = true;
    this.emit("changed");
  }

  heard(event) {
    if (!this.isLoaded) return;
    if (event.type === "table_added") this.#added(event);
    if (event.type === "table_updated") this.#replace(event.table);
    if (event.type === "table_removed") this.all = this.all.filter(({ id }) => id !== event.id);
    this.emit("changed");
  }

  #added({ after_id, table }) {
    if (this.#replace(table)) return;
    const place = after_id === BEGINNING ? 0 : this.all.findIndex(({ id }) => id === after_id) + 1;
    if (place === 0 && after_id !== BEGINNING) this.load().catch(() => {});
    else this.all = this.all.toSpliced(place, 0, table);
  }

  #replace(table) {
    const isThere = this.all.some(({ id }) => id === table.id);
    this.all = this.all.map((known) => (known.id === table.id ? table : known));
    return isThere;
  }

  // What admins do. Each raises `ApiError`; what is done is heard as an event.

  async add(table) {
    try {
      await this.api.request("POST", "/lobby_api/tables", { table }, crypto.randomUUID());
    } catch (error) {
      throw Object.assign(error, { fields: error.fields?.table });
    }
  }

  change = (id, change) => this.api.request("PATCH", `/lobby_api/tables/${id}`, change);
  remove = (id) => this.api.request("DELETE", `/lobby_api/tables/${id}`);

  /** Move a table up (-1) or down (1). No route moves one, so it is taken out and put in again under its id. */
  async move(id, by) {
    const from = this.all.findIndex((table) => table.id === id);
    const [table, others] = [this.all[from], this.all.toSpliced(from, 1)];
    const before = others[from + by - 1];
    await this.remove(id);
    await this.#putBack({ after_id: before?.id ?? BEGINNING, table });
  }

  async #putBack(addition) {
    const key = crypto.randomUUID();
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.api.request("POST", "/lobby_api/tables", addition, key);
      } catch (error) {
        if (error.code === "after_id_not_found") return this.#putBack({ table: addition.table });
        const isFinal = attempt === PATIENCE || (error.status && error.status < 429);
        if (isFinal)
          throw new Error(`“${addition.table.name}” was taken out and could not be put back: ${error.message}`);
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
      }
    }
  }
}
