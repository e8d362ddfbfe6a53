import assert from "node:assert/strict";
import { test } from "node:test";

import { rankingTimeline } from "../../../tta_demo/ui/stage/ranking.js";
import { saidOf } from "../../../tta_demo/ui/stage/verdict.js";

const lion = { name: "lion", share: 0.61, right: true };
const tiger = { name: "tiger", share: 0.74, right: false };
const SCENE = {
  truth: ["lion"],
  votes: false,
  one: lion,
  firsts: [lion, { ...lion, share: 0.74 }],
  watched: { one: 0.61, steps: [0.61, 0.74] },
};
const text = (parts) =>
  parts
    .map((part) => part.text)
    .join("")
    .replaceAll("\u00a0", " ");
const said = (more = {}, k = 2, playing = false) => {
  const { main, sub } = saidOf({ ...SCENE, ...more }, k, playing);
  return [text(main), text(sub)];
};

test("it says what came of it, plainly right or wrong", () => {
  assert.deepEqual(said(), [
    "One look said lion, 61.0 % ✓. Two looks together say lion, 74.0 % ✓.",
    "Right both times; the truth became 13.0 points more probable.",
  ]);
  const worse = { firsts: [lion, tiger], watched: { one: 0.61, steps: [0.61, 0.2] } };
  assert.deepEqual(said(worse), [
    "One look said lion, 61.0 % ✓. Two looks together say tiger, 74.0 % ✗.",
    "One look was right, together they are wrong; the truth became 41.0 points less probable.",
  ]);
  assert.match(said({ one: tiger })[1], /^One look was wrong, together they are right/);
  assert.match(said({ one: tiger, firsts: [tiger, tiger] })[1], /^Wrong both times/);
  assert.match(said({ watched: { one: 0.5, steps: [0.5, 0.50001] } })[1], /as probable as before/);
});

test("without a truth there is no tick, no cross and no verdict", () => {
  const unknown = { ...lion, right: null };
  const [main, sub] = said({ truth: null, one: unknown, firsts: [unknown, unknown] });
  assert.equal(main, "One look said lion, 61.0 %. Two looks together say lion, 61.0 %.");
  assert.match(sub, /^Name the true answer/);
  assert.match(said({ truth: [], one: tiger, firsts: [tiger, tiger] })[1], /no word for it/);
});

test("one look alone, votes, and the play have their own words", () => {
  assert.deepEqual(said({}, 1), ["One look says lion, 61.0 % ✓.", "That is right."]);
  assert.match(said({ votes: true })[0], /74.0 % of the votes ✓/);
  assert.deepEqual(said({}, 0, true), ["One look at the photograph …", ""]);
  assert.equal(said({}, 2, true)[1], "");
});

const look = (more) => ({ flip: false, turns: 0, zoom: 1, tilt: 0, shift: 0, ...more });

test("a play lets every look out, turned if it turns, and ends", () => {
  const looks = [look(), look({ flip: true }), look({ turns: 1 })];
  const phases = (segments) => segments.map(({ v, phase }) => `${v} ${phase}`).join(", ");
  const full = rankingTimeline(looks, [0, 1, 2], "full");
  const turned = [1, 2].map((v) => `${v} look, ${v} turn, ${v} fly, ${v} add`).join(", ");
  assert.equal(phases(full), `0 look, 0 fly, 0 add, ${turned}, -1 end`);
  assert.equal(phases(rankingTimeline(looks, [2], "solo")), "2 look, 2 turn, 2 fly");
  assert.equal(phases(rankingTimeline(looks, [0, 1], "full", true)), "0 add, 1 add, -1 end");
});

test("no play is longer than ten seconds", () => {
  const many = Array.from({ length: 19 }, () => look({ flip: true }));
  for (const kind of ["full", "fast"]) {
    const segments = rankingTimeline(many, [...many.keys()], kind);
    const total = segments.reduce((sum, { length }) => sum + length, 0);
    assert.ok(total <= 10000, `${kind} takes ${total} ms`);
  }
});
