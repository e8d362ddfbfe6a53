// Drawing: layers of labels over the photograph, its pose, small pictures of looks.

import { doubts, fate } from "./fuse.js";

export const INK = {
  fixed: [56, 189, 248],
  broken: [255, 138, 61],
  changed: [196, 181, 253],
  still: [226, 232, 240],
};
const RAMP = [
  [30, 27, 75],
  [124, 58, 237],
  [251, 113, 133],
  [254, 249, 195],
];
export const ASIS = { flip: false, turns: 0, zoom: 1, tilt: 0, shift: 0 };

export const clamp = (x, low, high) => Math.min(high, Math.max(low, x));
export const ease = (p) => (p < 0.5 ? 4 * p ** 3 : 1 - (2 - 2 * p) ** 3 / 2);
export const rgb = (color, alpha = 1) => `rgba(${color.join(",")},${alpha})`;
const abgr = ([r, g, b], alpha) => ((alpha << 24) | (b << 16) | (g << 8) | r) >>> 0;

export function make(tag, className = "", text = null) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== null) node.textContent = text;
  return node;
}

export function canvasOf(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas;
}

/** Returns a canvas whose pixels `fill` sets, as a Uint32Array of ABGR. */
function pixels(width, height, fill) {
  const canvas = canvasOf(width, height);
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  fill(new Uint32Array(image.data.buffer));
  context.putImageData(image, 0, 0);
  return canvas;
}

function atEdge(map, i, x, y, width, height) {
  const own = map[i];
  return (
    (x > 0 && map[i - 1] !== own) ||
    (x < width - 1 && map[i + 1] !== own) ||
    (y > 0 && map[i - width] !== own) ||
    (y < height - 1 && map[i + width] !== own)
  );
}

/** Labels as a see-through picture: tinted inside, solid at the edge, hatched where unseen. */
export function labelLayer(scene, map, seen = null, { width, height } = scene) {
  const inks = scene.colors.map((color) => [abgr(color, 120), abgr(color, 235)]);
  const grey = [abgr([148, 163, 184], 215), abgr([100, 116, 139], 215)];
  return pixels(width, height, (out) => {
    for (let y = 0, i = 0; y < height; y++)
      for (let x = 0; x < width; x++, i++)
        if (seen && !seen[i]) out[i] = grey[(x + y) % 8 < 4 ? 0 : 1];
        else if (map[i] !== scene.background)
          out[i] = inks[map[i]][atEdge(map, i, x, y, width, height) ? 1 : 0];
  });
}

