// The stage of a detection: the boxes of every look, and how they settle into one set.

import { playingAgain } from "./again.js";
import { crossOut, frameBox, nameBoxes } from "./frames.js";
import { posing } from "./pose.js";
import { rowing } from "./rows.js";
import { arithmetic, boxAt, boxHeadline, settling } from "./settle.js";
import { shell } from "./shell.js";
import { INK, ease, legendItem, make, number, oncePerFrame, pixelAt, word } from "./tools.js";

const MODES = { one: "One look", together: "Together", changed: "Changed", truth: "Truth" };
/** How grey the photograph is behind what changed. */
const DIM = 0.55;
const PALE = [148, 163, 184];
/** So many classes have each its colour in the legend; of more, every box bears its name. */
const FEW = 5;

/** Brings the stage to life; gradio gives the four arguments, once for each time it is shown. */
export function mountBoxes(element, trigger, props, watch) {
  const ui = shell(element, trigger, "boxes", MODES);
  const { find } = ui;
  const picture = find(".picture");
  Object.assign(ui.state, { on: [], open: -1, pin: -1 });
  let shown = null; // the picture that has been played

  const step = (k = ui.state.k) => ui.scene.steps[k - 1];
  const figure = (n) => (ui.scene.unit === "boxes" ? number(n) : n.toFixed(1));
  const sure = (boxes) => boxes.filter((box) => box[5] >= ui.scene.threshold);
  const draws =
    (boxes, ...style) =>
    (context, unit) => {
      for (const box of boxes)
        frameBox(context, unit, box, style[0] ?? ui.scene.colors[box[4]], ...style.slice(1));
    };
  const truth = (context, unit) =>
    draws(ui.scene.truth ?? [], INK.still, 1.6, [5, 4])(context, unit);
  const layer = {
    look: (v) => draws(sure(ui.scene.looks[v].boxes)),
    together: (k) => draws(step(k).boxes),
    truth: () => draws(ui.scene.truth ?? [], null, 2.5, [6, 4]),
    /** What came of it in full colour, the rest pale; the truth dashed. */
    changed: (k) => (context, unit) => {
      const { boxes, gained, lost } = step(k);
      truth(context, unit);
      draws(
        boxes.filter((_, j) => !gained.includes(j)),
        PALE,
        1.6,
      )(context, unit);
      draws(
        gained.map((j) => boxes[j]),
        INK.fixed,
        4,
      )(context, unit);
      const gone = lost.map((i) => ui.scene.one[i]);
      draws(gone, INK.broken, 3)(context, unit);
      for (const box of gone) crossOut(context, unit, box);
    },
    settling: (k, p) => (context, unit) => {
      for (const { box, opacity, own } of settling(ui.scene, k, p)) {
        context.globalAlpha = opacity;
        frameBox(context, unit, box, ui.scene.colors[box[4]], own ? 1.2 : 2.5);
      }
    },
    /** The names of boxes, where there are too many classes for the legend. */
    names: (boxes) => (context, unit) => {
      const { names } = ui.scene;
      if (names.length > FEW + 1) nameBoxes(context, unit, boxes, names);
    },
    /** The boxes that one fused box was made of. */
    members: (j) => (context, unit) => {
      const from = step().members[j].map(([v, i]) => ui.scene.looks[v].boxes[i]);
      draws(from, INK.still, 1.1)(context, unit);
      draws([step().boxes[j]], null, 4.5)(context, unit);
    },
  };

  function drawAtRest() {
    if (!ui.card.resize()) return;
    const { mode, k, pin } = ui.state;
    const { one, truth: right } = ui.scene;
    const { boxes, lost } = step(k);
    const [now, shown] = {
      one: () => [draws(one), one],
      together: () => [layer.together(k), boxes],
      changed: () => [layer.changed(k), [...boxes, ...lost.map((i) => one[i])]],
      truth: () => [layer.truth(), right ?? []],
    }[mode]();
    ui.card.dim(mode === "changed" ? DIM : 0);
    ui.card.upright([
      [now, 1],
      [layer.names(shown), 1],
      [pin >= 0 ? layer.members(pin) : null, 1],
    ]);
  }

  function legend() {
    const { scene, state } = ui;
    const classes = scene.names.slice(1).map((name, c) => legendItem(name, scene.colors[c + 1]));
    const few = classes.length > FEW ? [] : classes;
    if (state.mode === "truth") return [legendItem("The right answer, dashed"), ...few];
    if (state.mode === "one") return [legendItem("One look"), ...few];
    if (state.mode === "together") return [legendItem(`${word(state.k)} together`), ...few];
    const { gained, lost } = step();
    const dashed = scene.truth ? [legendItem("the truth is dashed")] : [];
    return [
      legendItem(`${number(gained.length)} gained`, INK.fixed, "dot"),
      legendItem(`${number(lost.length)} lost`, INK.broken, "cross"),
      ...dashed,
    ];
  }

  function tell() {
    const { scene, state, play } = ui;
    const running = play.running() && play.phase() !== "end";
    ui.put(boxHeadline(scene, state.k, !running ? "" : play.landed() ? "on" : "first"));
    find(".legend").replaceChildren(...legend());
    find(".sum .alone").textContent = figure(scene.line[state.k - 1]);
    ui.card.portrait(find(".sum .thumb"), -1, layer.together(state.k));
    tellBox();
  }

  /** Says how the box that is pointed at came about. */
  function tellBox() {
    const { pin, k } = ui.state;
    const { scene } = ui;
    const name = pin >= 0 ? `${scene.names[step().boxes[pin][4]]}: ` : "";
    const text =
      pin >= 0
        ? arithmetic(scene, step(), pin, k)
        : "Point at a box, tap it, or go there by arrow keys: the boxes that made it.";
    find(".readout").replaceChildren(make("b", "", name), text);
    picture.setAttribute("aria-label", `Picture. ${name}${text}`);
  }

  const later = oncePerFrame(() => {
    if (ui.play.status !== "rest") return;
    drawAtRest();
    tellBox();
  });

  function point(j) {
    if (j === ui.state.pin) return;
    ui.state.pin = j;
    if (j >= 0 && ui.state.mode !== "changed") ui.set({ mode: "together" });
    later();
  }

  picture.addEventListener("pointermove", (event) => {
    if (!ui.scene || ui.play.status !== "rest" || event.pointerType !== "mouse") return;
    point(boxAt(step().boxes, pixelAt(event, ui.scene)));
  });
  picture.addEventListener("pointerleave", (event) => {
    if (ui.scene && event.pointerType === "mouse") point(-1);
  });
  picture.addEventListener("pointerdown", (event) => {
    if (!ui.scene) return;
    if (ui.play.status === "rest") point(boxAt(step().boxes, pixelAt(event, ui.scene)));
    else ui.play.finish();
  });
  picture.addEventListener("keydown", (event) => {
    if (!ui.scene) return;
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!by && event.key !== " ") return;
    event.preventDefault();
    if (event.key === " ") return ui.play.toggle();
    ui.play.finish();
    const count = step().boxes.length;
    if (count) point((ui.state.pin + by + count + (ui.state.pin < 0 && by < 0 ? 1 : 0)) % count);
    return ui.speak(find(".readout").textContent);
  });

  ui.card = posing(ui);
  ui.rows = rowing(ui, {
    cells: (_, v) => [make("span", "alone", figure(ui.scene.own[v]))],
    open: (v) => (ui.still.matches ? ui.set({ mode: "one" }) : ui.play.start("solo", v)),
  });
  ui.play = playingAgain(ui, {
    used: () => ui.scene.looks.map((_, v) => v),
    layers: {
      ...layer,
      answer: layer.look,
      back: layer.look,
      adding: (_, k, p) => [[layer.settling(k, ease(p)), 1]],
    },
    dim: DIM,
    forgot: () => false,
    begin: () => (ui.state.pin = -1),
    mode: () => "changed",
    together() {
      ui.state.pin = -1;
      if (ui.state.mode === "one") ui.state.mode = "together";
    },
    rest: drawAtRest,
    numbers: () => ({ line: ui.scene.line, own: ui.scene.own, unit: ui.scene.unit }),
  });

  ui.begin(
    {
      /** A picture plays when it is new, slowly if it is the first. */
      open(value) {
        const first = shown === null;
        const play = value.picture === shown ? "none" : first ? "full" : "fast";
        shown = value.picture;
        return { ...JSON.parse(value.about), play };
      },
      take(scene, same) {
        const { state } = ui;
        const keeps = same && (scene.truth || state.mode !== "truth");
        const mode = keeps ? state.mode : "changed";
        Object.assign(state, { mode, pin: -1, k: scene.looks.length });
        state.on = scene.looks.map(() => true);
        ui.card.place(scene);
        ui.rows.build();
        find(".h-alone").textContent = scene.unit === "boxes" ? "boxes" : "AP";
        ui.rows
          .all()
          .forEach((row, v) =>
            ui.card.portrait(row.querySelector(".thumb"), v, layer.look(v), { turned: true }),
          );
      },
      rest: drawAtRest,
      tell,
      resize: () => (ui.play.status === "rest" ? drawAtRest() : ui.play.frame()),
      clear: () => (shown = null),
    },
    props,
    watch,
  );
}
