/** REST. Answers are what the body says; whatever the server refuses is an `ApiError` with its `code` and `detail`. */

import { inOwnTime } from "./format.js";

export class ApiError extends Error {
  constructor(status, { code, detail, fields }) {
    super(inOwnTime(detail));
    Object.assign(this, { status, code, fields });
  }
}

const UNREACHABLE = { code: "unreachable", detail: "The server can't be reached. Try again in a moment." };

export class Api {
  /** `refused(error)` is called when the server says that nobody is signed in. Who is, the browser's cookie says. */
  constructor(refused) {
    this.refused = refused;
  }

  /** The JSON that answers. `key` makes a POST that may be repeated one that is carried out once. */
  async request(method, path, body, key) {
    return (await this.#ask(method, path, body, key)).content;
  }

  /** A page of a list: `items`, and the path of the next page, if there is one. */
  async page(path) {
    const { content, headers } = await this.#ask("GET", path);
    const next = /<([^>]+)>; rel="next"/.exec(headers.get("Link") ?? "");
    if (!next) return { items: content, next: null };
    const { pathname, search } = new URL(next[1]);
    return { items: content, next: pathname + search };
  }

  /** Send a form, as pages do. */
  async submit(path, fields) {
    await this.#send("POST", path, {}, new URLSearchParams(fields));
  }

  #ask(method, path, body, key) {
    const headers = {};
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (key) headers["Idempotency-Key"] = key;
    return this.#send(method, path, headers, body && JSON.stringify(body));
  }

  async #send(method, path, headers, body) {
    const own = { Accept: "application/json", "X-Requested-With": "XMLHttpRequest" };
    if (method !== "GET") own["X-CSRFToken"] = csrfToken();
    const answer = await this.#fetch(path, { method, headers: { ...own, ...headers }, body });
    const content = answer.status === 204 ? null : await answer.json().catch(() => ({}));
    if (answer.ok) return { content, headers: answer.headers };
    const error = new ApiError(answer.status, { detail: `The server answered ${answer.status}.`, ...content });
    if (answer.status === 401 && content.code !== "bad_credentials") this.refused(error);
    throw error;
  }

  async #fetch(path, options) {
    try {
      return await fetch(path, { ...options, credentials: "same-origin", cache: "no-store" });
    } catch {
      throw new ApiError(0, UNREACHABLE);
    }
  }
}

/** What shows that a request comes from a page of ours: pages of others can't read the cookie. */
function csrfToken() {
  const cookies = document.cookie.split("; ").map((cookie) => cookie.split("="));
  return cookies.find(([name]) => name === "csrftoken")?.[1] ?? "";
}