/** What the light of a look does to a photograph, as `View.augment` computes it. */
function relit(look, photo) {
  const { width, height } = photo;
  const canvas = canvasOf(width, height);
  const context = canvas.getContext("2d");
  context.drawImage(photo, 0, 0, width, height);
  const image = context.getImageData(0, 0, width, height);
  const { data } = image;
  let mean = 0;
  for (let i = 0; i < data.length; i += 4) mean += data[i] + data[i + 1] + data[i + 2];
  mean /= 0.75 * data.length;
  for (let i = 0; i < data.length; i++) {
    if (i % 4 === 3) continue;
    let value = mean + look.contrast * (data[i] - mean);
    value = look.gain * value + (look.noise ? 255 * look.noise * gaussian() : 0);
    data[i] = 255 * clamp(value / 255, 0, 1) ** look.gamma;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

const gaussian = () =>
  Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());

export const lights = (look) =>
  look.gain !== undefined &&
  (look.gain !== 1 || look.contrast !== 1 || look.gamma !== 1 || look.noise !== 0);

/** All that draws on the stage; `ui` is what stage.js describes. */
export function drawing(ui) {
  const { find } = ui;
  const [stand, picture, frame, card] = [".stand", ".picture", ".frame", ".card"].map(find);
  const [photo, lit, overlay] = [".photo", ".lit", ".overlay"].map(find);
  const [shade, scan, edge] = [".shade", ".scan", ".edge"].map(find);
  let cache = new Map();
  let room = { width: 1, height: 1 }; // of the stand, in sides of the picture
  let drawn = null; // the picture that `photo` shows
  let last = null; // {mode, layer} at rest, to fade from

  const cached = (key, build) => {
    if (!cache.has(key)) cache.set(key, build());
    return cache.get(key);
  };

  /** The layers, by what they show; all at the picture's size. */
  const layer = {
    look: (v) =>
      cached(`look${v}`, () => {
        const { scene } = ui.fused;
        return labelLayer(scene, scene.labels[v], scene.seen[v]);
      }),
    answer: (v) => {
      const answered = ui.scene.answered[v];
      if (!answered) return cached(`back${v}`, () => backLayer(v));
      return cached(`answer${v}`, () => labelLayer(ui.scene, answered.data, null, answered));
    },
    back: (v) => cached(`back${v}`, () => backLayer(v)),
    together: (k) =>
      cached(`together${k}`, () =>
        ui.state.forget ? pile(k) : labelLayer(ui.scene, ui.fused.steps[k - 1]),
      ),
    truth: () => cached("truth", () => labelLayer(ui.scene, ui.scene.truth)),
    changed: (k) => cached(`changed${k}:${overlay.width}`, () => changedLayer(k)),
    doubt: (kind, k) => cached(`doubt${kind}${k}`, () => doubtLayer(planesOfDoubt(k)[kind])),
    flash: (k) => cached(`flash${k}`, () => flashLayer(k)),
  };
  const backLayer = (v) => {
    const { labels, seen } = ui.scene;
    return labelLayer(ui.scene, labels[v], seen[v]);
  };
  /** All answers on top of each other: their mean would show what little they agree on. */
  const pile = (k) => {
    const canvas = canvasOf(ui.scene.width, ui.scene.height);
    const context = canvas.getContext("2d");
    context.globalAlpha = 0.6;
    for (const v of ui.fused.used.slice(0, k)) context.drawImage(layer.look(v), 0, 0);
    return canvas;
  };
  const planesOfDoubt = (k) =>
    cached(`doubts${k}`, () => doubts(ui.fused.scene, ui.fused.used.slice(0, k)));

  function doubtLayer(plane) {
    const { width, height } = ui.scene;
    return pixels(width, height, (out) => {
      for (let i = 0; i < plane.length; i++) {
        const at = clamp(Math.sqrt(plane[i]), 0, 1) * 3; // the root shows small doubts, too
        const j = Math.min(2, Math.floor(at));
        const mixed = RAMP[j].map((c, n) => Math.round(c + (at - j) * (RAMP[j + 1][n] - c)));
        out[i] = abgr(mixed, Math.round(245 * clamp(at / 1.2, 0, 1)));
      }
    });
  }

  function flashLayer(k) {
    const { width, height } = ui.scene;
    const [before, after] = [ui.fused.steps[k - 2], ui.fused.steps[k - 1]];
    return pixels(width, height, (out) => {
      if (before) for (let i = 0; i < out.length; i++) if (before[i] !== after[i]) out[i] = ~0;
    });
  }

  /** Dots for fixed (or changed), crosses for broken, faint squares for still wrong. */
  function changedLayer(k) {
    const { scene } = ui;
    const { width, truth, size } = scene;
    const [before, after] = [scene.labels[0], ui.fused.steps[k - 1]];
    const unit = overlay.width / width;
    // where very much changed, larger marks would hide each other
    const crowded = ui.fused.counts.changed[k - 1] > 0.03 * scene.pixels;
    const dot = crowded ? 0.6 * unit : Math.max(unit, overlay.width / 300);
    const canvas = canvasOf(overlay.width, overlay.height);
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.drawImage(shapes(after), 0, 0, canvas.width, canvas.height);
    const paths = { fixed: new Path2D(), broken: new Path2D(), still: new Path2D() };
    paths.changed = paths.fixed;
    for (let i = 0; i < size; i++) {
      const kind = fate(before, after, truth, i);
      if (kind === "same") continue;
      const x = ((i % width) + 0.5) * unit;
      const y = (Math.floor(i / width) + 0.5) * unit;
      const path = paths[kind];
      if (kind === "still") path.rect(x - unit / 2, y - unit / 2, unit, unit);
      else if (kind === "broken") cross(path, x, y, 0.85 * dot);
      else disc(path, x, y, dot);
    }
    context.fillStyle = rgb(INK.still, 0.26);
    context.fill(paths.still);
    context.strokeStyle = rgb(INK.broken);
    context.lineWidth = 0.62 * dot;
    context.lineCap = "round";
    context.stroke(paths.broken);
    context.fillStyle = rgb(truth ? INK.fixed : INK.changed);
    context.fill(paths.fixed);
    return canvas;
  }

  /** What is marked, as pale shapes: without them the dots float in grey. */
  function shapes(map) {
    const { width, height, background } = ui.scene;
    const tint = [46, 110].map((alpha) => abgr([148, 163, 184], alpha));
    return pixels(width, height, (out) => {
      for (let y = 0, i = 0; y < height; y++)
        for (let x = 0; x < width; x++, i++)
          if (map[i] !== background) out[i] = tint[atEdge(map, i, x, y, width, height) ? 1 : 0];
    });
  }

  /** Fits the canvases to the stand; false while nothing can be seen. */
  function resize() {
    if (!ui.scene || !ui.image || !picture.offsetWidth) return false;
    const { width, height } = ui.scene;
    const wanted = Math.min(1400, picture.offsetWidth * Math.min(devicePixelRatio, 2));
    const scale = Math.max(1, Math.ceil(wanted / width));
    if (overlay.width === width * scale && overlay.height === height * scale && drawn === ui.image)
      return true;
    for (const canvas of [photo, overlay]) {
      canvas.width = width * scale;
      canvas.height = height * scale;
    }
    const context = photo.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(ui.image, 0, 0, photo.width, photo.height);
    drawn = ui.image;
    return true;
  }

  /** Gives the stand a shape that is neither tall nor flat, and the picture its place in it. */
  function place({ width, height }) {
    const ratio = width / height;
    const shape = clamp(ratio, 1, 1.9);
    stand.style.aspectRatio = String(shape);
    picture.style.width = `${100 * Math.min(1, ratio / shape)}%`;
    picture.style.height = `${100 * Math.min(1, shape / ratio)}%`;
    room = { width: Math.max(1, shape / ratio), height: Math.max(1, ratio / shape) };
  }

  /** Draws layers [canvas, alpha] on top of each other, within a part {x, y, width, height}. */
  function lay(list, part = null) {
    const context = overlay.getContext("2d");
    const { width, height } = overlay;
    context.clearRect(0, 0, width, height);
    context.imageSmoothingEnabled = false;
    context.save();
    if (part) {
      context.beginPath();
      context.rect(part.x * width, part.y * height, part.width * width, part.height * height);
      context.clip();
    }
    for (const [canvas, alpha] of list) {
      if (alpha < 0.004) continue;
      context.globalAlpha = alpha;
      context.drawImage(canvas, 0, 0, width, height);
    }
    context.restore();
  }

  /** Puts the card where look `look` sees it, `q` of the way, in a stand scaled by `base`. */
  function pose(look, q, base = 1) {
    const { width, height } = ui.scene;
    const { axis, angle, flat } = motion(look);
    const turned = (Math.abs(angle * q) * Math.PI) / 180;
    const [cos, sin] = [Math.abs(Math.cos(turned)), Math.abs(Math.sin(turned))];
    const [roomX, roomY] = [room.width * width, room.height * height];
    let scale = 1;
    // only as small as the turned corners need; what tilts stays in its frame
    if (flat && look.turns)
      scale = Math.min(
        1,
        roomX / (width * cos + height * sin),
        roomY / (width * sin + height * cos),
      );
    else if (!flat) {
      const fits = Math.min(1, roomX / height, roomY / width);
      scale = (1 - 0.22 * sin) * (look.turns % 2 ? 1 + (fits - 1) * q : 1);
    }
    scale *= zoomed(look.zoom, q);
    const shift = 100 * look.shift * q;
    frame.style.transform = `scale(${base})`;
    frame.classList.toggle("clips", Boolean(look.tilt || look.shift) && q > 0);
    card.style.transform = `perspective(1500px) translate(${shift}%,${shift}%) scale(${scale}) rotate3d(${axis},${angle * q}deg)`;
    shade.style.opacity = flat ? 0 : 0.45 * sin;
    edge.style.opacity = look === ASIS || look.tilt || look.shift ? 0 : q;
    lit.style.opacity = lights(look) ? q : 0;
  }

  /** The sweep runs down the screen, whichever way the picture is turned; returns what it passed. */
  function sweep(look, p) {
    // the direction that ends up pointing down
    const x = [0, -1, 0, 1][look.turns] * (look.flip ? -1 : 1);
    const y = [1, 0, -1, 0][look.turns];
    const along = x ? ["left", "width", "top", "height"] : ["top", "height", "left", "width"];
    const from = x + y > 0 ? p : 1 - p;
    scan.style.opacity = p > 0 && p < 1 ? 0.95 : 0;
    scan.style[along[0]] = `calc(${100 * from}% - 1.5px)`;
    scan.style[along[1]] = "3px";
    scan.style[along[2]] = "0";
    scan.style[along[3]] = "100%";
    const start = x + y > 0 ? 0 : 1 - p;
    return x ? { x: start, y: 0, width: p, height: 1 } : { x: 0, y: start, width: 1, height: p };
  }

  function dim(amount) {
    photo.style.filter = amount
      ? `grayscale(${amount}) brightness(${1 - 0.42 * amount}) contrast(${1 + 0.08 * amount})`
      : "";
  }

  /** Draws the stage at rest in its mode, `p` of the way from the mode before. */
  function rest(p = 1) {
    if (!resize()) return;
    const { mode, k, doubt } = ui.state;
    const layers = {
      picture: () => null,
      one: () => layer.look(0),
      together: () => layer.together(k),
      changed: () => layer.changed(k),
      doubt: () => layer.doubt(doubt, k),
      truth: layer.truth,
    };
    const now = layers[mode]();
    pose(ASIS, 0);
    scan.style.opacity = 0;
    lay([...(last?.layer && p < 1 ? [[last.layer, 1 - p]] : []), ...(now ? [[now, p]] : [])]);
    const dark = (of) => (of === "changed" || of === "doubt" ? 1 : 0);
    const before = dark(last?.mode ?? mode);
    dim(before + (dark(mode) - before) * p);
    if (p >= 1) last = { mode, layer: now };
  }

  let fading = 0;
  function fade() {
    cancelAnimationFrame(fading);
    if (ui.still.matches || !last) return rest();
    const start = performance.now();
    const step = () => {
      const p = clamp((performance.now() - start) / 260, 0, 1);
      rest(p);
      if (p < 1) fading = requestAnimationFrame(step);
    };
    return step();
  }

  /** Draws a look's picture into a square canvas: as it was shown or turned back, with or
   *  without the answer; `cover` fills the square. */
  function portrait(canvas, v, { turned, answer, cover }) {
    const { width, height } = ui.scene;
    const side = canvas.width;
    const look = v >= 0 && turned ? ui.scene.looks[v] : ASIS;
    const context = canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, side, side);
    context.translate(side / 2, side / 2);
    const scale = side / (cover ? Math.min(width, height) : Math.max(width, height));
    context.translate(look.shift * width * scale, look.shift * height * scale);
    context.rotate((-look.turns * Math.PI) / 2 - (look.tilt * Math.PI) / 180);
    if (look.flip) context.scale(-1, 1);
    const zoom = Math.min(1, look.zoom) * scale;
    context.scale(zoom, zoom);
    const at = [-width / 2, -height / 2, width, height];
    context.imageSmoothingQuality = "high";
    context.drawImage(lights(look) ? litPhoto(v) : ui.image, ...at);
    context.imageSmoothingEnabled = scale < 1;
    if (!answer) return;
    context.drawImage(
      v < 0 ? layer.together(ui.state.k) : turned ? layer.answer(v) : layer.back(v),
      ...at,
    );
  }

  const litPhoto = (v) => cached(`photo${v}`, () => relit(ui.scene.looks[v], sized(ui.image)));
  const sized = (image) => {
    const canvas = canvasOf(ui.scene.width, ui.scene.height);
    canvas.getContext("2d").drawImage(image, 0, 0);
    return canvas;
  };

  return {
    layer,
    planesOfDoubt,
    resize,
    place,
    lay,
    pose,
    sweep,
    dim,
    rest,
    fade,
    portrait,
    light(v) {
      const look = ui.scene.looks[v];
      if (!look || !lights(look)) return;
      const from = litPhoto(v);
      [lit.width, lit.height] = [from.width, from.height];
      lit.getContext("2d").drawImage(from, 0, 0);
    },
    hush: () => cancelAnimationFrame(fading),
    /** Forgets layers; those that no fusion touches stay unless `all`. */
    forget(all) {
      if (all) last = null;
      const kept = [...cache].filter(([key]) => !all && /^(back|answer|truth|photo)/.test(key));
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

/** What a look does to the picture, as an axis and degrees in the picture's plane or out of it. */
export function motion({ flip, turns, tilt }) {
  if (!flip) return { axis: "0,0,1", angle: [0, -90, 180, 90][turns] - tilt, flat: true };
  return { axis: ["0,1,0", "1,1,0", "1,0,0", "1,-1,0"][turns], angle: 180, flat: false };
}

/** A look from nearer dips first and then grows to full size: no part leaves the stage. */
function zoomed(zoom, q) {
  if (zoom <= 1) return 1 + (zoom - 1) * q;
  const dip = 1 / zoom;
  return q < 0.4 ? 1 + (dip - 1) * ease(q / 0.4) : dip + (1 - dip) * ease((q - 0.4) / 0.6);
}
