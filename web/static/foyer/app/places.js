/** A place is where people talk: `room:12`, `room:lobby`, `user:ann`. A room's place is its topic's name, too. */

export const LOBBY = "room:lobby";
export const roomPlace = (id) => `room:${id}`;
export const userPlace = (name) => `user:${name}`;
export const isRoom = (place) => place.startsWith("room:");

/** What follows the prefix: a room's id, or a username. */
export const nameOf = (place) => place.slice(5);

/** How the gateway's commands name a place. */
export const fieldsOf = (place) => (isRoom(place) ? { room: nameOf(place) } : { user: nameOf(place) });

/** The place's address in the client. */
export function addressOf(place) {
  return place === LOBBY ? "#/lobby" : `#/${isRoom(place) ? "room" : "user"}/${encodeURIComponent(nameOf(place))}`;
}

/** Where a message is, as search finds them. */
export const placeOf = (message, me) => (message.roomId ? roomPlace(message.roomId) : placeOfDirect(message, me));

/** The address of a message in the history of its place. */
export const addressOfMessage = (place, id) => `${addressOf(place)}/message/${id}`;

/** The place of a direct message, as `me` sees it; null where whoever wrote it is gone. */
export function placeOfDirect(message, me) {
  const other = message.sender === me ? message.to : message.sender;
  return other === null ? null : userPlace(other);
}
