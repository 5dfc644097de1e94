/** What somebody has written and not sent, by place. It is kept in this browser until it is sent or they sign out. */

const keptAs = (username) => `foyer.drafts:${username}`;

function read(username) {
  try {
    return JSON.parse(localStorage.getItem(keptAs(username))) ?? {};
  } catch {
    return {};
  }
}

export const draftOf = (username, place) => read(username)[place] ?? "";

/** Keep `text`; nothing is kept of an empty one. */
export function keepDraft(username, place, text) {
  const { [place]: _, ...others } = read(username);
  const kept = text.trim() ? { ...others, [place]: text } : others;
  if (Object.keys(kept).length) localStorage.setItem(keptAs(username), JSON.stringify(kept));
  else forgetDrafts(username);
}

export const forgetDrafts = (username) => localStorage.removeItem(keptAs(username));
