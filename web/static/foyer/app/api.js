/** REST. Answers are what the body says; whatever the server refuses is an `ApiError` with its `code` and `detail`. */

export class ApiError extends Error {
  constructor(status, { code, detail, fields }) {
    super(detail);
    Object.assign(this, { status, code, fields });
  }
}

const UNREACHABLE = { code: "unreachable", detail: "The server can't be reached. Try again in a moment." };

export class Api {
  /** `token()` is whose requests these are, null for nobody's; `refused()` is called when the token is no good. */
  constructor(token, refused) {
    Object.assign(this, { token, refused });
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

  async #ask(method, path, body, key) {
    const headers = { Accept: "application/json" };
    const token = this.token();
    if (token) headers.Authorization = `Bearer ${token}`;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (key) headers["Idempotency-Key"] = key;
    const answer = await this.#fetch(path, { method, headers, body: body && JSON.stringify(body) });
    const content = answer.status === 204 ? null : await answer.json().catch(() => ({}));
    if (answer.ok) return { content, headers: answer.headers };
    const error = new ApiError(answer.status, { detail: `The server answered ${answer.status}.`, ...content });
    if (answer.status === 401 && token) this.refused(error);
    throw error;
  }

  async #fetch(path, options) {
    try {
      // Without cookies, and without the browser's own dialog for passwords, which a 401 would open.
      return await fetch(path, { ...options, credentials: "omit", cache: "no-store" });
    } catch {
      throw new ApiError(0, UNREACHABLE);
    }
  }
}
