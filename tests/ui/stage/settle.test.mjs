import assert from "node:assert/strict";
import { test } from "node:test";

import * as settle from "../../../tta_demo/ui/stage/settle.js";

const BOX = [0, 0, 10, 10, 1, 0.9];
const MOVED = [2, 0, 12, 10, 1, 0.7];
const FUSED = [1, 0, 11, 10, 1, 0.8];

/** Two looks that found one plant, and the second one another that is not sure enough. */
const SCENE = {
  threshold: 0.3,
  thing: "plant",
  shares: true,
  truth: [BOX],
  unit: "AP .5:.95 in %",
  before: 60,
  line: [60, 65.5],
  looks: [
    { label: "Original", boxes: [BOX] },
    { label: "Mirror", boxes: [MOVED, [50, 50, 60, 60, 2, 0.1]] },
  ],
  steps: [
    { boxes: [BOX], members: [[[0, 0]]], gained: [], lost: [], found: 1 },
    {
      boxes: [FUSED],
      members: [
        [
          [0, 0],
          [1, 0],
        ],
      ],
      gained: [],
      lost: [],
      found: 1,
    },
  ],
};
const text = (parts) => parts.map((part) => part.text).join("");
const said = (more, k = 2, playing = "") => {
  const steps = [SCENE.steps[0], { ...SCENE.steps[1], ...more }];
  return text(settle.boxHeadline({ ...SCENE, steps }, k, playing).main);
};

test("boxes start where they were and end where they were fused", () => {
  const [start, end] = [0, 1].map((p) => settle.settling(SCENE, 1, p));
  assert.deepEqual(start[0].box.slice(0, 4), BOX.slice(0, 4));
  assert.deepEqual(start[1], { box: [...MOVED.slice(0, 4), 1, 0.8], opacity: 1, own: true });
  for (const { box } of end) assert.deepEqual(box, FUSED);
  assert.deepEqual(
    end.map(({ opacity }) => opacity),
    [1, 0],
  );
});

test("a box that is part of nothing any more fades where it was", () => {
  const steps = [SCENE.steps[0], { boxes: [], members: [] }];
  const drawn = settle.settling({ ...SCENE, steps }, 1, 0.25);
  assert.deepEqual(drawn[0], { box: BOX, opacity: 0.75 });
});

test("the smallest box under a point is meant", () => {
  const boxes = [
    [0, 0, 20, 20],
    [5, 5, 9, 9],
  ];
  assert.equal(settle.boxAt(boxes, { x: 6, y: 6 }), 1);
  assert.equal(settle.boxAt(boxes, { x: 1, y: 1 }), 0);
  assert.equal(settle.boxAt(boxes, { x: 30, y: 1 }), -1);
});

test("the arithmetic of a score is told as it was done", () => {
  const told = settle.arithmetic(SCENE, SCENE.steps[1], 0, 2);
  assert.equal(told, "Original 0.90, Mirror 0.70: mean 0.80 × 2 of 2 looks = 0.80.");
  const best = settle.arithmetic({ ...SCENE, shares: false }, SCENE.steps[1], 0, 2);
  assert.match(best, /the best score counts, 0\.80\.$/);
  const scene = { ...SCENE, weights: [0.1, 0.3, 0.6] };
  const weighed = settle.arithmetic(scene, SCENE.steps[1], 0, 2).replaceAll("\u00a0", " ");
  assert.equal(weighed, "Original 0.90 × 25 % + Mirror 0.70 × 75 % = 0.80.");
});

test("what came of it: gained, lost, nothing, and worse", () => {
  assert.equal(
    said({ gained: [0, 1, 2], lost: [0] }),
    "Two looks together found 3 plants that one look missed, and lost 1.",
  );
  assert.match(said({ gained: [0], lost: [0, 1] }), /found 1 plant that .* missed, but lost 2\.$/);
  assert.equal(said({ lost: [0] }), "Two looks together lost 1 plant that one look found.");
  assert.match(said({}), /found what one look found: no more, and no less\.$/);
  assert.equal(said({}, 1), "One look found 1 of 1 plant.");
  assert.equal(said({}, 2, "on"), "Two looks together found 1 of 1 plant.");
});

test("the score is told beside it, if there is one", () => {
  const sub = (scene) => text(settle.boxHeadline(scene, 2, "").sub);
  assert.equal(sub(SCENE), "AP .5:.95 in %: 60.0 with one look, 65.5 together (+5.5).");
  assert.match(sub({ ...SCENE, truth: null }), /With the right answer/);
});
