/** Which parts of a text are what was searched for: as the server compares them, whatever their case and accents. */

const ASKED = /(-?)"([^"]*)("?)|(\S+)/gu;
const WORD = /[\p{L}\p{M}\p{N}]+/gu;
const WITHOUT_BLANKS = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}ー\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]+/gu;

const folded = (text) =>
  text
    .normalize("NFD")
    .replace(/\p{Mn}/gu, "")
    .toLowerCase();

/** `query` as {words, runs (of scripts without blanks), begun (the last word, which may be the beginning of one)}. */
function read(query) {
  const asked = { words: new Set(), runs: [], begun: null };
  for (const { 1: minus, 2: phrase, 3: end, 4: word } of query.matchAll(ASKED)) {
    asked.begun = null;
    if (minus || word?.startsWith("-")) continue;
    const text = phrase ?? word;
    asked.runs.push(...(text.match(WITHOUT_BLANKS) ?? []));
    const words = (text.replace(WITHOUT_BLANKS, " ").match(WORD) ?? []).map(folded);
    words.forEach((each) => asked.words.add(each));
    if (!end) asked.begun = words.at(-1) ?? null;
  }
  return asked;
}

/** Where `text` has something of `query`: pairs of where it begins and ends, in order, none within another. */
export function marksIn(text, query) {
  const { words, runs, begun } = read(query);
  const found = [];
  for (const { 0: word, index } of text.matchAll(WORD)) {
    const plain = folded(word);
    if (words.has(plain) || (begun && plain.startsWith(begun))) found.push([index, index + word.length]);
  }
  for (const run of runs)
    for (let at = text.indexOf(run); at >= 0; at = text.indexOf(run, at + run.length))
      found.push([at, at + run.length]);
  found.sort(([one], [other]) => one - other);
  return found.filter(([from], place) => place === 0 || from >= found[place - 1][1]);
}

const LONGEST = 320;
const BEFORE = 80;

/** `text` in parts, {text, isMarked}: all of it, or what stands around the first mark of a long one. */
export function excerpt(text, query) {
  const marks = marksIn(text, query);
  const from = text.length <= LONGEST ? 0 : Math.max(0, (marks[0]?.[0] ?? 0) - BEFORE);
  const to = Math.min(text.length, from + LONGEST);
  const parts = [{ text: from ? "…" : "" }];
  let at = from;
  for (const [begin, end] of marks.filter((mark) => mark[0] >= from && mark[1] <= to)) {
    parts.push({ text: text.slice(at, begin) }, { text: text.slice(begin, end), isMarked: true });
    at = end;
  }
  parts.push({ text: text.slice(at, to) }, { text: to < text.length ? "…" : "" });
  return parts.filter((part) => part.text);
}
