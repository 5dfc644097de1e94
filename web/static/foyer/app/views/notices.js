/** What concerns no part in particular: a sentence at the edge, until it is put away or has been there for a while. */

import { el, icon } from "../dom.js";

const SHOWN_FOR = 12_000;

export function makeNotices() {
  const element = el("div", { class: "notices", role: "status", "aria-live": "polite" });

  /** `kind` is "error", "warning" or ""; `action`, {label, act}, is what may be done about it. */
  function show(text, kind = "", action = null) {
    const remove = () => notice.remove();
    const close = el(
      "button",
      { type: "button", class: "icon-button", "aria-label": "Dismiss", onclick: remove },
      icon("close"),
    );
    const take = () => {
      remove();
      action.act();
    };
    const button = action && el("button", { type: "button", onclick: take }, action.label);
    const notice = el("div", { class: `notice ${kind}` }, el("p", { dir: "auto" }, text), button, close);
    for (const other of element.children) if (other.querySelector("p").textContent === text) other.remove();
    element.append(notice);
    if (kind !== "warning") setTimeout(remove, SHOWN_FOR);
  }
  return { element, show };
}
