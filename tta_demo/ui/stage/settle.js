// Boxes that settle, and what came of them in words. Pure functions over a scene of boxes.

import { number, word } from "./tools.js";

const mix = (from, to, p) => from.map((n, i) => (i < 4 ? n + (to[i] - n) * p : to[i]));

/**
 * Returns the boxes while the k-th look (from 0) joins, `p` of the way: {box, opacity, own}.
 *
 * What was fused moves to where it is now; the look's own boxes (`own`) move into what they
 * became part of. Those that became nothing, or nothing sure enough, fade.
 */
export function settling({ looks, steps, threshold }, k, p) {
  const now = steps[k];
  const before = k ? steps[k - 1] : { boxes: [], members: [] };
  const home = new Map(); // from a member, as text, to the fused box that it is part of now
  now.members.forEach((members, j) => members.forEach((member) => home.set(String(member), j)));
  const moved = new Set();
  const out = [];
  before.boxes.forEach((box, j) => {
    const to = home.get(before.members[j].map(String).find((member) => home.has(member)));
    if (to === undefined || moved.has(to)) return out.push({ box, opacity: 1 - p });
    moved.add(to);
    return out.push({ box: mix(box, now.boxes[to], p), opacity: 1 });
  });
  now.boxes.forEach((box, j) => !moved.has(j) && out.push({ box, opacity: p }));
  looks[k].boxes.forEach((box, i) => {
    const to = home.get(String([k, i]));
    if (to !== undefined) out.push({ box: mix(box, now.boxes[to], p), opacity: 1 - p, own: true });
    else if (box[5] >= threshold) out.push({ box, opacity: 1 - p, own: true });
  });
  return out;
}

/** Returns the place of the smallest box around a point, -1 for none. */
export function boxAt(boxes, { x, y }) {
  let [best, least] = [-1, Infinity];
  boxes.forEach(([left, top, right, bottom], j) => {
    const area = (right - left) * (bottom - top);
    if (x < left || x > right || y < top || y > bottom || area >= least) return;
    [best, least] = [j, area];
  });
  return best;
}

/** Returns how the score of a fused box came about. */
export function arithmetic({ looks, shares, weights }, { boxes, members }, j, total) {
  const scores = members[j].map(([v, i]) => looks[v].boxes[i][5]);
  const told = members[j].map(([v], n) => `${looks[v].label} ${scores[n].toFixed(2)}`);
  const parts = told.join(", ");
  const score = boxes[j][5].toFixed(2);
  if (total === 1) return `${parts}.`;
  if (weights) {
    const all = weights.slice(0, total).reduce((a, b) => a + b, 0);
    const counts = members[j].map(([v]) => ((100 * weights[v]) / all).toFixed(0));
    const sum = told.map((part, n) => `${part} ×\u00a0${counts[n]}\u00a0%`).join(" + ");
    return `${sum} = ${score}.`;
  }
  if (!shares) return `${parts}: the best score counts, ${score}.`;
  const mean = scores.reduce((a, b) => a + b, 0) / scores.length;
  const share = Math.min(scores.length, total);
  return `${parts}: mean ${mean.toFixed(2)} × ${share} of ${total} looks = ${score}.`;
}

const looksOf = (k) => `${word(k)} look${k === 1 ? "" : "s"}`;

/**
 * Returns the sentence that says what came of it and a smaller one, each as parts {text, kind}.
 *
 * @param playing "first", "on" or ""
 */
export function boxHeadline(scene, k, playing) {
  const { steps, truth, thing, line, before, unit } = scene;
  const text = (...parts) => parts.map((part) => (part.text ? part : { text: part }));
  if (playing === "first") return { main: text("One look at the picture …"), sub: [] };
  const step = steps[k - 1];
  const things = (n) => `${number(n)} ${thing}${n === 1 ? "" : "s"}`;
  const found = truth
    ? `found ${step.found} of ${things(truth.length)}`
    : `found ${things(step.boxes.length)}`;
  const who = `${looksOf(k)}${k > 1 ? " together" : ""}`;
  if (playing) return { main: text(`${who} ${found}.`), sub: [] };
  const precise = truth?.length;
  const sub = text(
    !precise
      ? "With the right answer you see scores."
      : k < 2
        ? `${unit}: ${before.toFixed(1)}.`
        : change(),
  );
  function change() {
    const gain = (line[k - 1] - before).toFixed(1);
    const sign = gain > 0 ? "+" : gain < 0 ? "−" : "±";
    return `${unit}: ${before.toFixed(1)} with one look, ${line[k - 1].toFixed(1)} together (${sign}${Math.abs(gain)}).`;
  }
  return { main: text(...verdict(step, k, who, found, things)), sub };
}

function verdict({ gained, lost }, k, who, found, things) {
  const [more, less] = [gained.length, lost.length];
  const plus = { text: things(more), kind: "fixed" };
  if (k < 2) return [`${who} ${found}.`];
  if (!more && !less) return [`${who} found what one look found: no more, and no less.`];
  if (!more)
    return [`${who} lost `, { text: things(less), kind: "broken" }, " that one look found."];
  const missed = [`${who} found `, plus, " that one look missed"];
  if (!less) return [...missed, "."];
  const worse = less > more ? ", but lost " : ", and lost ";
  return [...missed, worse, { text: number(less), kind: "broken" }, "."];
}
