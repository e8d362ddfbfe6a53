// What a look does to a picture: in words, as a turn of the card, and in time.

import { ease } from "./tools.js";

export const ASIS = { flip: false, turns: 0, zoom: 1, tilt: 0, shift: 0 };

/** Returns what a look is called; of several models, whose it is too. */
export const called = ({ model, label }) => (model ? `${model}, ${label}` : label);

/** Whether a look moves the picture, so that its answer must be turned back. */
export const moves = (look) =>
  Boolean(look.flip || look.turns || look.tilt || look.shift || look.zoom !== 1);

/** Whether a look changes the light. */
export const lights = (look) =>
  look.gain !== undefined &&
  (look.gain !== 1 || look.contrast !== 1 || look.gamma !== 1 || look.noise !== 0);

/** Returns the verb for what a look does to the picture. */
export function verb(look) {
  if (look.flip) return "Mirror";
  if (look.turns) return "Turn";
  if (look.tilt) return "Tilt";
  if (look.shift) return "Shift";
  if (look.zoom !== 1) return look.zoom > 1 ? "Enlarge" : "Shrink";
  if (look.noise) return "Add noise";
  if (look.contrast !== 1) return look.contrast > 1 ? "More contrast" : "Less contrast";
  if (look.gain !== 1 || look.gamma !== 1)
    return look.gain > 1 || look.gamma < 1 ? "Brighten" : "Darken";
  return "As it is";
}

/** What a look does to the card, as an axis and degrees in the picture's plane or out of it. */
export function motion({ flip, turns, tilt }) {
  if (!flip) return { axis: "0,0,1", angle: [0, -90, 180, 90][turns] - tilt, flat: true };
  return { axis: ["0,1,0", "1,1,0", "1,0,0", "1,-1,0"][turns], angle: 180, flat: false };
}

/** A look from nearer dips first and then grows to full size: no part leaves the stage. */
export function zoomed(zoom, q) {
  if (zoom <= 1) return 1 + (zoom - 1) * q;
  const dip = 1 / zoom;
  return q < 0.4 ? 1 + (dip - 1) * ease(q / 0.4) : dip + (1 - dip) * ease((q - 0.4) / 0.6);
}

const LONGEST = { full: 9000, fast: 5200, solo: 2400 };

/** How long the k-th look takes beside the first: slow enough to understand, then faster. */
const pace = (k) => [1, 1, 0.66, 0.44, 0.44, 0.44, 0.36, 0.36][k] ?? 0.3;

/**
 * Returns the segments {v, k, phase, length} of a play in milliseconds; phase is "turn",
 * "answer", "back", "add", or once "end".
 *
 * @param looks of the scene; @param used which of them, in order
 * @param kind "full", "fast" or "solo"; @param still no motion: only the answers are added
 */
export function timeline(looks, used, kind, still = false) {
  const segments = [];
  const add = (v, k, phase, length) => segments.push({ v, k, phase, length });
  used.forEach((v, k) => {
    const f = pace(k);
    const changed = moves(looks[v]) || lights(looks[v]);
    if (changed && !still) add(v, k, "turn", 700 * f);
    if (!still) add(v, k, "answer", (changed ? 520 : 800) * f);
    if (changed && !still) add(v, k, "back", 600 * f);
    add(v, k, "add", still ? 500 : 400 * f);
  });
  if (kind !== "solo") add(-1, used.length, "end", 1100);
  const total = segments.reduce((sum, { length }) => sum + length, 0);
  const scale = Math.min(kind === "full" || still ? 1 : 0.7, LONGEST[kind] / total);
  return segments.map((segment) => ({ ...segment, length: segment.length * scale }));
}
