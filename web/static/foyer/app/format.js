/** How times, names and texts are shown. */

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const date = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const dateAndTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const DAY = 86_400_000;
const HUES = 8;

export const timeOf = (stamp) => clock.format(new Date(stamp));
/** Without "AM" and "PM", for where there is little room. */
export const shortTimeOf = (stamp) =>
  clock
    .formatToParts(new Date(stamp))
    .filter(({ type }) => type !== "dayPeriod")
    .map(({ value }) => value)
    .join("")
    .trim();
/** The date, unless it is today, and the time. */
export const whenOf = (stamp) =>
  new Date(stamp).toDateString() === new Date().toDateString() ? timeOf(stamp) : dateAndTime.format(new Date(stamp));
export const exactly = (stamp) => exact.format(new Date(stamp));

export function dayOf(stamp) {
  const midnight = new Date(stamp).setHours(0, 0, 0, 0);
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - midnight) / DAY);
  return ["Today", "Yesterday"][days] ?? date.format(midnight);
}

/** Those who deleted their account have no name any more. */
export const nameOrGone = (name) => name ?? "deleted account";

/** Which of the avatars' colours a name has. */
export function hueOf(name) {
  let sum = 0;
  for (const character of name ?? "") sum = (sum * 31 + character.codePointAt(0)) % 997;
  return sum % HUES;
}

export const initialOf = (name) => (name ? [...name][0].toUpperCase() : "–");

export const count = (number) => (number > 99 ? "99+" : String(number));
