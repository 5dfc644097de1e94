/** Who is in a room and who of them is online; members add and remove people. */

import { el, eachFrame, iconButton, sync, unseen } from "../dom.js";
import { nameOf } from "../places.js";
import { makeAvatar } from "./avatar.js";
import { field, form } from "./forms.js";

const SHOWN = 200;
const GATHER = 300;

const faceAndName = (username) => [
  el("span", { class: "presence" }, makeAvatar(username)),
  el("a", { class: "name", href: `#/user/${encodeURIComponent(username)}` }, username),
];

/** `told(members)` is called with the members whenever they were loaded. */
export function makeMembers({ client, place, told, failed }) {
  const id = nameOf(place);
  const heading = el("h2", {}, "Members");
  const list = el("ul", { class: "people" });
  const rest = el("p", { class: "quiet" });
  const name = field({
    label: "Add somebody",
    name: "username",
    placeholder: "Username",
    maxlength: 64,
    autocomplete: "off",
    autocapitalize: "none",
    spellcheck: "false",
  });
  const add = form({
    fields: { username: name },
    action: "Add",
    submit: async () => {
      await client.api.request("POST", `/room/${id}/members`, { username: name.input.value.trim() });
      name.input.value = "";
    },
  });
  const element = el("div", { class: "panel-content" }, heading, list, rest, add);
  let members = [];
  let timer = null;

  const render = eachFrame(() => {
    const isOnline = ({ username }) => client.online.has(username) === true;
    const sorted = [...members].sort(
      (one, other) => isOnline(other) - isOnline(one) || one.username.localeCompare(other.username),
    );
    const mayRemove = client.me.isAdmin || client.rooms.isMember(id);
    heading.textContent = `Members (${members.length})`;
    add.hidden = !mayRemove;
    rest.textContent = members.length > SHOWN ? `and ${members.length - SHOWN} more` : "";
    sync(
      list,
      sorted.slice(0, SHOWN),
      ({ username }) => username,
      person,
      (item, { username }) => {
        item.classList.toggle("is-online", isOnline({ username }));
        item.querySelector(".state").textContent = isOnline({ username }) ? "online" : "offline";
        const button = item.querySelector("button");
        button.hidden = !mayRemove;
        button.classList.toggle("invisible", username === client.me.username);
      },
    );
  });

  function person({ username }) {
    const remove = async () => {
      await client.api.request("DELETE", `/room/${id}/members/${encodeURIComponent(username)}`).catch(failed);
    };
    return el(
      "li",
      { class: "person" },
      ...faceAndName(username),
      el("span", { class: "state" }),
      iconButton("close", `Remove ${username}`, remove),
    );
  }

  async function load() {
    timer = null;
    try {
      members = await client.api.request("GET", `/room/${id}/members`);
      client.online.learn(members);
      told(members);
      render();
    } catch (error) {
      if (error.status !== 404) failed(error);
    }
  }
  const soon = () => (timer ??= setTimeout(load, GATHER));

  const stops = [
    client.on("members", (where) => where === place && soon()),
    client.on("reloaded", soon),
    client.online.on("changed", () => {
      told(members);
      render();
    }),
    client.rooms.on("changed", render),
  ];
  load();
  return {
    element,
    stop: () => {
      clearTimeout(timer);
      stops.forEach((stop) => stop());
    },
  };
}

/** Who looks into the lobby at this moment. */
export function makeGuests({ client }) {
  const heading = el("h2", {}, "In the lobby");
  const list = el("ul", { class: "people" });
  const element = el("div", { class: "panel-content" }, heading, list);
  const render = eachFrame(() => {
    const names = [...client.guests.names].sort((one, other) => one.localeCompare(other));
    heading.textContent = `In the lobby (${names.length})`;
    sync(
      list,
      names,
      (name) => name,
      (name) =>
        el(
          "li",
          { class: "person is-online" },
          ...faceAndName(name),
          unseen("online"),
        ),
      () => {},
    );
  });
  const stop = client.guests.on("changed", render);
  client.guests.enter();
  render();
  return {
    element,
    stop: () => {
      stop();
      client.guests.leave();
    },
  };
}
