/** Who is in the lobby: while we look into it, a socket to the lobby chat lets us in and names the others. */

import { Emitter } from "./emitter.js";

const PAUSE = 3000; // before going in again after this socket alone broke

export class Guests extends Emitter {
  #socket = null;
  #isWanted = false;
  names = new Set();

  constructor(connection) {
    super();
    this.connection = connection;
    connection.on("ready", () => this.#isWanted && this.enter());
  }

  /** Go in; after the socket broke, again when the gateway is back. */
  enter() {
    this.#isWanted = true;
    if (this.#socket || !this.connection.isReady) return;
    const address = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/join`;
    const socket = new WebSocket(address, ["foyer.v1"]);
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#hear(JSON.parse(data));
    socket.onclose = () => this.#forget(socket);
  }

  leave() {
    this.#isWanted = false;
    this.#socket?.close();
    this.#forget(this.#socket);
  }

  #hear({ type, msg }) {
    if (type === "users_online") this.names = new Set(msg.list);
    else if (type === "user_joined") this.names.add(msg.username);
    else if (type === "user_left") this.names.delete(msg.username);
    else return;
    this.emit("changed");
  }

  #forget(socket) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    this.names = new Set();
    this.emit("changed");
    setTimeout(() => this.#isWanted && this.enter(), PAUSE);
  }
}
