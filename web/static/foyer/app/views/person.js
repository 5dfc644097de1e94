/** What may be done about somebody: writing to them, keeping order in a room, blocking them. */

import { go } from "../router.js";
import { addressOf, isRoom, nameOf, userPlace } from "../places.js";
import { confirm } from "./dialogs.js";

/** The choices of a person's menu, at a place; `muted` says whether they are known to be muted in that room. */
export function choicesAbout({ client, place, notices }, username, isMuted = false) {
  const { roles, api, me } = client;
  const id = isRoom(place) ? nameOf(place) : null;
  const failed = (error) => notices.show(error.message, "error");
  const may = (what) => id !== null && roles.may(what, id, username);
  const role = id !== null && roles.of(id, username);
  const isIn = role === "member" || role === "moderator";
  const path = (what) => `/room/${encodeURIComponent(id)}/${what}/${encodeURIComponent(username)}`;
  const order = async (make) => {
    const dialogs = await import("../pages/dialogs.js").catch(failed);
    dialogs?.[make]({ client, id, notices }, username);
  };

  async function setRole(wanted) {
    try {
      await api.request("PATCH", path("members"), { role: wanted });
      notices.show(
        wanted === "moderator" ? `${username} is a moderator now.` : `${username} is no moderator any more.`,
      );
    } catch (error) {
      failed(error);
    }
  }

  function remove() {
    const { name: room, members_only: isClosed } = client.rooms.get(id);
    const after = isClosed ? "They will neither see the room nor read it." : "They may join again.";
    confirm(`Remove ${username} from “${room}”?`, after, "Remove", async () => {
      await api.request("DELETE", path("members"));
      notices.show(`${username} was removed.`, "", {
        label: "Undo",
        act: () => api.request("POST", `/room/${encodeURIComponent(id)}/members`, { username }).catch(failed),
      });
    });
  }

  const unmute = () =>
    api.request("DELETE", path("mutes")).then(() => notices.show(`${username} may write again.`), failed);

  async function toggleBlock() {
    const isBlocked = client.blocks.has(username);
    try {
      await (isBlocked ? client.blocks.unblock(username) : client.blocks.block(username));
      notices.show(isBlocked ? `${username} may write to you again.` : `${username} can't write to you any more.`);
    } catch (error) {
      failed(error);
    }
  }

  if (username === me.username) return [];
  return [
    place !== userPlace(username) && { label: "Write to them", act: () => go(addressOf(userPlace(username))) },
    { label: client.blocks.has(username) ? "Unblock" : "Block", act: toggleBlock },
    may("set_role") && role === "member" && { label: "Make moderator", act: () => setRole("moderator") },
    may("set_role") && role === "moderator" && { label: "Take moderator away", act: () => setRole("member") },
    may("mute") && isMuted && { label: "Unmute", act: unmute },
    may("mute") && { label: isMuted ? "Change the mute…" : "Mute…", act: () => order("mute") },
    may("ban") && { label: "Ban…", isGrave: true, act: () => order("ban") },
    may("remove_member") && isIn && { label: "Remove from the room…", isGrave: true, act: remove },
  ];
}
