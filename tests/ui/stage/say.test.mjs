import assert from "node:assert/strict";
import { test } from "node:test";

import { verb } from "../../../tta_demo/ui/stage/looks.js";
import { contents, headline, percent } from "../../../tta_demo/ui/stage/say.js";
import { word } from "../../../tta_demo/ui/stage/tools.js";

const FACTS = {
  truth: true,
  pixels: 65536,
  alone: 2236,
  looks: 8,
  counts: { changed: 700, split: 900, wrong: 2113, fixed: 354, broken: 231 },
  about: false,
  forgot: false,
  playing: "",
};
const text = (parts) => parts.map((part) => part.text).join("");
const said = (facts) => text(headline({ ...FACTS, ...facts }).main);
const also = (facts) => text(headline({ ...FACTS, ...facts }).sub);
const counts = (more) => ({ counts: { ...FACTS.counts, ...more } });

test("what a picture holds is told, the most of it first", () => {
  const labels = Uint8Array.from([2, 2, 0, 2, 2, 2, 2, 0, 2, 4]);
  const names = ["soil", "crop", "weed", "dock", "moss"];
  assert.equal(contents(labels, names), "70.0 % weed, 20.0 % soil, 10.0 % moss");
  assert.equal(contents(Uint8Array.from([0, 1, 2, 3, 4]), names).split(", ").length, 4);
});

test("with a truth it says what was fixed and broken", () => {
  assert.equal(
    said({}),
    "One look got 2,236 pixels wrong. Eight looks together fixed 354 of them and broke 231.",
  );
  assert.equal(also({}), "123 fewer wrong pixels (−5.5 %) in a picture of 65,536.");
  assert.deepEqual(
    headline(FACTS).main.filter((part) => part.kind),
    [
      { text: "354", kind: "fixed" },
      { text: "231", kind: "broken" },
    ],
  );
});

test("what got worse is said plainly", () => {
  const worse = counts({ wrong: 2336, fixed: 100, broken: 200 });
  assert.match(said(worse), /fixed 100 of them but broke 200: worse\.$/);
  assert.equal(also(worse), "100 more wrong pixels (+4.5 %) in a picture of 65,536.");
});

test("where nothing changed it is neutral", () => {
  const none = counts({ changed: 0, wrong: 2236, fixed: 0, broken: 0 });
  assert.match(said(none), /Eight looks together made no difference\.$/);
  assert.match(also(none), /^As many wrong pixels as with one look/);
});

test("a perfect look can only be broken", () => {
  const facts = { alone: 0, ...counts({ wrong: 3, fixed: 0, broken: 3 }) };
  assert.equal(said(facts), "One look got every pixel right. Eight looks together broke 3.");
  assert.equal(also(facts), "3 more wrong pixels in a picture of 65,536.");
});

test("its own answer is never called the truth, nor what differs from it wrong", () => {
  assert.equal(
    said({ itself: true }),
    "One look differs from its own answer on the undamaged picture in 2,236 pixels. " +
      "Eight looks together restored 354 of them and lost 231.",
  );
  assert.match(also({ itself: true }), /^123 fewer different pixels .* is not the truth\.$/);
  assert.doesNotMatch(said({ itself: true, playing: "on" }), /wrong|right|truth/);
});

test("without a truth it says where to look", () => {
  const facts = { truth: false, ...counts({ changed: 1049, split: 2818 }) };
  assert.equal(
    said(facts),
    "Eight looks changed 1.6 % of the picture and disagree on 4.3 %: look there.",
  );
  const agree = { truth: false, ...counts({ changed: 0, split: 0 }) };
  assert.equal(said(agree), "Eight looks changed nothing and agree everywhere.");
});

test("estimates are called so", () => {
  assert.match(said({ about: true }), /fixed ≈ 354 of them and broke ≈ 231\.$/);
});

test("while it plays it tells no end before the end", () => {
  assert.equal(said({ playing: "first" }), "One look at the picture …");
  assert.match(said({ playing: "again", looks: 1 }), /Now it looks again …$/);
  assert.match(said({ playing: "on", looks: 3 }), /Three looks together: 2,113 wrong\.$/);
});

test("what is there is never called 0", () => {
  assert.equal(percent(0), "0.0 %");
  assert.equal(percent(0.0001), "under 0.1 %");
  assert.equal(percent(0.5, 0), "50 %");
});

test("small numbers are words", () => {
  assert.deepEqual([word(1), word(15), word(22)], ["One", "Fifteen", "22"]);
});

test("every look has a verb", () => {
  const look = { turns: 0, tilt: 0, shift: 0, zoom: 1, noise: 0, contrast: 1, gain: 1, gamma: 1 };
  assert.equal(verb(look), "As it is");
  assert.equal(verb({ ...look, flip: true, turns: 1 }), "Mirror");
  assert.equal(verb({ ...look, zoom: 0.5 }), "Shrink");
  assert.equal(verb({ ...look, gamma: 1.4 }), "Darken");
});
