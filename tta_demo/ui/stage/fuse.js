// Combining looks again in the browser, and what that changed. Pure functions over a scene.

import { probability, weightOf } from "./unpack.js";

/**
 * Returns the labels after 1..K of the looks `used`, as `fuse` of the library says them.
 *
 * A look has no say where it saw nothing; where only looks of weight 0 saw a pixel, they count
 * the same. Each class is divided by its own weights, which matters only if they differ.
 *
 * @param how "mean" of probabilities, or "vote" of labels with ties by the mean
 */
export function combine(scene, used, how) {
  if (!scene.probs) return combineLabels(scene, used);
  const { classes, size } = scene;
  const sums = new Float32Array(classes * size);
  const weights = new Float32Array(classes * size);
  const perClass = scene.weights?.some(Array.isArray) ?? false;
  const weightless = used.some((v) => anyZero(scene, v)) ? new Float32Array(classes * size) : null;
  return used.map((v) => {
    for (let c = 0; c < classes; c++)
      if (how === "vote") addBallot(scene, v, c, used.length, sums);
      else addProbs(scene, v, c, sums, weights, weightless);
    return winners(sums, perClass || weightless ? weights : null, weightless, size, classes);
  });
}

/** Returns the majority of the labels after 1..K looks; how sure they are decides ties. */
function combineLabels({ classes, size, labels, seen, sure }, used) {
  const steps = used.map(() => new Uint8Array(size));
  const votes = new Float64Array(classes);
  for (let i = 0; i < size; i++) {
    let best = 0;
    used.forEach((v, k) => {
      const label = labels[v][i];
      if (!seen[v] || seen[v][i])
        votes[label] += 1 + ((sure ? sure[v][i] : 0) / 255) * (0.5 / used.length);
      if (votes[label] > votes[best]) best = label;
      steps[k][i] = best;
    });
    for (const v of used) votes[labels[v][i]] = 0;
  }
  return steps;
}

function anyZero(scene, v) {
  for (let c = 0; c < scene.classes; c++) if (!(weightOf(scene, v, c) > 0)) return true;
  return false;
}

function addProbs(scene, v, c, sums, weights, weightless) {
  const { size, probs, classes } = scene;
  const seen = scene.seen[v];
  const weight = weightOf(scene, v, c);
  const from = (v * (classes - 1) + c - 1) * size;
  for (let i = 0, at = c * size; i < size; i++, at++) {
    if (seen && !seen[i]) continue;
    const p = c ? probs[from + i] / 255 : probability(scene, v, c, i);
    sums[at] += weight * p;
    weights[at] += weight;
    if (weightless) weightless[at] += p;
  }
}

function addBallot(scene, v, c, count, sums) {
  const { size } = scene;
  const seen = scene.seen[v];
  const mine = scene.labels[v];
  for (let i = 0, at = c * size; i < size; i++, at++)
    if (!seen || seen[i])
      sums[at] += (mine[i] === c ? 1 : 0) + (0.5 / count) * probability(scene, v, c, i);
}

function winners(sums, weights, weightless, size, classes) {
  const out = new Uint8Array(size);
  for (let i = 0; i < size; i++) {
    let best = -1;
    for (let c = 0, at = i; c < classes; c++, at += size) {
      let score = sums[at];
      if (weights) score = weights[at] > 0 ? score / weights[at] : (weightless?.[at] ?? 0);
      if (score > best) {
        best = score;
        out[i] = c;
      }
    }
  }
  return out;
}

/**
 * Returns the scene as it would be if nobody turned the answers back: every look's answer lies
 * on the picture as the model gave it, in the middle.
 */
export function forgotten(scene) {
  const { size, labels, probs, sure, classes, width, height } = scene;
  const maps = scene.looks.map((look) => frameMap(look, width, height));
  const move = (plane, map) => plane && map.source.map((from) => (from < 0 ? 0 : plane[from]));
  const bytes = (plane, map) => Uint8Array.from(move(plane, map));
  const moved = probs && new Uint8Array(probs.length);
  if (probs)
    for (let plane = 0; plane * size < probs.length; plane++) {
      const map = maps[Math.floor(plane / (classes - 1))];
      moved.set(move(probs.subarray(plane * size, (plane + 1) * size), map), plane * size);
    }
  return {
    ...scene,
    labels: labels.map((plane, v) => bytes(plane, maps[v])),
    seen: scene.seen.map((plane, v) => {
      if (!maps[v].outside && !plane) return null;
      return Uint8Array.from(maps[v].source, (from) =>
        from < 0 || (plane && !plane[from]) ? 0 : 1,
      );
    }),
    probs: moved,
    sure: sure && sure.map((plane, v) => bytes(plane, maps[v])),
  };
}

/**
 * Returns for every pixel of the picture which pixel of it the look shows there; -1 for none.
 *
 * The model's frame lies with its middle on the picture's middle.
 */
