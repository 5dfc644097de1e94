/** The field in the bar from which one searches; where there is no room for it, a link. "/" leads there. */

import { el, icon } from "../dom.js";
import { go } from "../router.js";

export const addressOfSearch = (asked) => {
  const filled = Object.entries(asked).filter(([, value]) => value);
  return `#/search${filled.length ? `?${new URLSearchParams(filled)}` : ""}`;
};

export function makeSearchField() {
  const input = el("input", {
    type: "search",
    name: "q",
    maxlength: 200,
    autocomplete: "off",
    placeholder: "Search messages",
    "aria-label": "Search messages",
    "aria-keyshortcuts": "/",
    enterkeyhint: "search",
  });
  const form = el("form", { class: "search-field", role: "search", onsubmit: submit }, icon("search"), input);
  const link = el(
    "a",
    { class: "icon-button search-link", href: "#/search", "aria-label": "Search messages", title: "Search messages" },
    icon("search"),
  );

  function submit(event) {
    event.preventDefault();
    const q = input.value.trim();
    if (!q) return;
    input.value = "";
    go(addressOfSearch({ q }));
  }

  function pressed(event) {
    const isTyping = event.target.closest?.("input, textarea, select, dialog, [contenteditable]");
    if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const field = input.checkVisibility() ? input : document.querySelector("main [name=q]");
    if (field) field.select();
    else go("#/search");
  }

  document.addEventListener("keydown", pressed);
  return {
    element: el("div", { class: "search" }, form, link),
    stop: () => document.removeEventListener("keydown", pressed),
  };
}
