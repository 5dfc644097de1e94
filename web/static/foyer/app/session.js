/**
 * Who is signed in, in this browser: a cookie that no script can read says so, and the server tells who it is. Signing
 * out, here or anywhere, signs out all its tabs.
 */

import { forgetDrafts } from "./drafts.js";

export class Session {
  /** {username, userType}, or null for nobody. */
  current = null;

  constructor(api) {
    this.api = api;
  }

  /** Ask the server who is signed in. */
  async find() {
    const { username, user_type: userType } = await this.api.request("GET", "/");
    this.current = username ? { username, userType } : null;
    return this.current;
  }

  /** `stays`: for 30 days, not only until the browser is closed. */
  async signIn(username, password, stays) {
    await this.api.submit("/sign-in", { username, password, ...(stays ? { stay: "on" } : {}) });
    await this.find();
  }

  async signUp(username, password, stays) {
    await this.api.request("POST", "/user", { username, password });
    await this.signIn(username, password, stays);
  }

  /** End the session, and forget what this browser kept for the user. */
  async signOut() {
    forgetDrafts(this.current.username);
    sessionStorage.clear();
    await this.api.request("DELETE", "/auth");
  }

  forget() {
    this.current = null;
  }
}
