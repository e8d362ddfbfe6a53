// Combining looks again in the browser, and what that changed. Pure functions over a scene.

import { probability, sees, weightOf } from "./unpack.js";

/**
 * Returns the labels after 1..K of the looks `used`, as `fuse` of the library says them.
 *
 * A look has no say where it saw nothing; where only looks of weight 0 saw a pixel, they count
 * the same. Each class is divided by its own weights, which matters only if they differ.
 *
 * @param how "mean" of probabilities, or "vote" of labels with ties by the mean; where only
 *   labels are known it is always the vote, and how sure the voters are decides ties
 */
export function combine(scene, used, how) {
  const { classes, size, labels, probs } = scene;
  const voting = how === "vote" || !probs;
  const steps = used.map(() => new Uint8Array(size));
  const [sums, weights, plain] = [0, 1, 2].map(() => new Float64Array(classes));
  const counts = used.map((v) =>
    Float64Array.from({ length: classes }, (_, c) => (voting ? 1 : weightOf(scene, v, c))),
  );
  const tie = 0.5 / used.length;
  for (let i = 0; i < size; i++) {
    for (const array of [sums, weights, plain]) array.fill(0);
    used.forEach((v, k) => {
      const label = labels[v][i];
      const [from, to] = probs ? [0, classes] : [label, label + 1];
      if (sees(scene, v, i))
        for (let c = from; c < to; c++) {
          const p = probability(scene, v, c, i);
          const said = voting ? (c === label ? 1 : 0) + tie * p : p;
          plain[c] += said;
          sums[c] += counts[k][c] * said;
          weights[c] += counts[k][c];
        }
      steps[k][i] = winner(voting ? null : weights, sums, plain);
    });
  }
  return steps;
}

function winner(weights, sums, plain) {
  let [best, most] = [0, -1];
  for (let c = 0; c < sums.length; c++) {
    const score = !weights ? sums[c] : weights[c] > 0 ? sums[c] / weights[c] : plain[c];
    if (score > most) [best, most] = [c, score];
  }
  return best;
}

/**
 * Returns what came of the looks that are on: `steps`, the labels after 1..K of them, and the
 * counts of each step. The server's own while they are those it fused, else made here.
 *
 * @param moved the scene with answers that were not turned back, or null
 */
export function fuseAgain(scene, on, moved) {
  const used = on.flatMap((flag, v) => (flag ? [v] : []));
  if (!moved && on.every((flag, v) => flag === scene.on[v])) {
    const { together: steps, steps: counts, alone } = scene;
    const line = counts.wrong ?? counts.changed;
    return { scene, used, steps, counts, line, alone, about: false };
  }
  const from = moved ?? scene;
  const steps = combine(from, used, scene.redo);
  const scale = scene.pixels / scene.size;
  const full = (n) => Math.round(scale * n);
  const each = steps.map((step) => countChanges(scene.labels[0], step, scene.truth));
  const counts = { split: used.map((_, k) => full(countSplit(from, used.slice(0, k + 1)))) };
  for (const key of ["changed", ...(scene.truth ? ["wrong", "fixed", "broken"] : [])])
    counts[key] = each.map((one) => full(one[key]));
  const against = scene.truth ?? scene.labels[0];
  const wrong = (plane, v, i) =>
    plane[i] !== against[i] && against[i] !== IGNORED && sees(from, v, i);
  const differs = (plane, v) => plane.reduce((sum, _, i) => sum + (wrong(plane, v, i) ? 1 : 0), 0);
  const alone = moved ? moved.labels.map((plane, v) => full(differs(plane, v))) : scene.alone;
  const line = counts.wrong ?? counts.changed;
  return { scene: from, used, steps, counts, line, alone, about: scale !== 1 };
}

/**
 * Returns the scene as it would be if nobody turned the answers back: every look's answer lies
 * on the picture as the model gave it, in the middle.
 */
export function forgotten(scene) {
  const { size, classes, width, height } = scene;
  const maps = scene.looks.map((look) => frameMap(look, width, height));
  const move = (plane, v) => Uint8Array.from(maps[v], (from) => (from < 0 ? 0 : plane[from]));
  const probs = scene.probs && new Uint8Array(scene.probs.length);
  for (let plane = 0; probs && plane * size < probs.length; plane++) {
    const own = scene.probs.subarray(plane * size, (plane + 1) * size);
    probs.set(move(own, Math.floor(plane / (classes - 1))), plane * size);
  }
  const seen = maps.map((map, v) =>
    Uint8Array.from(map, (from) => (from >= 0 && sees(scene, v, from) ? 1 : 0)),
  );
  return { ...scene, labels: scene.labels.map(move), seen, probs, sure: scene.sure?.map(move) };
}

/**
 * Returns for every pixel of the picture which pixel of it the look shows there; -1 for none.
 *
 * The model's frame lies with its middle on the picture's middle.
 */
export function frameMap(look, width, height) {
  const source = new Int32Array(width * height);
  const turn = (look.tilt * Math.PI) / 180;
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  const right = Math.round(look.shift * Math.round(look.zoom * width));
  const down = Math.round(look.shift * Math.round(look.zoom * height));
  // a quarter turn of a picture with one odd side puts its pixels on halves: lean to one side
  const lean = 1e-6;
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i++) {
      let u = x + 0.5 - width / 2;
      let v = y + 0.5 - height / 2;
      for (let quarter = 0; quarter < look.turns; quarter++) [u, v] = [-v, u];
      if (look.flip) u = -u;
      [u, v] = [u - right, v - down];
      [u, v] = [cos * u - sin * v, sin * u + cos * v];
      const column = Math.floor(u / look.zoom + width / 2 + lean);
      const row = Math.floor(v / look.zoom + height / 2 + lean);
      const inside = column >= 0 && column < width && row >= 0 && row < height;
      source[i] = inside ? row * width + column : -1;
    }
  return source;
}

