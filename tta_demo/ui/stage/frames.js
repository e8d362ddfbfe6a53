// How a box is drawn: its frame, a cross, its name.

import { INK, clamp, rgb } from "./tools.js";

const DARK = [8, 13, 26];

/** Draws the frame of a box: a line in a colour on a darker one, seen on leaves and on earth. */
export function frameBox(
  context,
  unit,
  [left, top, right, bottom],
  color,
  width = 2.5,
  dash = [],
) {
  const fine = Math.max(0.3, context.canvas.width / 600);
  const place = [left, top, right - left, bottom - top].map((n) => n * unit);
  context.setLineDash(dash.map((n) => n * fine));
  for (const [ink, wide] of [
    [rgb(DARK, 0.75), width + 2],
    [rgb(color), width],
  ]) {
    context.strokeStyle = ink;
    context.lineWidth = wide * fine;
    context.strokeRect(...place);
  }
  context.setLineDash([]);
}

/** Crosses out a box. */
export function crossOut(context, unit, [left, top, right, bottom]) {
  context.strokeStyle = rgb(INK.broken);
  context.lineWidth = Math.max(2, context.canvas.width / 250);
  context.beginPath();
  context.moveTo(left * unit, top * unit);
  context.lineTo(right * unit, bottom * unit);
  context.moveTo(right * unit, top * unit);
  context.lineTo(left * unit, bottom * unit);
  context.stroke();
}

/** Writes the names of boxes into their upper left corners, none over another. */
export function nameBoxes(context, unit, boxes, names) {
  const { width, height } = context.canvas;
  const size = Math.max(9, width / 42);
  const [high, inset] = [1.5 * size, 0.5 * size]; // clear of the picture's round corners
  const taken = [];
  context.font = `600 ${size}px system-ui, sans-serif`;
  context.textBaseline = "middle";
  for (const [left, top, , , label] of boxes) {
    const wide = context.measureText(names[label]).width + 0.8 * size;
    const x = clamp(left * unit, inset, width - wide - inset);
    let y = clamp(top * unit, inset, height - high - inset);
    const covered = (other) =>
      x < other.x + other.wide && other.x < x + wide && Math.abs(y - other.y) < high;
    while (taken.some(covered)) y += high;
    taken.push({ x, y, wide });
    context.fillStyle = rgb(DARK, 0.82);
    context.fillRect(x, y, wide, high);
    context.fillStyle = "#fff";
    context.fillText(names[label], x + 0.4 * size, y + 0.78 * size);
  }
}
