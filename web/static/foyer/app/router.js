/** Which part of the client the address shows: `#/` the lists, `#/lobby`, `#/tables`, `#/room/12`, `#/user/ann`. */

import { LOBBY, roomPlace, userPlace } from "./places.js";

export function route(hash = location.hash) {
  const [, kind, name] = /^#\/(\w+)(?:\/(.+))?$/.exec(hash) ?? [];
  if (kind === "lobby") return { view: "place", place: LOBBY };
  if (kind === "tables") return { view: "tables" };
  if (kind === "room" && name) return { view: "place", place: roomPlace(decoded(name)) };
  if (kind === "user" && name) return { view: "place", place: userPlace(decoded(name)) };
  return { view: "home" };
}

export function go(address) {
  location.hash = address;
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
