/** Who is in a room and who of them is online; members add and remove people, and moderators keep order. */

import { el, eachFrame, sync, unseen } from "../dom.js";
import { untilOf } from "../format.js";
import { LOBBY, nameOf } from "../places.js";
import { makeAvatar } from "./avatar.js";
import { field, form } from "./forms.js";
import { menuButton } from "./menu.js";
import { choicesAbout } from "./person.js";

const PAGE = 200;
const GATHER = 300;

const faceAndName = (username, state = null) => [
  el("span", { class: "presence" }, makeAvatar(username)),
  el(
    "span",
    { class: "person-text" },
    el("a", { class: "name", dir: "auto", href: `#/user/${encodeURIComponent(username)}` }, username),
    state,
  ),
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
  let mutes = new Map(); // name -> until when, for those who may know
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
        const role = client.roles.of(id, username);
        const states = [isOnline({ username }) ? "online" : "offline"];
        if (role === "owner" || role === "moderator") states.unshift(role);
        if (mutes.has(username)) states.unshift("muted");
        item.querySelector(".state").textContent = states.join(" · ");
        item.title = mutes.has(username) ? `Muted ${untilOf(mutes.get(username))}` : "";
        item.querySelector("button").classList.toggle("invisible", username === client.me.username);
      },
    );
  });

  function person({ username }) {
    const choices = () => choicesAbout({ client, place, notices }, username, mutes.has(username));
    return el(
      "li",
      { class: "person" },
      faceAndName(username, el("span", { class: "state" })),
      menuButton(`About ${username}`, choices),
    );
  }

  async function load() {
    timer = null;
    try {
      const page = await client.api.page(`/room/${id}/members`);
      const beyond = members.length;
      members = [];
      keep(page);
      while (next && members.length < Math.min(beyond, shown)) keep(await client.api.page(next));
      await loadMutes();
    } catch (error) {
      if (error.status !== 404) failed(error);
    }
  }

  async function loadMutes() {
    if (!client.roles.may("mute", id)) return;
    const { items } = await client.api.page(`/room/${id}/mutes`);
    mutes = new Map(items.map(({ username, until }) => [username, until]));
    render();
  }

  function keep(page) {
    members = [...members, ...page.items];
    next = page.next;
    client.roles.learn(id, page.items);
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
    client.roles.on("changed", (room) => room === id && render()),
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
export function makeGuests({ client, notices }) {
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
          faceAndName(name),
          unseen("online"),
          menuButton(`About ${name}`, () => choicesAbout({ client, place: LOBBY, notices }, name), {
            class: name === client.me.username ? "icon-button invisible" : "icon-button",
          }),
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
