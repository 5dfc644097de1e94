/** What admins say to everybody, below the bar. Warnings interrupt a screen reader, the rest waits until it is done. */

import { el, iconButton, sync } from "../dom.js";
import { untilOf } from "../format.js";
import { linked } from "../text.js";

export function makeBanner(notices) {
  const lists = { warning: el("div"), info: el("div", { role: "status" }) };
  const element = el("div", { class: "banner" }, lists.warning, lists.info);

  function render() {
    const all = notices.all;
    for (const [level, list] of Object.entries(lists)) {
      const some = all.filter((notice) => notice.level === level);
      sync(list, some, keyOf, make, () => {});
    }
  }

  function make({ id, text, level, until }) {
    const dismiss = () => {
      notices.dismiss(id);
      (element.querySelector("button") ?? document.querySelector("main")).focus();
    };
    return el(
      "div",
      { class: `announcement ${level}`, role: level === "warning" ? "alert" : null },
      el("p", { dir: "auto" }, linked(text), until ? el("span", { class: "ends" }, ` ${untilOf(until)}`) : null),
      iconButton("close", "Dismiss", dismiss),
    );
  }

  const stop = notices.on("changed", render);
  render();
  return { element, stop };
}

const keyOf = ({ id, text, level, until }) => JSON.stringify([id, text, level, until]);
