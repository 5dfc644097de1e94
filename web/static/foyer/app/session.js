/** Who is signed in, in this tab and until it is closed. The token is in no address and in no other tab. */

const KEPT_AS = "foyer.session";

export class Session {
  constructor(api) {
    this.api = api;
    this.current = JSON.parse(sessionStorage.getItem(KEPT_AS) ?? "null");
  }

  get token() {
    return this.current?.token ?? null;
  }

  async signIn(username, password) {
    const { token, user_type } = await this.api.request("POST", "/auth", { username, password });
    this.current = { token, userType: user_type };
    try {
      this.current.username = (await this.api.request("GET", "/")).username; // as it is spelled on the server
    } catch (error) {
      this.current = null;
      throw error;
    }
    sessionStorage.setItem(KEPT_AS, JSON.stringify(this.current));
  }

  async signUp(username, password) {
    await this.api.request("POST", "/user", { username, password });
    await this.signIn(username, password);
  }

  /** End the session on the server, and here even if that can't be reached. */
  async signOut() {
    const ended = this.token && this.api.request("DELETE", "/auth");
    this.forget();
    await ended;
  }

  forget() {
    this.current = null;
    sessionStorage.clear();
  }
}