export function frameMap(look, width, height) {
  const source = new Int32Array(width * height);
  const turn = (look.tilt * Math.PI) / 180;
  const cos = Math.cos(turn);
  const sin = Math.sin(turn);
  const right = Math.round(look.shift * Math.round(look.zoom * width));
  const down = Math.round(look.shift * Math.round(look.zoom * height));
  // a quarter turn of a picture with one odd side puts its pixels on halves: lean to one side
  const lean = 1e-6;
  let outside = false;
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
      outside ||= !inside;
    }
  return { source, outside };
}

/** Returns how many pixels were changed, fixed, broken, and are still wrong; and all wrong. */
export function countChanges(before, after, truth) {
  const counts = { changed: 0, fixed: 0, broken: 0, still: 0, wrong: 0 };
  for (let i = 0; i < before.length; i++) {
    if (before[i] !== after[i]) counts.changed++;
    if (!truth) continue;
    const was = before[i] === truth[i];
    const is = after[i] === truth[i];
    if (!is) counts.wrong++;
    if (was && !is) counts.broken++;
    else if (!was && is) counts.fixed++;
    else if (!was) counts.still++;
  }
  return counts;
}

/** What became of a pixel: "same", "fixed", "broken", "still" wrong, or "changed" (no truth). */
export function fate(before, after, truth, i) {
  if (!truth) return before[i] === after[i] ? "same" : "changed";
  const was = before[i] === truth[i];
  const is = after[i] === truth[i];
  if (was) return is ? "same" : "broken";
  return is ? "fixed" : "still";
}

/** Returns on how many pixels the looks that saw them are not of one opinion. */
export function countSplit(scene, used) {
  let split = 0;
  for (let i = 0; i < scene.size; i++) {
    let said = -1;
    for (const v of used) {
      if (scene.seen[v] && !scene.seen[v][i]) continue;
      if (said >= 0 && scene.labels[v][i] !== said) {
        split++;
        break;
      }
      said = scene.labels[v][i];
    }
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
  const planes = { all: 0, shared: 0, split: 0 };
  for (const key in planes) planes[key] = new Float32Array(scene.size);
  const unit = 1 / Math.log(Math.max(2, scene.classes));
  const add = scene.probs ? addProbsAt : addLabelAt;
  const mean = new Float64Array(scene.classes);
  for (let i = 0; i < scene.size; i++) {
    const here = { total: 0, own: 0, base: 0 };
    for (const v of used) {
      if (scene.seen[v] && !scene.seen[v][i]) continue;
      const weight = meanWeight(scene, v);
      here.total += weight;
      add(scene, v, i, weight, mean, here);
    }
    // where nobody saw anything, all is doubt
    const all = here.total ? unit * entropyOf(scene, used, i, mean, here) : 1;
    planes.all[i] = all;
    planes.shared[i] = here.total ? (unit * here.own) / here.total : 1;
    planes.split[i] = Math.max(0, all - planes.shared[i]);
  }
  return planes;
}

/** Adds a look's answer at a pixel to `mean`, and its entropy to `here.own`. */
function addProbsAt({ classes, probs, size }, v, i, weight, mean, here) {
  let left = 255;
  for (let c = 1, at = v * (classes - 1) * size + i; c < classes; c++, at += size) {
    left -= probs[at];
    mean[c] += (weight * probs[at]) / 255;
    here.own += weight * entropyTerm(probs[at] / 255);
  }
  const first = Math.max(0, left) / 255;
  mean[0] += weight * first;
  here.own += weight * entropyTerm(first);
}

/** The same where only its label is known: the other classes share the rest, in `here.base`. */
function addLabelAt({ classes, labels, sure }, v, i, weight, mean, here) {
  const own = sure ? sure[v][i] / 255 : 1;
  const rest = classes > 1 ? (1 - own) / (classes - 1) : 0;
  here.base += weight * rest;
  mean[labels[v][i]] += weight * (own - rest);
  here.own += weight * (entropyTerm(own) + (classes - 1) * entropyTerm(rest));
}

/** Returns the entropy of `mean`, and empties it for the next pixel. */
function entropyOf(scene, used, i, mean, { total, base }) {
  let entropy = 0;
  let left = scene.classes;
  const one = (c) => {
    if (!mean[c]) return;
    entropy += entropyTerm((mean[c] + base) / total);
    mean[c] = 0;
    left--;
  };
  if (scene.probs) for (let c = 0; c < scene.classes; c++) one(c);
  else for (const v of used) one(scene.labels[v][i]);
  return entropy + left * entropyTerm(base / total);
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
  let wrong = 0;
  let inside = 0;
  for (let i = 0; i < doubt.length; i++) {
    if (labels[i] === truth[i]) continue;
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
