/** The round initial of a person, for the eye alone: a name stands beside it. */

import { el } from "../dom.js";
import { hueOf, initialOf } from "../format.js";

export const makeAvatar = (name) =>
  el("span", { class: `avatar hue-${hueOf(name)}`, "aria-hidden": "true" }, initialOf(name));
