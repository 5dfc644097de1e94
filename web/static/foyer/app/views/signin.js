/** The page for those who are not signed in. `why` says what brought them here, if something did. */

import { el } from "../dom.js";
import { checkbox, field, form } from "./forms.js";

export function makeSignIn(session, why, done) {
  let isNew = false;
  const page = el("main", { class: "signin", id: "main" });

  const stays = () => page.querySelector("[name=stay]")?.checked ?? false;

  function render() {
    const fields = {
      username: field({
        label: "Username",
        name: "username",
        autocomplete: "username",
        autocapitalize: "none",
        spellcheck: "false",
        maxlength: 64,
        value: page.querySelector("input")?.value ?? "",
      }),
      password: field({
        label: "Password",
        name: "password",
        type: "password",
        autocomplete: isNew ? "new-password" : "current-password",
        maxlength: 128,
      }),
      stay: checkbox({ label: "Stay signed in for 30 days", name: "stay", checked: stays() }),
    };
    const submit = async () => {
      const [name, password] = [fields.username.input.value, fields.password.input.value];
      await (isNew ? session.signUp(name, password, stays()) : session.signIn(name, password, stays()));
      done();
    };
    const other = el(
      "button",
      {
        type: "button",
        class: "link",
        onclick: () => {
          isNew = !isNew;
          render();
        },
      },
      isNew ? "I have an account" : "Create an account",
    );
    page.replaceChildren(
      el(
        "div",
        { class: "card" },
        el("img", { src: new URL("../../logo.svg", import.meta.url).href, alt: "", width: 48, height: 48 }),
        el("h1", {}, isNew ? "Join Foyer" : "Sign in to Foyer"),
        why ? el("p", { class: "why", role: "alert" }, why) : null,
        form({ fields, action: isNew ? "Create account" : "Sign in", submit }),
        el("p", { class: "other" }, other),
      ),
    );
    fields.username.input.focus();
  }
  render();
  return page;
}
