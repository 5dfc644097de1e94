/** Begins: the sign-in page for those who are not signed in, everything else for those who are. */

import { Api } from "./api.js";
import { Client } from "./client.js";
import { el } from "./dom.js";
import { Session } from "./session.js";
import { makeShell } from "./views/shell.js";
import { makeSignIn } from "./views/signin.js";

const api = new Api(() => client && signedOut(endedBecause("the session has ended")));
const session = new Session(api);
let client = null;
let shell = null;

/** Show what belongs to whoever the browser's cookie says is signed in. */
async function start() {
  try {
    if (await session.find()) begin();
    else signedOut("");
  } catch (error) {
    show(
      el("main", { class: "signin", id: "main" }, el("p", { class: "card", role: "alert" }, error.message, tryAgain())),
    );
  }
}

const tryAgain = () => el("button", { type: "button", class: "primary", onclick: start }, "Try again");
const show = (element) => document.body.replaceChildren(element);

function begin() {
  client = new Client(api, session.current);
  client.connection.on("ended", ({ reason }) => signedOut(endedBecause(reason)));
  shell = makeShell(client, () => leave());
  show(shell.element);
  client.connection.open();
}

const endedBecause = (reason) => `You were signed out${says(reason) ? `: ${reason}` : ""}. Sign in again.`;
const says = (reason) => reason && reason !== "signed out";

async function leave() {
  client.connection.close(); // what it says of the end is no news
  try {
    await session.signOut();
    signedOut("");
  } catch (error) {
    if (error.status === 401) signedOut("");
    else signedOut(`Signing out may have failed: ${error.message} Reload the page to see.`);
  }
}

/** Show the way in; `why` says what happened. */
function signedOut(why) {
  client?.connection.close();
  client?.guests.leave();
  shell?.stop();
  client = shell = null;
  session.forget();
  document.title = "Sign in – Foyer";
  show(makeSignIn(session, why, begin));
  document.querySelector("input")?.focus();
}

/** Somebody comes back to this tab; they may have signed in in another. */
async function comeBack() {
  if (document.visibilityState !== "visible") return;
  if (client) client.connection.probe();
  else if (await session.find().catch(() => null)) begin();
}

addEventListener("online", () => client?.connection.probe());
addEventListener("offline", () => client?.connection.doubt());
document.addEventListener("visibilitychange", comeBack);

start();
