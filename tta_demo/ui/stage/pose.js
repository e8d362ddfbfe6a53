// The picture on a card: how it turns as a look sees it, and the layers that lie on it.

import { ASIS, called, lights, motion, moves, verb, zoomed } from "./looks.js";
import { canvasOf, clamp, ease } from "./tools.js";

/** What the light of a look does to a photograph, as `View.augment` computes it. */
function relit(look, photo, width, height) {
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

/** Returns what the ticker says in a segment, of a scene with looks. */
export function tickerOf({ v, k, phase }, looks, total, forgot = false) {
  if (phase === "end") return { title: "", steps: [], now: -1 };
  const look = looks[v];
  const undo = !moves(look) ? "Nothing to undo" : forgot ? "Forgotten" : "Undo";
  return {
    title: total ? `Look ${k + 1} of ${total}: ${called(look)}` : called(look),
    steps: [verb(look), "Answer", undo, total ? "Add" : "Done"],
    now: ["turn", "answer", "back", "add"].indexOf(phase),
  };
}

/**
 * Returns the card. A layer is a canvas over the whole picture, or a function that draws on the
 * overlay's context; layers come in lists of [layer, opacity].
 */
export function posing(ui) {
  const { find } = ui;
  const [stand, picture, frame, card] = [".stand", ".picture", ".frame", ".card"].map(find);
  const [photo, lit, overlay] = [".photo", ".lit", ".overlay"].map(find);
  const [shade, scan, edge] = [".shade", ".scan", ".edge"].map(find);
  const relights = new Map();
  let room = { width: 1, height: 1 }; // of the stand, in sides of the picture
  let drawn = null; // the picture that `photo` shows

  /** Gives the stand a shape that is neither tall nor flat, and the picture its place in it. */
  function place({ width, height }) {
    const ratio = width / height;
    const shape = clamp(ratio, 1, 1.9);
    stand.style.aspectRatio = String(shape);
    picture.style.width = `${100 * Math.min(1, ratio / shape)}%`;
    picture.style.height = `${100 * Math.min(1, shape / ratio)}%`;
    room = { width: Math.max(1, shape / ratio), height: Math.max(1, ratio / shape) };
    relights.clear();
  }

  /** Fits the canvases to the stand; false while nothing can be seen. */
  function resize() {
    if (!ui.scene || !picture.offsetWidth) return false;
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

  /** Draws layers on top of each other, within a part {x, y, width, height} of the picture. */
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
    for (const [layer, opacity] of list) {
      if (!layer || opacity < 0.004) continue;
      context.globalAlpha = opacity;
      if (typeof layer === "function") layer(context, width / ui.scene.width);
      else context.drawImage(layer, 0, 0, width, height);
    }
    context.restore();
  }

  /** Puts the card where `look` sees it, `q` of the way, in a stand scaled by `base`. */
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
    const forward = x + y > 0;
    const at = `calc(${100 * (forward ? p : 1 - p)}% - 1.5px)`;
    const line = x ? { left: at, width: "3px", top: "0", height: "100%" } : null;
    Object.assign(scan.style, line ?? { top: at, height: "3px", left: "0", width: "100%" });
    scan.style.opacity = p > 0 && p < 1 ? 0.95 : 0;
    const start = forward ? 0 : 1 - p;
    return x ? { x: start, y: 0, width: p, height: 1 } : { x: 0, y: start, width: 1, height: p };
  }

  /** Takes the photograph's colour away, 0..1 of it. */
  function dim(amount) {
    photo.style.filter = amount
      ? `grayscale(${amount}) brightness(${1 - 0.42 * amount}) contrast(${1 + 0.08 * amount})`
      : "";
  }

  const photoOf = (v) => {
    const look = ui.scene.looks[v] ?? ASIS;
    if (!lights(look)) return ui.image;
    const { width, height } = ui.scene;
    if (!relights.has(v)) relights.set(v, relit(look, ui.image, width, height));
    return relights.get(v);
  };

  /** Readies the photograph in the light of a look. */
  function light(v) {
    const from = photoOf(v);
    if (from === ui.image) return;
    [lit.width, lit.height] = [from.width, from.height];
    lit.getContext("2d").drawImage(from, 0, 0);
  }

  /**
   * Draws a moment of a look: the picture turns, is answered, and turns back.
   *
   * @param layers { under(k), answer(v), back(v) } give layers; without `back` the answer stays
   * @param time since the play began: the picture steps back, to have room to turn
   */
  function act({ v, k, phase }, p, time, layers) {
    const look = ui.scene.looks[v];
    const base = 1 - 0.07 * clamp(time / 350, 0, 1);
    if (phase === "turn") {
      pose(look, ease(p), base);
      lay([[k > 0 && layers.under(k), clamp(1 - 2.2 * p, 0, 1)]]);
    } else if (phase === "answer") {
      pose(look, 1, base);
      lay([[layers.answer(v), 1]], sweep(look, p));
    } else {
      sweep(look, 1);
      pose(look, 1 - ease(p), base);
      if (layers.back) lay([[p < 0.5 ? layers.answer(v) : layers.back(v), 1]]);
      else lay([[layers.answer(v), 1 - p]]);
    }
  }

  /** Puts the card upright, in a stand scaled by `base`, with layers on it. */
  function upright(list, base = 1) {
    pose(ASIS, 0, base);
    sweep(ASIS, 1);
    lay(list);
  }

  /** Draws a small picture of a look: upright or turned, with a layer; `cover` fills the square. */
  function portrait(canvas, v, layer, { turned = false, cover = true } = {}) {
    const { width, height } = ui.scene;
    const side = canvas.width;
    const scale = side / (cover ? Math.min(width, height) : Math.max(width, height));
    const context = canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, side, side);
    context.translate((side - scale * width) / 2, (side - scale * height) / 2);
    context.imageSmoothingQuality = "high";
    context.drawImage(photoOf(v), 0, 0, scale * width, scale * height);
    if (typeof layer === "function") layer(context, scale);
    else if (layer) context.drawImage(layer, 0, 0, scale * width, scale * height);
    const look = turned ? ui.scene.looks[v] : ASIS;
    const { axis, angle } = motion(look);
    const small = Math.min(1, look.zoom) * (look.tilt ? 0.86 : 1);
    const shift = 100 * look.shift;
    canvas.style.transform = `translate(${shift}%,${shift}%) scale(${small}) rotate3d(${axis},${angle}deg)`;
  }

  return { overlay, place, resize, lay, dim, light, act, upright, portrait };
}
