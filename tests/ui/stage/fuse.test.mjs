import assert from "node:assert/strict";
import { test } from "node:test";

import * as fuse from "../../../tta_demo/ui/stage/fuse.js";
import { probability, shareOf } from "../../../tta_demo/ui/stage/unpack.js";

const ASIS = { flip: false, turns: 0, zoom: 1, tilt: 0, shift: 0 };

/** Two classes, looks given as bytes of the second class, on one row of pixels. */
function scene(rows, more = {}) {
  const size = rows[0].length;
  return {
    size,
    width: size,
    height: 1,
    classes: 2,
    labels: rows.map((row) => Uint8Array.from(row, (p) => (p > 127 ? 1 : 0))),
    probs: Uint8Array.from(rows.flat()),
    seen: rows.map(() => null),
    sure: null,
    weights: null,
    looks: rows.map(() => ASIS),
    ...more,
  };
}

test("a mean of probabilities is not a majority of labels", () => {
  const three = scene([
    [120, 200],
    [120, 120],
    [250, 120],
  ]);
  assert.deepEqual([...fuse.combine(three, [0, 1, 2], "mean").at(-1)], [1, 1]);
  assert.deepEqual([...fuse.combine(three, [0, 1, 2], "vote").at(-1)], [0, 0]);
});

test("labels after 1..K looks follow the order of the looks in use", () => {
  const two = scene([[255], [0]]);
  assert.deepEqual(
    fuse.combine(two, [1, 0], "mean").map((map) => map[0]),
    [0, 0],
  );
  assert.deepEqual(
    fuse.combine(two, [0], "mean").map((map) => map[0]),
    [1],
  );
});

test("a look has no say where it saw nothing", () => {
  const seen = [Uint8Array.from([0, 1]), null];
  const two = scene(
    [
      [255, 255],
      [100, 100],
    ],
    { seen },
  );
  assert.deepEqual([...fuse.combine(two, [0, 1], "mean").at(-1)], [0, 1]);
  assert.equal(probability(two, 0, 1, 0), 0);
});

test("where only looks of weight 0 saw a pixel, they count the same", () => {
  const seen = [Uint8Array.from([0, 1]), null];
  const two = scene(
    [
      [0, 0],
      [255, 255],
    ],
    { seen, weights: [1, 0] },
  );
  assert.deepEqual([...fuse.combine(two, [0, 1], "mean").at(-1)], [1, 0]);
});

test("weights are shared out among the looks in use, for each class", () => {
  const two = scene([[255], [0]], {
    weights: [
      [0.2, 0.9],
      [0.8, 0.1],
    ],
  });
  assert.equal(shareOf(two, [0, 1], 0, 1), 0.9);
  assert.equal(shareOf(two, [0], 0, 0), 1);
  assert.equal(shareOf(two, [1], 0, 0), 0);
});

test("votes of many classes break a tie by how sure they are", () => {
  const labels = [[5], [9]].map((row) => Uint8Array.from(row));
  const sure = [[100], [200]].map((row) => Uint8Array.from(row));
  const two = scene([[0], [0]], { classes: 150, labels, sure, probs: null });
  assert.equal(fuse.combine(two, [0, 1], "mean").at(-1)[0], 9);
});

test("changes are counted by what they did", () => {
  const [before, after, truth] = [
    [0, 0, 1, 1, 2],
    [0, 1, 0, 2, 1],
    [0, 1, 1, 0, 0],
  ];
  assert.deepEqual(fuse.countChanges(before, after, truth), {
    changed: 4,
    fixed: 1,
    broken: 1,
    still: 2,
    wrong: 3,
  });
  const fates = before.map((_, i) => fuse.fate(before, after, truth, i));
  assert.deepEqual(fates, ["same", "fixed", "broken", "still", "still"]);
  assert.equal(fuse.fate(before, after, null, 1), "changed");
});

test("doubt is what the looks share and what they disagree about", () => {
  const bit = Math.log(2);
  const entropy = (p) => -(p * Math.log(p) + (1 - p) * Math.log(1 - p)) / bit;
  const two = scene([
    [255, 51, 0],
    [0, 51, 0],
  ]);
  const { all, shared, split } = fuse.doubts(two, [0, 1]);
  const near = (plane, wanted) =>
    wanted.forEach((value, i) => assert.ok(Math.abs(plane[i] - value) < 1e-6, `${plane[i]}`));
  near(all, [1, entropy(0.2), 0]);
  near(shared, [0, entropy(0.2), 0]);
  near(split, [1, 0, 0]);
});

test("doubt of labels spreads the rest over the other classes", () => {
  const labels = [Uint8Array.from([3])];
  const sure = [Uint8Array.from([51])];
  const flat = scene([[0]], { classes: 5, labels, sure, probs: null });
  assert.ok(Math.abs(fuse.doubts(flat, [0]).all[0] - 1) < 1e-6);
});

test("errors in the most doubtful tenth", () => {
  const doubt = Float32Array.from({ length: 20 }, (_, i) => i / 20);
  const truth = new Uint8Array(20);
  const labels = Uint8Array.from(truth, (_, i) => (i === 19 || i === 3 ? 1 : 0));
  assert.equal(fuse.errorsInDoubt(doubt, labels, truth), 0.5);
  assert.equal(fuse.errorsInDoubt(doubt, truth, truth), null);
});

test("the densest square is found, and the middle where nothing is marked", () => {
  const marked = new Set([5 * 10 + 7, 6 * 10 + 8, 0]);
  const best = fuse.densest((i) => marked.has(i), 10, 10, 2);
  assert.deepEqual(best, { x: 7, y: 5, most: 2 });
  assert.deepEqual(
    fuse.densest(() => false, 10, 10, 2),
    { x: 4, y: 4, most: 0 },
  );
});

test("a mirrored answer that is not turned back lies mirrored", () => {
  const map = fuse.frameMap({ ...ASIS, flip: true }, 3, 2);
  assert.deepEqual([...map], [2, 1, 0, 5, 4, 3]);
});

test("a half-size answer that is not enlarged leaves its surroundings unseen", () => {
  const source = fuse.frameMap({ ...ASIS, zoom: 0.5 }, 4, 4);
  assert.equal(source.filter((from) => from >= 0).length, 4);
});

test("pixels on which looks differ are counted once", () => {
  const three = scene([
    [255, 0, 255],
    [255, 255, 0],
    [255, 255, 0],
  ]);
  assert.equal(fuse.countSplit(three, [0, 1, 2]), 2);
  assert.equal(fuse.countSplit(three, [1, 2]), 0);
});