/** The class of pixels that count nowhere; as in the package. */
export const IGNORED = 255;

/** What became of a pixel: "same", "fixed", "broken", "still" wrong, or "changed" (no truth). */
export function fate(before, after, truth, i) {
  if (!truth) return before[i] === after[i] ? "same" : "changed";
  if (truth[i] === IGNORED) return "same";
  const was = before[i] === truth[i];
  const is = after[i] === truth[i];
  if (was) return is ? "same" : "broken";
  return is ? "fixed" : "still";
}

/** Returns how many pixels were changed, fixed, broken, and are still wrong; and all wrong. */
export function countChanges(before, after, truth) {
  const counts = { changed: 0, fixed: 0, broken: 0, still: 0, same: 0 };
  let changed = 0;
  for (let i = 0; i < before.length; i++) {
    counts[fate(before, after, truth, i)]++;
    if (before[i] !== after[i]) changed++;
  }
  const { fixed, broken, still } = counts;
  return { changed, fixed, broken, still, wrong: broken + still };
}

/** Returns on how many pixels the looks that saw them are not of one opinion. */
export function countSplit(scene, used) {
  let split = 0;
  for (let i = 0; i < scene.size; i++) {
    const first = used.find((v) => sees(scene, v, i));
    if (used.some((v) => sees(scene, v, i) && scene.labels[v][i] !== scene.labels[first][i]))
      split++;
  }
  return split;
}

/**
 * Returns the doubt of the looks `used` in three planes, 0..1 in units of log C.
 *
 * all: entropy of the mean answer; shared: mean of every look's own entropy; split: their
 * difference (the mutual information), the doubt that comes from the looks' disagreement.
 */
export function doubts(scene, used) {
  const { size, classes } = scene;
  const [all, shared, split] = [0, 1, 2].map(() => new Float32Array(size));
  const unit = 1 / Math.log(Math.max(2, classes));
  const weights = used.map((v) => meanWeight(scene, v));
  const mean = new Float64Array(classes);
  for (let i = 0; i < size; i++) {
    let [total, own, base] = [0, 0, 0]; // base: what every class has that no look named
    mean.fill(0);
    used.forEach((v, k) => {
      if (!sees(scene, v, i)) return;
      const label = scene.labels[v][i];
      const rest = scene.probs ? 0 : probability(scene, v, label ? 0 : 1, i);
      const [from, to] = scene.probs ? [0, classes] : [label, label + 1];
      for (let c = from; c < to; c++) {
        const p = probability(scene, v, c, i);
        mean[c] += weights[k] * (p - rest);
        own += weights[k] * entropyTerm(p);
      }
      own += weights[k] * (classes - 1) * entropyTerm(rest);
      base += weights[k] * rest;
      total += weights[k];
    });
    let whole = 0;
    const unnamed = entropyTerm(base / total);
    for (const p of mean) whole += p ? entropyTerm((p + base) / total) : unnamed;
    // where nobody saw anything, all is doubt
    all[i] = total ? unit * whole : 1;
    shared[i] = total ? (unit * own) / total : 1;
    split[i] = Math.max(0, all[i] - shared[i]);
  }
  return { all, shared, split };
}

const entropyTerm = (p) => (p > 0 && p < 1 ? -p * Math.log(p) : 0);

function meanWeight(scene, v) {
  const weight = scene.weights ? scene.weights[v] : 1;
  return Array.isArray(weight) ? weight.reduce((a, b) => a + b, 0) / weight.length : weight;
}

/** Returns which share of the wrong pixels lies in the most doubtful tenth; null without. */
export function errorsInDoubt(doubt, labels, truth) {
  if (!truth) return null;
  const cut = Float32Array.from(doubt).sort()[Math.floor(0.9 * doubt.length)];
  let [wrong, inside] = [0, 0];
  for (let i = 0; i < doubt.length; i++) {
    if (labels[i] === truth[i] || truth[i] === IGNORED) continue;
    wrong++;
    if (doubt[i] >= cut && doubt[i] > 0) inside++;
  }
  return wrong ? inside / wrong : null;
}

/** Returns the corner {x, y} of the square of `side` with the most marked pixels, and `most`. */
export function densest(marked, width, height, side) {
  const wide = width + 1;
  const sums = new Int32Array(wide * (height + 1));
  for (let y = 0; y < height; y++)
    for (let x = 0, row = 0; x < width; x++) {
      row += marked(y * width + x) ? 1 : 0;
      sums[(y + 1) * wide + x + 1] = sums[y * wide + x + 1] + row;
    }
  let best = { x: (width - side) >> 1, y: (height - side) >> 1, most: 0 };
  for (let y = 0; y + side <= height; y++)
    for (let x = 0; x + side <= width; x++) {
      const [top, bottom] = [y * wide, (y + side) * wide];
      const most =
        sums[bottom + x + side] - sums[bottom + x] - sums[top + x + side] + sums[top + x];
      if (most > best.most) best = { x, y, most };
    }
  return best;
}
