import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";

import { stroke } from "../../../tta_demo/ui/stage/paint.js";
import { timeline } from "../../../tta_demo/ui/stage/looks.js";
import { deflated, inflate, bytesOf, unpack } from "../../../tta_demo/ui/stage/unpack.js";

const LOOK = {
  flip: false,
  turns: 0,
  zoom: 1,
  tilt: 0,
  shift: 0,
  gain: 1,
  contrast: 1,
  gamma: 1,
  noise: 0,
};
const MIRROR = { ...LOOK, flip: true };
const several = (count) => [LOOK, ...Array.from({ length: count - 1 }, () => MIRROR)];
const all = (looks) => looks.map((_, v) => v);
const length = (segments) => segments.reduce((sum, segment) => sum + segment.length, 0);

test("bytes come back from deflate and base64", async () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i % 7);
  assert.deepEqual(await inflate(bytesOf(await deflated(bytes))), bytes);
});

test("planes are told apart from their differences", async () => {
  const about = {
    width: 2,
    height: 1,
    names: ["a", "b"],
    on: [true, false],
    truth: true,
    answers: "probs",
    looks: [LOOK, { ...LOOK, zoom: 0.5, seen: true, answered: [1, 1] }],
  };
  // labels 01 and 11 (XOR 10), together 11 (10), truth 00 (01), seen 10, answered 1, probs
  const bytes = [0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 10, 200, 255, 128];
  const data = deflateSync(Uint8Array.from(bytes)).toString("base64");
  const scene = await unpack({ about: JSON.stringify(about), data });
  assert.deepEqual(
    scene.labels.map((plane) => [...plane]),
    [
      [0, 1],
      [1, 1],
    ],
  );
  assert.deepEqual([...scene.together[0]], [1, 1]);
  assert.deepEqual([...scene.truth], [0, 0]);
  assert.deepEqual([...scene.seen[1]], [1, 0]);
  assert.deepEqual([...scene.answered[1].data], [1]);
  assert.deepEqual([...scene.probs], [10, 200, 255, 128]);
  const short = deflateSync(Uint8Array.from([...bytes, 0])).toString("base64");
  await assert.rejects(unpack({ about: JSON.stringify(about), data: short }), /bytes came/);
});

test("a play of any length ends in time, and later ones are shorter", () => {
  for (const count of [2, 8, 15, 22]) {
    const looks = several(count);
    const full = length(timeline(looks, all(looks), "full"));
    assert.ok(full <= 9000.1, `${count} looks take ${full} ms`);
    assert.ok(length(timeline(looks, all(looks), "fast")) < full);
  }
  assert.ok(length(timeline(several(8), all(several(8)), "full")) > 8000);
});

test("what a look does not do is not played", () => {
  const phases = timeline([LOOK, MIRROR], [0, 1], "full").map((segment) => segment.phase);
  assert.deepEqual(phases, ["answer", "add", "turn", "answer", "back", "add", "end"]);
});

test("without motion the answers are only added", () => {
  const phases = timeline([LOOK, MIRROR], [0, 1], "full", true).map(({ phase }) => phase);
  assert.deepEqual(phases, ["add", "add", "end"]);
});

test("a stroke colours what the brush passes, and no more", () => {
  const plane = new Uint8Array(50);
  stroke(plane, { width: 10, height: 5 }, { x: 2, y: 2 }, { x: 6, y: 2 }, 0.5, 3);
  assert.deepEqual([...plane.slice(20, 30)], [0, 0, 3, 3, 3, 3, 3, 0, 0, 0]);
  assert.equal(plane.filter(Boolean).length, 5);
});

test("the eraser brings back what was there, also at the rim", () => {
  const start = Uint8Array.from({ length: 9 }, (_, i) => i);
  const plane = new Uint8Array(9).fill(7);
  stroke(plane, { width: 3, height: 3 }, { x: 0, y: 0 }, { x: 0, y: 0 }, 1, start);
  assert.deepEqual([...plane], [0, 1, 7, 3, 7, 7, 7, 7, 7]);
});
