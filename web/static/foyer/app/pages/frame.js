/** What the pages of this folder have in common: a head, lists that come page by page, and times. */

import { el, sync } from "../dom.js";
import { exactly, whenOf } from "../format.js";
import { backLink } from "../views/place.js";

/** The frame of a page. `beside` stands under the title. */
export function makePage(title, { beside = null } = {}, ...content) {
  const heading = el("h1", { tabindex: -1, dir: "auto" }, title);
  const element = el(
    "div",
    { class: "place" },
    el(
      "div",
      { class: "place-main" },
      el(
        "header",
        { class: "place-head" },
        backLink(),
        el("div", { class: "place-title" }, heading, beside && el("p", { class: "about" }, beside)),
      ),
      el("div", { class: "page-frame" }, content),
    ),
  );
  return { element, heading };
}

export const timeElement = (stamp) => el("time", { datetime: stamp, title: exactly(stamp) }, whenOf(stamp));

/**
 * A list that the server gives page by page. `show(item)` makes the element of one; `none` is said of an empty list.
 * `load()` begins anew, and `drop(item)` takes one out.
 */
export function makePaged({ api, path, label, key, show, none }) {
  const list = el("ol", { class: "records", "aria-label": label });
  const said = el("p", { class: "quiet", role: "status" });
  const again = el("button", { type: "button", hidden: true, onclick: () => load() }, "Try again");
  const more = el("button", { type: "button", class: "older", hidden: true, onclick: () => load(next) }, "Show more");
  const element = el("div", { class: "paged" }, said, again, list, more);
  let found = [];
  let next = null;
  let turn = 0;

  async function load(from = path()) {
    turn += 1;
    const now = turn;
    list.setAttribute("aria-busy", "true");
    more.disabled = true;
    if (!found.length) said.textContent = "Loading…";
    try {
      const page = await api.page(from);
      if (now !== turn) return;
      found = from === next ? [...found, ...page.items] : page.items;
      next = page.next;
      render();
    } catch (error) {
      if (now !== turn) return;
      render(error.message);
    }
  }

  function render(trouble = "") {
    sync(list, found, key, show, () => {});
    list.removeAttribute("aria-busy");
    said.textContent = trouble || (found.length ? "" : none);
    said.classList.toggle("trouble", Boolean(trouble));
    said.hidden = !said.textContent;
    again.hidden = !trouble;
    more.disabled = false;
    more.hidden = next === null;
  }

  function drop(item) {
    const at = found.indexOf(item);
    found = found.filter((other) => other !== item);
    render();
    const beside = list.children[Math.min(at, found.length - 1)]?.querySelector("button, a");
    if (!list.contains(document.activeElement)) beside?.focus();
  }

  return { element, load, drop };
}
