/** Begins: the sign-in page for those who are not signed in, everything else for those who are. */

import { Api } from "./api.js";
import { Client } from "./client.js";
import { Session } from "./session.js";
import { makeShell } from "./views/shell.js";
import { makeSignIn } from "./views/signin.js";

const api = new Api(
  () => session.token,
  () => signedOut(endedBecause("the session has ended")),
);
const session = new Session(api);
let client = null;
let shell = null;

function begin() {
  client = new Client(api, session.current);
  client.connection.on("ended", ({ reason }) => signedOut(endedBecause(reason)));
  shell = makeShell(client, () => leave());
  document.body.replaceChildren(shell.element);
  client.connection.open();
}

const endedBecause = (reason) => `You were signed out${reason ? `: ${reason}` : ""}. Sign in again.`;

async function leave() {
  const ended = session.signOut();
  signedOut("");
  await ended.catch(() => {}); // it ends by itself, and here the token is forgotten already
}

/** Forget everything, and show the way in; `why` says what happened. */
function signedOut(why) {
  client?.connection.close();
  client?.guests.leave();
  shell?.stop();
  client = shell = null;
  session.forget();
  document.title = "Sign in – Foyer";
  document.body.replaceChildren(makeSignIn(session, why, begin));
  document.querySelector("input")?.focus();
}

addEventListener("online", () => client?.connection.probe());
addEventListener("offline", () => client?.connection.probe());
document.addEventListener(
  "visibilitychange",
  () => document.visibilityState === "visible" && client?.connection.probe(),
);

if (session.token) begin();
else signedOut("");
