// What the stage says, in words. Pure functions from numbers to text.

import { comparedWords } from "./compared.js";
import { number, word } from "./tools.js";

/** Returns a share 0..1 as text; what is there is never called 0. */
export function percent(share, digits = 1) {
  const text = (100 * share).toFixed(digits);
  const least = `${(10 ** -digits).toFixed(digits)} %`;
  return share > 0 && Number(text) === 0 ? `under ${least}` : `${text} %`;
}

/** Returns what labels hold, the most of it first: "61.0 % soil, 30.2 % Weed-2". */
export function contents(labels, names) {
  const counts = names.map(() => 0);
  for (const label of labels) counts[label]++;
  const there = names.map((name, c) => [counts[c], name]).filter(([n]) => n);
  there.sort(([a], [b]) => b - a);
  const shown = there.slice(0, 4).map(([n, name]) => `${percent(n / labels.length)} ${name}`);
  return shown.join(", ");
}

const plain = (text) => ({ text });
const mark = (text, kind) => ({ text, kind });
const looks = (k) => `${word(k)} look${k === 1 ? "" : "s"}`;

/**
 * Returns the sentence that says what came of it and a smaller one, each as parts {text, kind};
 * kind is "fixed", "broken" or undefined.
 *
 * @param facts { truth: bool, itself: bool, what it is compared with, pixels, alone: wrong of one look, looks: how many together,
 *   counts: {changed, split, wrong, fixed, broken}, about: counts are estimates,
 *   forgot: answers were not turned back, playing: "first" | "again" | "on" | "" }
 */
export function headline(facts) {
  if (facts.playing === "first") return { main: [plain("One look at the picture …")], sub: [] };
  const main = facts.truth ? withTruth(facts) : withoutTruth(facts);
  if (facts.playing) return { main, sub: [] };
  const sub = facts.truth
    ? difference(facts)
    : [plain("With the right answer you see what got better.")];
  return { main, sub };
}

function withTruth({ itself, alone, looks: k, counts, about, forgot, playing }) {
  const words = comparedWords(itself);
  const [fixes, breaks] = words.verbs;
  const some = (n) => (about ? `≈ ${number(n)}` : number(n));
  const start = words.start(alone && number(alone));
  const { wrong, fixed, broken } = counts;
  if (playing === "again") return [plain(`${start}Now it looks again …`)];
  if (playing) return [plain(`${start}${looks(k)} together: ${some(wrong)} ${words.wrong}.`)];
  if (forgot)
    return [
      plain(`${start}${looks(k)}, not turned back: `),
      mark(some(wrong), "broken"),
      plain("."),
    ];
  if (k < 2) return [plain(start.trim())];
  if (!fixed && !broken) return [plain(`${start}${looks(k)} together made no difference.`)];
  if (!alone)
    return [
      plain(`${start}${looks(k)} together ${breaks} `),
      mark(some(broken), "broken"),
      plain("."),
    ];
  const worse = wrong > alone;
  return [
    plain(`${start}${looks(k)} together ${fixes} `),
    mark(some(fixed), "fixed"),
    plain(` of them ${worse ? "but" : "and"} ${breaks} `),
    mark(some(broken), "broken"),
    plain(worse ? ": worse." : "."),
  ];
}

function withoutTruth({ looks: k, counts, pixels, forgot, playing }) {
  if (playing === "again" || k < 2)
    return [
      plain(playing ? "This is one look. Now it looks again …" : "This is what one look says."),
    ];
  const { changed, split } = counts;
  if (playing) return [plain(`${looks(k)} changed ${percent(changed / pixels)} of the picture.`)];
  if (forgot)
    return [
      plain(`${looks(k)}, not turned back, disagree on `),
      mark(percent(split / pixels), "broken"),
      plain("."),
    ];
  if (!changed && !split) return [plain(`${looks(k)} changed nothing and agree everywhere.`)];
  const start = changed
    ? `changed ${percent(changed / pixels)} of the picture`
    : "changed nothing";
  return [
    plain(`${looks(k)} ${start} and disagree on `),
    mark(percent(split / pixels), "fixed"),
    plain(": look there."),
  ];
}

function difference(facts) {
  const { wrong, caution } = comparedWords(facts.itself);
  return [plain(`${differenceIn(facts, wrong)}${caution}`)];
}

function differenceIn({ alone, looks: k, counts, pixels, about, forgot }, wrong) {
  if (forgot) return "Every answer lies where the look saw it, not where it belongs.";
  if (k < 2) return `That is ${percent(alone / pixels)} of the picture.`;
  const net = alone - counts.wrong;
  const size = `in a picture of ${number(pixels)}.`;
  if (!net) return `As many ${wrong} pixels as with one look, ${size}`;
  const share = alone ? ` (${net > 0 ? "−" : "+"}${percent(Math.abs(net) / alone)})` : "";
  const count = `${about ? "≈ " : ""}${number(Math.abs(net))}`;
  return `${count} ${net > 0 ? "fewer" : "more"} ${wrong} pixels${share} ${size}`;
}

/** Returns what the looks in use say of a pixel, as one plain sentence. */
export function opinion(tally, count, together, right, itself) {
  const [yes, no] = comparedWords(itself).right;
  const [votes, name] = tally[0] ?? [0, together];
  const who =
    count === 1
      ? "One look says"
      : `${votes === count ? `All ${count}` : `${votes} of ${count}`} looks say`;
  const verdict = right === null ? "" : right ? `, ${yes} ✓` : `, ${no} ✗`;
  return { who, name, together, verdict };
}
