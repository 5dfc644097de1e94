/**
 * Which part of the client the address shows: `#/` the lists, `#/lobby`, `#/tables`, `#/room/12`, `#/user/ann`,
 * `#/room/12/message/34` for the history around a message, `#/room/12/order`, `#/reports`, `#/search?q=words`.
 */

import { LOBBY, isRoom, roomPlace, userPlace } from "./places.js";

export function route(hash = location.hash) {
  const [path, query = ""] = hash.replace(/^#\//, "").split("?");
  const [kind, ...rest] = path.split("/").map(decoded);
  if (kind === "tables") return { view: "tables" };
  if (kind === "reports") return { view: "reports", asked: new URLSearchParams(query) };
  if (kind === "search") return { view: "search", asked: new URLSearchParams(query) };
  if (kind === "lobby") return placeView(LOBBY, rest);
  const [name, ...further] = rest;
  if (kind === "room" && name) return placeView(roomPlace(name), further);
  if (kind === "user" && name) return placeView(userPlace(name), further);
  return { view: "home" };
}

function placeView(place, [part, id]) {
  if (part === "order" && isRoom(place)) return { view: "order", place };
  return { view: "place", place, sought: part === "message" && /^\d{1,15}$/.test(id) ? Number(id) : null };
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
