/** A menu behind a button: a popover, so that Escape and a click elsewhere close it. Arrow keys go through it. */

import { el, iconButton } from "../dom.js";

const EDGE = 8;

/** `choices()` gives, when the menu is opened, what may be chosen: {label, act, isGrave}; null and false are left out. */
export function menuButton(label, choices, properties = {}) {
  const button = iconButton("more", label, () => openMenu(button, choices().filter(Boolean)), {
    "aria-haspopup": "menu",
    "aria-expanded": "false",
    ...properties,
  });
  return button;
}

function openMenu(button, choices) {
  const items = choices.map(({ label, act, isGrave }) =>
    el(
      "button",
      { type: "button", role: "menuitem", tabindex: -1, class: isGrave ? "grave" : "", onclick: take(act) },
      label,
    ),
  );
  const menu = el(
    "div",
    { class: "menu", role: "menu", popover: "auto", "aria-label": button.getAttribute("aria-label"), onkeydown: walk },
    items,
  );

  function take(act) {
    return () => {
      menu.hidePopover();
      act();
    };
  }

  function walk(event) {
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (event.key === "Tab") menu.hidePopover();
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    items.at(to % items.length).focus();
  }

  function place() {
    const { top, bottom, right } = button.getBoundingClientRect();
    const isBelow = bottom + menu.offsetHeight + EDGE < innerHeight;
    menu.style.top = `${Math.max(EDGE, isBelow ? bottom + 2 : top - menu.offsetHeight - 2)}px`;
    menu.style.left = `${Math.max(EDGE, right - menu.offsetWidth)}px`;
  }

  menu.addEventListener("beforetoggle", ({ newState }) => {
    if (newState !== "closed") return;
    button.setAttribute("aria-expanded", "false");
    if (!menu.contains(document.activeElement)) return;
    button.closest(".message")?.focus({ preventScroll: true }); // whose buttons are there only while it has the focus
    button.focus({ preventScroll: true });
  });
  menu.addEventListener("toggle", ({ newState }) => newState === "closed" && menu.remove());
  document.body.append(menu);
  menu.showPopover();
  place();
  button.setAttribute("aria-expanded", "true");
  items[0]?.focus();
}
