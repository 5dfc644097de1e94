/** Whether we are connected, honestly. Seconds that run are seen; what screen readers say changes with the state. */

import { el } from "../dom.js";

export function makeStatus(connection) {
  const seen = el("span", { "aria-hidden": "true" });
  const said = el("span", { class: "unseen", role: "status" });
  const again = el(
    "button",
    { type: "button", class: "link", hidden: true, onclick: () => connection.open() },
    "Try now",
  );
  const element = el(
    "div",
    { class: "status" },
    el("span", { class: "dot", "aria-hidden": "true" }),
    seen,
    said,
    again,
  );
  let timer = null;

  function render() {
    clearInterval(timer);
    const { state, until, isDoubtful } = connection.status;
    element.dataset.state = isDoubtful ? "doubtful" : state;
    again.hidden = state !== "waiting";
    const sentence = {
      connected: isDoubtful ? "No answer…" : "Connected",
      connecting: "Connecting…",
      "catching up": "Catching up…",
      ended: "Signed out",
    };
    said.textContent = sentence[state] ?? "Connection lost. Reconnecting.";
    seen.textContent = sentence[state] ?? remaining(until);
    if (state === "waiting") timer = setInterval(() => (seen.textContent = remaining(until)), 250);
  }
  connection.on("status", render);
  render();
  return element;
}

function remaining(until) {
  const seconds = Math.ceil((until - Date.now()) / 1000);
  const why = navigator.onLine ? "" : "No network. ";
  return why + (seconds > 0 ? `Reconnecting in ${seconds} s` : "Reconnecting…");
}
