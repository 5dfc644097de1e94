/** How long to wait before the gateway is asked again. */

const LONGEST = 30_000;

/**
 * Milliseconds, random so that those who were cut off together don't come back together.
 * `code` is what the socket was closed with, `attempts` how often it was tried in vain since it last worked.
 */
export function pauseAfter(code, attempts, random = Math.random) {
  if (code === 1012 && attempts === 0) return random() * 5000;
  if (code === 4429) return 10_000 + random() * 5000;
  return 250 + random() * Math.min(LONGEST, 1000 * 2 ** attempts);
}

/** Whether a socket that was closed with `code` is to be opened again. */
export const comesBack = (code) => ![4401, 4403, 4404].includes(code);
