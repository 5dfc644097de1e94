/** The lobby's tables, live. Admins change them in place. */

import { el, eachFrame, iconButton, sync } from "../dom.js";
import { confirm } from "./dialogs.js";
import { field, form } from "./forms.js";
import { backLink } from "./place.js";

export function makeTables({ client, failed }) {
  const { tables, me } = client;
  const title = el("h1", { tabindex: -1 }, "Tables");
  const about = el("p", { class: "about" });
  const list = el("ol", { class: "tables" });
  const empty = el("p", { class: "quiet state" });
  const element = el(
    "div",
    { class: "place" },
    el(
      "div",
      { class: "place-main" },
      el("header", { class: "place-head" }, backLink(), el("div", { class: "place-title" }, title, about)),
      el("div", { class: "tables-frame" }, empty, list, me.isAdmin ? adding(tables) : null),
    ),
  );

  const render = eachFrame(() => {
    const number = tables.all.length;
    about.textContent = `${number} ${number === 1 ? "table" : "tables"}${me.isAdmin ? " · you may change them" : ""}`;
    empty.textContent = tables.isLoaded ? (number ? "" : "There are no tables yet.") : "Loading…";
    empty.hidden = !empty.textContent;
    sync(
      list,
      tables.all,
      ({ id }) => id,
      () => el("li", { class: "table" }),
      (item, table) => show(item, table),
    );
  });

  function show(item, table) {
    const [first, last] = [tables.all[0], tables.all.at(-1)].map((one) => one.id === table.id);
    const shown = JSON.stringify([table, first, last]);
    if (item.shown === shown || item.isEditing) return;
    const label = document.activeElement.getAttribute?.("aria-label");
    const hadFocus = item.contains(document.activeElement);
    Object.assign(item, { shown, table });
    item.replaceChildren(
      el("span", { class: "table-name" }, table.name),
      el(
        "span",
        { class: "participants" },
        String(table.participants),
        el("span", { class: "quiet" }, table.participants === 1 ? " participant" : " participants"),
      ),
      ...(me.isAdmin ? [tools(item, table, first, last)] : []),
    );
    if (hadFocus)
      (
        item.querySelector(`[aria-label="${CSS.escape(label)}"]:not(:disabled)`) ??
        item.querySelector("button:not(:disabled)")
      )?.focus();
  }

  function tools(item, table, isFirst, isLast) {
    const act = (run) => async () => {
      await run().catch(failed);
    };
    const remove = () =>
      confirm(`Remove “${table.name}”?`, "It will be gone from everyone's list.", "Remove table", () =>
        tables.remove(table.id),
      );
    return el(
      "div",
      { class: "tools" },
      iconButton(
        "up",
        `Move ${table.name} up`,
        act(() => tables.move(table.id, -1)),
        { disabled: isFirst },
      ),
      iconButton(
        "down",
        `Move ${table.name} down`,
        act(() => tables.move(table.id, 1)),
        { disabled: isLast },
      ),
      iconButton("pencil", `Change ${table.name}`, () => edit(item)),
      iconButton("trash", `Remove ${table.name}`, remove),
    );
  }

  function edit(item) {
    const { table } = item;
    const fields = tableFields(table);
    const finish = () => {
      Object.assign(item, { isEditing: false, shown: null });
      const now = tables.all.find(({ id }) => id === table.id);
      if (now) show(item, now);
      item.querySelector(`[aria-label^="Change"]`)?.focus();
    };
    const submit = async () => {
      await tables.change(table.id, valuesOf(fields));
      finish();
    };
    const cancel = el("button", { type: "button", onclick: finish }, "Cancel");
    const body = form({ fields, action: "Save", extra: [cancel], submit });
    body.className = "table-form";
    body.addEventListener("keydown", (event) => event.key === "Escape" && finish());
    item.isEditing = true;
    item.replaceChildren(body);
    fields.name.input.select();
  }

  const stop = tables.on("changed", render);
  render();
  return { element, focus: () => title.focus(), stop };
}

const tableFields = (table) => ({
  name: field({ label: "Name", name: "name", maxlength: 100, autocomplete: "off", value: table?.name ?? "" }),
  participants: field({
    label: "Participants",
    name: "participants",
    type: "number",
    min: 0,
    inputmode: "numeric",
    value: table?.participants ?? 0,
  }),
});

const valuesOf = (fields) => ({ name: fields.name.input.value, participants: fields.participants.input.valueAsNumber });

function adding(tables) {
  const fields = tableFields();
  const body = form({
    fields,
    action: "Add table",
    submit: async () => {
      const added = valuesOf(fields);
      await tables.add(added);
      if (fields.name.input.value !== added.name) return; // the next one is being typed already
      body.reset();
      fields.name.input.focus();
    },
  });
  body.className = "table-form adding";
  body.setAttribute("aria-label", "Add a table");
  return body;
}
