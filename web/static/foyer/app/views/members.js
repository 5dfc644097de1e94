/** Who is in a room and who of them is online; members add and remove people. */

import { el, eachFrame, iconButton, sync, unseen } from "../dom.js";
import { nameOf } from "../places.js";
import { makeAvatar } from "./avatar.js";
import { confirm } from "./dialogs.js";
import { field, form } from "./forms.js";

const PAGE = 200;
const GATHER = 300;

const faceAndName = (username) => [
  el("span", { class: "presence" }, makeAvatar(username)),
  el("a", { class: "name", dir: "auto", href: `#/user/${encodeURIComponent(username)}` }, username),
];

/** `found(members, areAll)` is called whenever some were loaded. */
export function makeMembers({ client, place, found, notices }) {
  const id = nameOf(place);
  const failed = (error) => notices.show(error.message, "error");
  const heading = el("h2", {}, "Members");
  const list = el("ul", { class: "people", "aria-label": "Members" });
  const said = el("p", { class: "quiet", role: "status" });
  const more = el("button", { type: "button", hidden: true, onclick: () => showMore() }, "Show more");
  const filter = field({
    label: "Find a member",
    type: "search",
    name: "member",
    autocomplete: "off",
    spellcheck: "false",
    oninput: () => find(),
  });
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
      await addMember(name.input.value.trim());
      name.input.value = "";
    },
  });
  const element = el("div", { class: "panel-content" }, heading, add, filter.element, said, list, more);
  let members = [];
  let next = null; // the address of those that are not loaded yet
  let shown = PAGE;
  let timer = null;

  const addMember = (username) => client.api.request("POST", `/room/${id}/members`, { username });

  const render = eachFrame(() => {
    const isOnline = ({ username }) => client.online.has(username) === true;
    const wanted = filter.input.value.trim().toLowerCase();
    const matching = members
      .filter(({ username }) => username.toLowerCase().includes(wanted))
      .sort((one, other) => isOnline(other) - isOnline(one) || one.username.localeCompare(other.username));
    const mayChange = client.me.isAdmin || client.rooms.isMember(id);
    heading.textContent = `Members (${members.length}${next ? " or more" : ""})`;
    add.hidden = !mayChange;
    filter.element.hidden = members.length < 10;
    more.hidden = matching.length <= shown && !next;
    said.textContent = wanted && !matching.length ? (next ? "Searching…" : "There is no such member.") : "";
    said.hidden = !said.textContent;
    sync(
      list,
      matching.slice(0, shown),
      ({ username }) => username,
      person,
      (item, { username }) => {
        item.classList.toggle("is-online", isOnline({ username }));
        item.querySelector(".state").textContent = isOnline({ username }) ? "online" : "offline";
        const button = item.querySelector("button");
        button.hidden = !mayChange;
        button.classList.toggle("invisible", username === client.me.username);
      },
    );
  });

  function person({ username }) {
    return el(
      "li",
      { class: "person" },
      ...faceAndName(username),
      el("span", { class: "state" }),
      iconButton("close", `Remove ${username}`, () => remove(username)),
    );
  }

  function remove(username) {
    const { name: room, members_only: isClosed } = client.rooms.get(id);
    const after = isClosed ? "They will neither see the room nor read it." : "They may join again.";
    confirm(`Remove ${username} from “${room}”?`, after, "Remove", async () => {
      await client.api.request("DELETE", `/room/${id}/members/${encodeURIComponent(username)}`);
      notices.show(`${username} was removed.`, "", {
        label: "Undo",
        act: () => addMember(username).catch(failed),
      });
    });
  }

  async function load() {
    timer = null;
    try {
      const page = await client.api.page(`/room/${id}/members`);
      const beyond = members.length;
      members = [];
      keep(page);
      while (next && members.length < Math.min(beyond, shown)) keep(await client.api.page(next));
    } catch (error) {
      if (error.status !== 404) failed(error);
    }
  }

  function keep(page) {
    members = [...members, ...page.items];
    next = page.next;
    client.online.learn(page.items);
    found(members, next === null);
    render();
  }

  async function showMore() {
    shown += PAGE;
    if (next && members.length < shown) await client.api.page(next).then(keep, failed);
    render();
  }

  /** Show whose names have what was typed; all of them have to be loaded for that. */
  async function find() {
    const wanted = filter.input.value;
    shown = PAGE;
    render();
    try {
      while (wanted && next && wanted === filter.input.value) keep(await client.api.page(next));
    } catch (error) {
      failed(error);
    }
  }

  const soon = () => (timer ??= setTimeout(load, GATHER));

  const stops = [
    client.on("members", (where) => where === place && soon()),
    client.on("reloaded", soon),
    client.online.on("changed", () => {
      found(members, next === null);
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
