// Reads {value, on, forget} as JSON, prints what the browser would combine, as base64.

import { readFileSync } from "node:fs";

import { combine, doubts, forgotten, fuseAgain } from "../../../tta_demo/ui/stage/fuse.js";
import { unpack } from "../../../tta_demo/ui/stage/unpack.js";

const { value, on, forget } = JSON.parse(readFileSync(0, "utf8"));
const scene = await unpack(value);
const moved = forget ? forgotten(scene) : null;
const { steps, used, counts } = fuseAgain(scene, on, moved);
const base64 = (array) =>
  Buffer.from(array.buffer, array.byteOffset, array.byteLength).toString("base64");
const again = combine(scene, used, scene.redo);
const planes = doubts(scene, used);
console.log(
  JSON.stringify({
    labels: base64(steps.at(-1)),
    again: base64(again.at(-1)),
    counts,
    doubts: Object.fromEntries(Object.entries(planes).map(([key, plane]) => [key, base64(plane)])),
  }),
);
