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
/** So many seconds, in words. */
export function spanOf(seconds) {
  if (seconds % 60) return seconds === 1 ? "1 second" : `${seconds} seconds`;
  if (seconds % 3600) return seconds === 60 ? "1 minute" : `${seconds / 60} minutes`;
  return seconds === 3600 ? "1 hour" : `${seconds / 3600} hours`;
}

/** How long it is still, as a clock shows it; hours and days in words. */
export function remaining(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  const [minutes, hours] = [Math.floor(seconds / 60), Math.round(seconds / 3600)];
  if (hours >= 48) return `${Math.round(hours / 24)} days`;
  if (minutes >= 60) return hours === 1 ? "1 hour" : `${hours} hours`;
  return `${minutes}:${String(seconds % 60).padStart(2, "0")}`;
}

/** Of something that is over then, or only when somebody ends it. */
export const untilOf = (stamp) => (stamp ? `until ${whenOf(stamp)}` : "until it is lifted");
export const reasonOf = ({ reason }) => (reason ? `: ${reason}` : "");
/** `text` of the server, with the times in it as they are shown here. */
export const inOwnTime = (text) => text.replace(/\b\d{4}-\d\d-\d\dT[\d:]{8}(\.\d+)?Z/g, (stamp) => whenOf(stamp));
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
