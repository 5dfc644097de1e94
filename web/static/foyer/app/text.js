/** What people wrote, as text in which addresses of the web are links. It is never read as HTML. */

import { el } from "./dom.js";

// Up to a blank, a quotation mark or bracket that addresses don't have, or a character that turns the direction of text.
const ADDRESS = /\bhttps?:\/\/[^\s<>"'`\u200e\u200f\u202a-\u202e\u2066-\u2069]+/giu;
const AFTER_IT = /[.,;:!?…)\]}*_~|]$/u; // ends a sentence or a parenthesis rather than an address
const OPENS = { ")": "(", "]": "[", "}": "{" };

/** `text` in parts: strings, and links to the addresses in it. */
export function linked(text) {
  const parts = [];
  let end = 0;
  for (const { 0: found, index } of text.matchAll(ADDRESS)) {
    const address = trimmed(found);
    if (!isAddress(address)) continue;
    parts.push(text.slice(end, index), linkTo(address));
    end = index + address.length;
  }
  return [...parts, text.slice(end)].filter((part) => part !== "");
}

const linkTo = (address) => el("a", { href: address, target: "_blank", rel: "noopener noreferrer nofollow" }, address);

/** Without what follows the address: a closing bracket belongs to it only if it was opened there. */
function trimmed(found) {
  let address = found;
  while (AFTER_IT.test(address)) {
    const last = address.at(-1);
    const count = (character) => address.split(character).length;
    if (OPENS[last] && count(OPENS[last]) >= count(last)) break;
    address = address.slice(0, -1);
  }
  return address;
}

function isAddress(text) {
  try {
    return ["http:", "https:"].includes(new URL(text).protocol);
  } catch {
    return false;
  }
}
