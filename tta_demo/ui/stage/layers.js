// The layers of a scene of labels: what looks say, what changed, how much is in doubt.

import { doubts, fate } from "./fuse.js";
import { INK, canvasOf, clamp, rgb } from "./tools.js";

const RAMP = [
  [30, 27, 75],
  [124, 58, 237],
  [251, 113, 133],
  [254, 249, 195],
];
const PALE = [148, 163, 184];
const abgr = ([r, g, b], alpha) => ((alpha << 24) | (b << 16) | (g << 8) | r) >>> 0;

/** Returns a canvas whose pixels `fill` sets, as a Uint32Array of ABGR. */
function pixels({ width, height }, fill) {
  const canvas = canvasOf(width, height);
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  fill(new Uint32Array(image.data.buffer));
  context.putImageData(image, 0, 0);
  return canvas;
}

/**
 * Labels as a see-through picture: tinted inside, solid at the edge, hatched where unseen.
 *
 * @param size {width, height} of the map, if it is not the scene's
 */
export function labelLayer({ colors, background, ...scene }, map, seen = null, size = scene) {
  const { width, height } = size;
  const inks = colors.map((color) => [abgr(color, 120), abgr(color, 235)]);
  const grey = [abgr(PALE, 215), abgr([100, 116, 139], 215)];
  return pixels(size, (out) => {
    for (let y = 0, i = 0; y < height; y++)
      for (let x = 0; x < width; x++, i++)
        if (seen && !seen[i]) out[i] = grey[(x + y) % 8 < 4 ? 0 : 1];
        else if (map[i] !== background) {
          const edge =
            (x > 0 && map[i - 1] !== map[i]) ||
            (x < width - 1 && map[i + 1] !== map[i]) ||
            (y > 0 && map[i - width] !== map[i]) ||
            (y < height - 1 && map[i + width] !== map[i]);
          out[i] = (inks[map[i]] ?? grey)[edge ? 1 : 0]; // the truth may leave pixels open
        }
  });
}

/** Returns the layers by what they show, made when they are first asked for. */
export function layering(ui) {
  let cache = new Map();
  const cached = (key, build) => {
    if (!cache.has(key)) cache.set(key, build());
    return cache.get(key);
  };
  const look = (v) =>
    cached(`look${v}`, () => {
      const { scene } = ui.fused;
      return labelLayer(scene, scene.labels[v], scene.seen[v]);
    });
  const back = (v) =>
    cached(`back${v}`, () => labelLayer(ui.scene, ui.scene.labels[v], ui.scene.seen[v]));
  const answer = (v) => {
    const own = ui.scene.answered[v];
    return own ? cached(`answer${v}`, () => labelLayer(ui.scene, own.data, null, own)) : back(v);
  };
  const together = (k) =>
    cached(`together${k}`, () =>
      ui.state.forget ? pile(k) : labelLayer(ui.scene, ui.fused.steps[k - 1]),
    );

  /** All answers on top of each other: their mean would show what little they agree on. */
  function pile(k) {
    const canvas = canvasOf(ui.scene.width, ui.scene.height);
    const context = canvas.getContext("2d");
    context.globalAlpha = 0.6;
    for (const v of ui.fused.used.slice(0, k)) context.drawImage(look(v), 0, 0);
    return canvas;
  }

  /** What the k-th answer changed, in white. */
  const flash = (k) =>
    cached(`flash${k}`, () => {
      const [before, after] = [ui.fused.steps[k - 2], ui.fused.steps[k - 1]];
      return pixels(ui.scene, (out) => {
        for (let i = 0; before && i < out.length; i++) if (before[i] !== after[i]) out[i] = ~0;
      });
    });

  const planes = (k) =>
    cached(`planes${k}`, () => doubts(ui.fused.scene, ui.fused.used.slice(0, k)));
  const doubt = (kind, k) =>
    cached(`doubt${kind}${k}`, () => {
      const plane = planes(k)[kind];
      return pixels(ui.scene, (out) => {
        for (let i = 0; i < plane.length; i++) {
          const at = clamp(Math.sqrt(plane[i]), 0, 1) * 3; // the root shows small doubts, too
          const j = Math.min(2, Math.floor(at));
          const mixed = RAMP[j].map((c, n) => Math.round(c + (at - j) * (RAMP[j + 1][n] - c)));
          out[i] = abgr(mixed, Math.round(245 * clamp(at / 1.2, 0, 1)));
        }
      });
    });

  /** Dots for fixed (or changed), crosses for broken, faint squares for still wrong. */
  function changed(k) {
    const { scene, fused } = ui;
    const { width, height, truth, size } = scene;
    const [before, after] = [scene.labels[0], fused.steps[k - 1]];
    // what is marked stays as pale shapes: without them the dots float in grey
    const shapes = cached(`shapes${k}`, () =>
      labelLayer({ ...scene, colors: scene.colors.map(() => PALE) }, after),
    );
    // where very much changed, larger marks would hide each other
    const crowded = fused.counts.changed[k - 1] > 0.03 * scene.pixels;
    return (context, unit) => {
      const dot = crowded ? 0.6 * unit : Math.max(unit, (unit * width) / 300);
      const opacity = context.globalAlpha;
      context.globalAlpha = 0.42 * opacity;
      context.drawImage(shapes, 0, 0, unit * width, unit * height);
      context.globalAlpha = opacity;
      const [fixed, broken, still] = [new Path2D(), new Path2D(), new Path2D()];
      for (let i = 0; i < size; i++) {
        const kind = fate(before, after, truth, i);
        if (kind === "same") continue;
        const x = ((i % width) + 0.5) * unit;
        const y = (Math.floor(i / width) + 0.5) * unit;
        if (kind === "still") still.rect(x - unit / 2, y - unit / 2, unit, unit);
        else if (kind === "broken") cross(broken, x, y, 0.85 * dot);
        else disc(fixed, x, y, dot);
      }
      context.fillStyle = rgb(INK.still, 0.26);
      context.fill(still);
      Object.assign(context, { strokeStyle: rgb(INK.broken), lineWidth: 0.62 * dot });
      context.lineCap = "round";
      context.stroke(broken);
      context.fillStyle = rgb(truth ? INK.fixed : INK.changed);
      context.fill(fixed);
    };
  }

  return {
    look,
    back,
    answer,
    together,
    flash,
    planes,
    doubt,
    changed,
    truth: () => cached("truth", () => labelLayer(ui.scene, ui.scene.truth)),
    /** Forgets layers; those that no fusion touches stay unless `all`. */
    forget(all) {
      const kept = [...cache].filter(([key]) => !all && /^(back|answer|truth)/.test(key));
      cache = new Map(kept);
    },
  };
}

function disc(path, x, y, radius) {
  path.moveTo(x + radius, y);
  path.arc(x, y, radius, 0, 7);
}

function cross(path, x, y, reach) {
  for (const down of [reach, -reach]) {
    path.moveTo(x - reach, y - down);
    path.lineTo(x + reach, y + down);
  }
}
