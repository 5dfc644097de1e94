// Forms of the browsable API. They send JSON with the method they name, and show the server's own page of the answer.

for (const form of document.querySelectorAll("form.send")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form);
  });
}

for (const form of document.querySelectorAll("form.query")) {
  form.addEventListener("submit", () => {
    for (const input of form.elements) input.disabled = input.name !== "" && input.value === "";
  });
}

/** Back from a page by the browser's button, what was left out is there to be filled in again. */
addEventListener("pageshow", () => {
  for (const input of document.querySelectorAll("form.query [disabled]")) input.disabled = false;
});

async function send(form) {
  const result = form.closest("section").querySelector(".result");
  clearProblems(form);
  let body;
  try {
    body = bodyOf(form);
  } catch (problem) {
    markProblem(problem.input, problem.message);
    problem.input.focus();
    return;
  }
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const page = await ask(form.getAttribute("action"), form.dataset.method, body);
    const answer = page.querySelector("#answer");
    showProblems(form, answer);
    await done(form, result, answer);
  } catch {
    result.textContent = "The server could not be reached. Whether it was done is not known.";
  } finally {
    button.disabled = false;
  }
}

async function done(form, result, answer) {
  const fine = Number(answer.dataset.status) < 400;
  if (fine && form.dataset.then) {
    location.assign(form.dataset.then);
    return;
  }
  answer.removeAttribute("id");
  result.replaceChildren(answer);
  result.focus();
  if (!fine) return;
  if (form.dataset.method === "POST") form.reset();
  const shown = document.querySelector("#answer");
  if (shown?.dataset.status === "200") {
    const fresh = (await ask(location.href, "GET")).querySelector("#answer");
    if (fresh) shown.replaceWith(fresh);
  }
}

/** The page that the server answers with. */
async function ask(address, method, body) {
  const headers = { Accept: "text/html" };
  if (method !== "GET") headers["X-CSRFToken"] = document.querySelector('meta[name="csrf-token"]').content;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(address, { method, headers, body, redirect: "error" });
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

/** The body as JSON text. Throws `{input, message}` for what can't be written as JSON. */
function bodyOf(form) {
  const inputs = [...form.querySelectorAll("[data-kind]")];
  if (inputs.length === 0) return undefined;
  if (inputs[0].dataset.kind === "body") return inputs[0].value;
  const top = { members: new Map() };
  for (const input of inputs) {
    const text = jsonOf(input);
    if (text !== undefined) place(top, input.name.split("."), text);
  }
  return written(top);
}

/** What an input says, as JSON text, so that numbers stay as they were typed; undefined where it says nothing. */
function jsonOf(input) {
  if (input.dataset.kind === "checkbox") return String(input.checked);
  if (input.value === "" && !input.required) return undefined;
  if (input.dataset.kind === "choice") return input.value;
  if (input.dataset.kind === "text") return JSON.stringify(input.value);
  try {
    JSON.parse(input.value);
  } catch {
    throw { input, message: input.dataset.kind === "number" ? "This is not a number." : "This is not JSON." };
  }
  return input.value;
}

function place(node, [name, ...rest], text) {
  if (rest.length === 0) {
    node.members.set(name, text);
    return;
  }
  if (!node.members.has(name)) node.members.set(name, { members: new Map() });
  place(node.members.get(name), rest, text);
}

function written(node) {
  if (typeof node === "string") return node;
  return `{${[...node.members].map(([name, value]) => `${JSON.stringify(name)}:${written(value)}`).join(",")}}`;
}

// What is wrong with fields, told beside each and to those who hear the page

function showProblems(form, answer) {
  for (const told of answer.querySelectorAll("[data-field]")) {
    const input = [...form.elements].find((one) => one.name === told.dataset.field);
    if (input) markProblem(input, told.textContent);
  }
}

function markProblem(input, message) {
  const note = document.createElement("p");
  note.className = "problem";
  note.id = `${input.id}-problem`;
  note.textContent = message;
  input.setAttribute("aria-invalid", "true");
  input.setAttribute("aria-describedby", note.id);
  input.after(note);
}

function clearProblems(form) {
  for (const note of form.querySelectorAll(".problem")) note.remove();
  for (const input of form.querySelectorAll("[aria-invalid]")) {
    input.removeAttribute("aria-invalid");
    input.removeAttribute("aria-describedby");
  }
}
