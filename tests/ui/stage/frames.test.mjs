import assert from "node:assert/strict";
import { test } from "node:test";

import { nameBoxes } from "../../../tta_demo/ui/stage/frames.js";

/** A context that keeps the rectangles and the words; every letter is 10 wide. */
function paper(width, height) {
  const [rects, words] = [[], []];
  return {
    rects,
    words,
    canvas: { width, height },
    measureText: (text) => ({ width: 10 * text.length }),
    fillRect: (x, y, wide, high) => rects.push({ x, y, wide, high }),
    fillText: (text) => words.push(text),
  };
}

test("every box is named, no name lies on another, and all are in the picture", () => {
  const context = paper(420, 300);
  const boxes = [0, 0, 0.2, 50, 205, 130].map((at, i) => [at, at / 2, 210, 150, 1 + (i % 2), 0.5]);
  nameBoxes(context, 2, boxes, ["", "cat", "dining table"]);
  assert.equal(context.words.filter((word) => word === "cat").length, 3);
  assert.equal(context.rects.length, boxes.length);
  const { rects } = context;
  for (const a of rects) {
    assert.ok(a.x >= 0 && a.x + a.wide <= 420 && a.y >= 0 && a.y + a.high <= 300);
    for (const b of rects) {
      const apart =
        a.x + a.wide <= b.x || b.x + b.wide <= a.x || Math.abs(a.y - b.y) >= a.high - 1e-9;
      assert.ok(a === b || apart);
    }
  }
});
