/** Forms that show what the server says: about a field beside it, everything else at the end. */

import { el } from "../dom.js";

let serial = 0;

/** A labelled input. `input` is the element, `complain` shows or, with "", takes away what is wrong. */
export function field({ label, hint, multiline, ...properties }) {
  serial += 1;
  const id = `field-${serial}`;
  const input = el(multiline ? "textarea" : "input", { id, "aria-describedby": `${id}-about`, ...properties });
  const about = el("p", { id: `${id}-about`, class: "field-about" }, hint ?? "");
  const complain = (text) => {
    about.textContent = text || (hint ?? "");
    about.classList.toggle("wrong", Boolean(text));
    input.toggleAttribute("aria-invalid", Boolean(text));
    if (text) input.setAttribute("aria-invalid", "true");
  };
  return { element: el("div", { class: "field" }, el("label", { for: id }, label), input, about), input, complain };
}

/** A labelled list from which one is chosen: `options` are pairs of value and text, `value` what is chosen at first. */
export function choice({ label, hint, options, value, ...properties }) {
  serial += 1;
  const id = `field-${serial}`;
  const input = el(
    "select",
    { id, "aria-describedby": hint ? `${id}-about` : null, ...properties },
    options.map(([key, text]) => el("option", { value: key, selected: key === value }, text)),
  );
  const about = hint ? el("p", { id: `${id}-about`, class: "field-about" }, hint) : null;
  return {
    element: el("div", { class: "field" }, el("label", { for: id }, label), input, about),
    input,
    complain: () => {},
  };
}

export function checkbox({ label, hint, ...properties }) {
  serial += 1;
  const id = `field-${serial}`;
  const input = el("input", { id, type: "checkbox", "aria-describedby": hint ? `${id}-about` : null, ...properties });
  const about = hint ? el("p", { id: `${id}-about`, class: "field-about" }, hint) : null;
  const element = el(
    "div",
    { class: "field check" },
    el("div", { class: "check-line" }, input, el("label", { for: id }, label)),
    about,
  );
  return { element, input, complain: () => {} };
}

/** A form of `fields` (name -> field). `submit()` is awaited; what it raises is shown, by field where it names them. */
export function form({ fields, action, submit, extra = [] }) {
  const trouble = el("p", { class: "trouble", role: "alert" });
  const button = el("button", { class: "primary", type: "submit" }, action);
  const send = async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    showTrouble(fields, trouble, null);
    try {
      await submit();
    } catch (error) {
      showTrouble(fields, trouble, error);
    } finally {
      button.disabled = false;
    }
  };
  const elements = Object.values(fields).map(({ element }) => element);
  return el(
    "form",
    { onsubmit: send, novalidate: true },
    elements,
    trouble,
    el("div", { class: "buttons" }, extra, button),
  );
}

function showTrouble(fields, trouble, error) {
  const told = error?.fields ?? {};
  for (const [name, { complain }] of Object.entries(fields)) complain((told[name] ?? []).join(" "));
  const others = Object.entries(told).filter(([name]) => !fields[name]);
  const isBeside = error?.fields && others.length === 0;
  trouble.textContent =
    !error || isBeside ? "" : [error.message, ...others.map(([, texts]) => [texts].flat().join(" "))].join(" ");
  const first = Object.keys(fields).find((name) => told[name]);
  if (first) fields[first].input.focus();
}
