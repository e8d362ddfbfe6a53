// Painting the right answer on the stage: brush, eraser, undo; sent as bytes of class ids.

import { labelLayer } from "./layers.js";
import { arrowed, clamp, make, oncePerFrame, pixelAt, rgb } from "./tools.js";
import { deflated } from "./unpack.js";

const STEPS_BACK = 30;

/** Sets all pixels of `plane` within `radius` of the line from one pixel to another. */
export function stroke(plane, { width, height }, from, to, radius, value) {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const along = dx * dx + dy * dy;
  const reach = Math.ceil(radius);
  const [left, right] = [Math.min(from.x, to.x) - reach, Math.max(from.x, to.x) + reach];
  const [top, bottom] = [Math.min(from.y, to.y) - reach, Math.max(from.y, to.y) + reach];
  for (let y = Math.max(0, top); y <= Math.min(height - 1, bottom); y++)
    for (let x = Math.max(0, left); x <= Math.min(width - 1, right); x++) {
      const part = along ? clamp(((x - from.x) * dx + (y - from.y) * dy) / along, 0, 1) : 0;
      const away = Math.hypot(x - from.x - part * dx, y - from.y - part * dy);
      if (away <= radius)
        plane[y * width + x] = typeof value === "number" ? value : value[y * width + x];
    }
}

export function painting(ui) {
  const { find, all } = ui;
  const picture = find(".picture");
  const nib = find(".nib");
  const size = find(".width");
  const paint = { active: false };
  let plane = null;
  let start = null; // what the eraser brings back
  let past = [];
  let value = 1;
  let erasing = false;
  let last = null; // where the running stroke is
  let at = null; // where the keyboard's brush is

  const radius = () => Number(size.value) / 2;

  function open() {
    if (!ui.scene) return;
    ui.play.finish();
    const { scene } = ui;
    start = scene.truth?.slice() ?? new Uint8Array(scene.size).fill(scene.background ?? 0);
    plane = start.slice();
    past = [];
    at = { ...(ui.state.pin ?? { x: scene.width >> 1, y: scene.height >> 1 }) };
    buildPots();
    choose(scene.classes > 1 ? 1 : 0);
    show(true);
    draw();
    picture.focus({ preventScroll: true });
    find(".stand").scrollIntoView({ block: "nearest" });
  }

  function show(on) {
    paint.active = on;
    ui.root.classList.toggle("painting", on);
    find(".tools").hidden = !on;
    find(".bar").hidden = on;
    nib.classList.remove("on");
    lock(on);
    if (on) find(".legend").replaceChildren(make("span", "", "Paint what is really there"));
    ui.point.marks();
  }

  /** What is shown cannot be changed while somebody paints on it. */
  function lock(on) {
    const shut = ".modes button, .rows input, .rows .name, .forget, .step";
    for (const control of all(shut)) control.disabled = on;
  }

  /** Goes on after a new value has come. */
  function resume() {
    lock(true);
    draw();
  }

  function close() {
    if (!paint.active) return;
    show(false);
    ui.set({});
    find(".paint").focus({ preventScroll: true });
  }

  function buildPots() {
    const { names, colors } = ui.scene;
    find(".pots").replaceChildren(
      ...names.map((name, c) => {
        const pot = make("button", "pot");
        pot.type = "button";
        const swatch = make("i");
        swatch.style.background = rgb(colors[c]);
        pot.append(swatch, make("span", "", name));
        pot.addEventListener("click", () => choose(c));
        return pot;
      }),
    );
  }

  function choose(c) {
    erasing = c < 0;
    if (!erasing) value = c;
    all(".pot").forEach((pot, n) => pot.setAttribute("aria-pressed", String(n === c)));
    find(".erase").setAttribute("aria-pressed", String(erasing));
    find(".undo").disabled = !past.length;
    nib.style.borderColor = erasing ? "#fff" : rgb(ui.scene.colors[value]);
  }

  function remember() {
    past.push(plane.slice());
    if (past.length > STEPS_BACK) past.shift();
    find(".undo").disabled = false;
  }

  function undo() {
    if (!past.length) return;
    plane = past.pop();
    find(".undo").disabled = !past.length;
    draw();
  }

  function brush(from, to) {
    stroke(plane, ui.scene, from, to, radius(), erasing ? start : value);
    draw();
  }

  const draw = oncePerFrame(() => {
    if (!paint.active || !ui.card.resize()) return;
    ui.card.dim(0);
    ui.card.lay([[labelLayer(ui.scene, plane), 1]]);
  });

  function showNib({ x, y }) {
    const { width, height } = ui.scene;
    nib.classList.add("on");
    nib.style.left = `${(100 * (x + 0.5)) / width}%`;
    nib.style.top = `${(100 * (y + 0.5)) / height}%`;
    nib.style.width = `${(100 * (2 * radius() + 1)) / width}%`;
  }

  async function send() {
    const { width, height } = ui.scene;
    const data = await deflated(plane);
    close();
    ui.busy(true);
    ui.trigger("painted", { width, height, data });
  }

  picture.addEventListener("pointerdown", (event) => {
    if (!paint.active || event.button > 0) return;
    event.preventDefault();
    picture.setPointerCapture(event.pointerId);
    remember();
    last = at = pixelAt(event, ui.scene);
    brush(last, last);
    showNib(at);
  });
  picture.addEventListener("pointermove", (event) => {
    if (!paint.active) return;
    at = pixelAt(event, ui.scene);
    showNib(at);
    if (!last) return;
    brush(last, at);
    last = at;
  });
  for (const kind of ["pointerup", "pointercancel"])
    picture.addEventListener(kind, () => (last = null));
  picture.addEventListener("keydown", (event) => {
    if (!paint.active) return undefined;
    if (event.key === "Escape") return close();
    if (event.key === "z" && (event.ctrlKey || event.metaKey)) return undo();
    const moved = arrowed(event, at, ui.scene);
    if (!moved && event.key !== " ") return undefined;
    event.preventDefault();
    at = moved ?? at;
    showNib(at);
    if (moved) return undefined;
    remember();
    return brush(at, at);
  });
  find(".paint").addEventListener("click", open);
  find(".erase").addEventListener("click", () => choose(erasing ? value : -1));
  find(".undo").addEventListener("click", undo);
  find(".start-over").addEventListener("click", () => {
    remember();
    plane = ui.fused.steps.at(-1).slice();
    draw();
  });
  find(".cancel").addEventListener("click", close);
  find(".use").addEventListener("click", send);

  return Object.assign(paint, { close, draw, resume });
}
