/** One's own account: everything of it as a file, and whom one blocks. */

import { el } from "../dom.js";
import { open } from "../views/dialogs.js";

/** The file is kept by the browser without us holding it. */
export function showAccount(client) {
  const { username, isAdmin } = client.me;
  const address = `/user/${encodeURIComponent(username)}/export`;
  open(
    "Your account",
    el("p", {}, "You are signed in as ", el("b", { dir: "auto" }, username), isAdmin ? ", an admin." : "."),
    el(
      "p",
      {},
      "The export is a file with your account, your rooms, all that you wrote, and your direct conversations: a line of JSON for each.",
    ),
    el("p", {}, el("a", { href: address, download: "export.ndjson" }, "Export my data")),
    blockedPeople(client.blocks),
  );
}

function blockedPeople(blocks) {
  const list = el("ul", { class: "blocked", "aria-label": "Blocked people" });
  const said = el("p", { class: "quiet", role: "status" });
  const person = (name) => {
    const unblock = () => blocks.unblock(name).catch((error) => (said.textContent = error.message));
    return el(
      "li",
      { class: "person" },
      el("span", { class: "name", dir: "auto" }, name),
      el("button", { type: "button", "aria-label": `Unblock ${name}`, onclick: unblock }, "Unblock"),
    );
  };
  function render() {
    list.replaceChildren(...blocks.all.map(person));
    said.textContent = blocks.all.length ? "" : "You block nobody.";
  }
  const stop = blocks.on("changed", () => (list.isConnected ? render() : stop()));
  render();
  return el("section", {}, el("h3", {}, "People who can't write to you"), said, list);
}
