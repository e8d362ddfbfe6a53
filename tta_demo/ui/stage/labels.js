// The stage of a segmentation: one picture, and everything that a model said of its pixels.

import { forgotten, fuseAgain } from "./fuse.js";
import { layering } from "./layers.js";
import { factsOf, legendOf } from "./legend.js";
import { timeline } from "./looks.js";
import { painting } from "./paint.js";
import { player } from "./player.js";
import { pointing } from "./point.js";
import { posing, tickerOf } from "./pose.js";
import { rowing } from "./rows.js";
import { headline } from "./say.js";
import { shell } from "./shell.js";
import { clamp, ease, number } from "./tools.js";
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
    const here = scene.fusion.redo !== "ask";
    state.on = on;
    if (here) fuse();
    else ui.busy(true);
    const names = scene.looks.flatMap((look, v) => (on[v] ? [look.name] : []));
    trigger("switch", { on: names, fused: here });
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

  /** Draws a moment of the play. */
  function frame(segment, p, time) {
    if (!ui.card.resize()) return;
    if (ui.still.matches) return drawAtRest();
    const { v, k, phase } = segment;
    const { layer, card } = ui;
    const e = ease(p);
    if (phase === "end") {
      card.dim(ease(clamp(1.5 * p, 0, 1)));
      const later = ease(clamp(1.6 * p - 0.5, 0, 1));
      card.upright(
        [
          [layer.together(k), 1 - e],
          [layer.changed(k), later],
        ],
        0.93 + 0.07 * ease(clamp(2 * p, 0, 1)),
      );
    } else if (phase === "add" && ui.play.who >= 0)
      card.upright([[layer.look(v), 1]], 0.93 + 0.07 * e);
    else if (phase === "add") {
      const flash = [layer.flash(k + 1), 0.9 * Math.sin(Math.PI * p)];
      card.upright([[layer.look(v), 1 - e], [layer.together(k + 1), e], flash], 0.93);
    } else {
      const under = (n) => (ui.play.who < 0 ? layer.together(n) : null);
      const back = ui.state.forget ? null : layer.back;
      card.act(segment, p, time, { under, answer: layer.answer, back });
    }
  }

  function enter(segment) {
    const { v, k, phase } = segment;
    ui.rows.now(v);
    const alone = ui.play.who >= 0;
    if (phase === "end") ui.state.mode = "changed";
    else if (phase !== "add") ui.card.light(v);
    else if (!alone) {
      ui.state.k = k + 1;
      ui.rows.land(v, Math.max(240, 1.25 * segment.length));
    }
    if (phase === "end" || (phase === "add" && !alone)) ui.refresh();
    return tickerOf(segment, ui.scene.looks, alone ? 0 : ui.fused.used.length, ui.state.forget);
  }

  ui.layer = layering(ui);
  ui.card = posing(ui);
  ui.rows = rowing(ui, { cells: (...row) => ui.point.cells(...row), open: openLook, switched });
  ui.play = player(ui, {
    segments: (kind, who) =>
      timeline(ui.scene.looks, who < 0 ? ui.fused.used : [who], kind, ui.still.matches),
    begin(who) {
      if (who < 0) {
        Object.assign(ui.state, { mode: "together", hover: null, open: -1 });
        ui.rows.wait(ui.fused.used);
      }
      ui.card.dim(0);
      ui.point.marks();
    },
    enter,
    frame,
    end(who) {
      ui.rows.wait([]);
      ui.rows.now(-1);
      ui.set(who < 0 ? { mode: ui.scene.mode } : {});
    },
    go: () => {
      Object.assign(ui.state, combinedMode());
      drawAtRest();
    },
    numbers: () => ({
      line: ui.fused.line,
      own: ui.fused.used.map((v) => ui.fused.alone[v]),
      unit: ui.scene.truth ? "wrong pixels" : "changed pixels",
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
