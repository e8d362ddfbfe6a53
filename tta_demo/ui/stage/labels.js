// The stage of a segmentation: one picture, and everything that a model said of its pixels.

import { playingAgain } from "./again.js";
import { comparedWords } from "./compared.js";
import { forgotten, fuseAgain } from "./fuse.js";
import { layering } from "./layers.js";
import { factsOf, legendOf } from "./legend.js";
import { painting } from "./paint.js";
import { pointing } from "./point.js";
import { posing } from "./pose.js";
import { rowing } from "./rows.js";
import { headline } from "./say.js";
import { shell } from "./shell.js";
import { ease, number } from "./tools.js";
import { unpack } from "./unpack.js";

const MODES = {
  picture: "Picture",
  one: "One look",
  together: "Together",
  changed: "Changed",
  doubt: "Doubt",
  truth: "Truth",
};
/** Brings the stage to life; gradio gives the four arguments, once for each time it is shown. */
export function mountLabels(element, trigger, props, watch) {
  const ui = shell(element, trigger, "labels", MODES);
  const { find } = ui;
  Object.assign(ui, {
    moved: null, // the scene with answers that were not turned back
    fused: null, // of fuseAgain
  });
  Object.assign(ui.state, {
    doubt: "all",
    on: [], // which looks take part
    forget: false,
    pin: null, // the pixel that was chosen
    hover: null, // the pixel under the mouse
    keyed: false, // whether it was chosen by key, and is to be read out
    open: -1, // the look whose three pictures are shown
    why: "",
  });

  function fuse() {
    const { scene, state } = ui;
    const all = !ui.fused || state.k >= ui.fused.used.length;
    if (state.forget) ui.moved ??= forgotten(scene);
    ui.fused = fuseAgain(scene, state.on, state.forget ? ui.moved : null);
    state.k = all ? ui.fused.used.length : Math.min(state.k, ui.fused.used.length);
    ui.layer.forget(false);
    const { alone } = ui.fused;
    ui.rows
      .all()
      .forEach((row, v) => (row.querySelector(".alone").textContent = number(alone[v])));
  }

  /** Takes looks out or in; combines again here where that is exact, else asks the server. */
  function switched(on) {
    const { state, scene } = ui;
    ui.play.finish();
    const here = scene.redo !== "ask";
    state.on = on;
    if (here) fuse();
    else ui.busy(true);
    const names = scene.looks.flatMap((look, v) => (on[v] ? [look.name] : []));
    trigger("switch", { on: names, fused: here, at: performance.now() });
    ui.set(combinedMode());
    ui.speak();
  }

  /** A mode that shows what the looks say together. */
  const combinedMode = () =>
    ["picture", "one"].includes(ui.state.mode) ? { mode: "together" } : {};

  function openLook(v) {
    ui.play.finish();
    ui.state.open = v === ui.state.open ? -1 : v;
    ui.point.inspect();
    if (ui.state.open < 0) return;
    if (!ui.still.matches) ui.play.start("solo", v);
    trigger("select", { look: ui.scene.looks[v].name });
  }

  function drawAtRest() {
    if (ui.paint.active) return ui.paint.resume();
    if (!ui.card.resize()) return undefined;
    const { mode, k, doubt } = ui.state;
    const layers = {
      picture: () => null,
      one: () => ui.layer.look(0),
      together: () => ui.layer.together(k),
      changed: () => ui.layer.changed(k),
      doubt: () => ui.layer.doubt(doubt, k),
      truth: () => ui.layer.truth(),
    };
    ui.card.dim(mode === "changed" || mode === "doubt" ? 1 : 0);
    ui.card.upright([[layers[mode](), 1]]);
    return ui.point.marks();
  }

  ui.layer = layering(ui);
  ui.card = posing(ui);
  ui.rows = rowing(ui, { cells: (...row) => ui.point.cells(...row), open: openLook, switched });
  ui.play = playingAgain(ui, {
    used: () => ui.fused.used,
    layers: {
      ...ui.layer,
      adding(v, k, p) {
        const e = ease(p);
        const flash = [ui.layer.flash(k + 1), 0.9 * Math.sin(Math.PI * p)];
        return [[ui.layer.look(v), 1 - e], [ui.layer.together(k + 1), e], flash];
      },
    },
    dim: 1,
    forgot: () => ui.state.forget,
    begin(who) {
      if (who < 0) Object.assign(ui.state, { hover: null, open: -1 });
      ui.point.marks();
    },
    mode: () => ui.scene.mode,
    together: () => Object.assign(ui.state, combinedMode()),
    rest: drawAtRest,
    numbers: () => ({
      line: ui.fused.line,
      own: ui.fused.used.map((v) => ui.fused.alone[v]),
      unit: `${ui.scene.truth ? comparedWords(ui.scene.itself).wrong : "changed"} pixels`,
      about: ui.fused.about,
    }),
  });
  ui.point = pointing(ui);
  ui.paint = painting(ui);

  /** Puts a scene on stage; what was chosen before stays if it is the same picture. */
  function take(scene, same) {
    const { state } = ui;
    const names = scene.looks.map((look) => look.name).join();
    const keepsOpen = same && names === ui.names;
    const keepsMode = same && (scene.truth || state.mode !== "truth");
    Object.assign(state, { on: [...scene.on], mode: keepsMode ? state.mode : scene.mode });
    if (!keepsOpen) state.open = -1;
    if (!same) {
      ui.fused = null;
      state.forget = false;
    }
    ui.names = names;
    ui.moved = null;
    find(".forget").checked = state.forget;
    ui.card.place(scene);
    ui.layer.forget(true);
    ui.rows.build();
    fuse();
    ui.point.build();
    find('.modes [data-mode="truth"]').textContent = comparedWords(scene.itself).mode;
    if (!same) ui.point.goWhereMostChanged();
    thumbs();
    if (!same) ui.paint.close();
  }

  /** Draws the rows' small pictures, as the looks saw and answered them. */
  function thumbs() {
    ui.rows
      .all()
      .forEach((row, v) =>
        ui.card.portrait(row.querySelector(".thumb"), v, ui.layer.answer(v), { turned: true }),
      );
  }

  find(".close").addEventListener("click", () => openLook(-1));
  find(".forget").addEventListener("change", (event) => {
    if (!ui.scene) return;
    ui.play.finish();
    ui.state.forget = event.target.checked;
    fuse();
    ui.set({ mode: ui.state.forget ? "together" : "changed", k: ui.fused.used.length });
    ui.speak();
  });

  ui.begin(
    {
      open: unpack,
      take,
      rest: drawAtRest,
      tell() {
        ui.put(headline(factsOf(ui)));
        if (!ui.paint.active) find(".legend").replaceChildren(...legendOf(ui));
        find(".sum .alone").textContent = number(ui.fused.line[ui.state.k - 1]);
        ui.card.portrait(find(".sum .thumb"), -1, ui.layer.together(ui.state.k));
        ui.point.inspect();
      },
      resize() {
        ui.point.inspect();
        if (ui.play.status === "rest") drawAtRest();
        else ui.play.frame();
      },
      clear: () => ui.paint.close(),
    },
    props,
    watch,
    // an address that names a scene brings it in a moment: the first example would only flash
    /[?&]world=/.test(location.search) ? { busy: true } : props.value,
  );
}
