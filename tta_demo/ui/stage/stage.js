// The stage: one picture, everything that a model said of it, and the parts that show it.

import { drawing } from "./draw.js";
import { combine, countChanges, countSplit, forgotten } from "./fuse.js";
import { painting } from "./paint.js";
import { playing } from "./play.js";
import { pointing } from "./point.js";
import { showing } from "./show.js";
import { unpack } from "./unpack.js";

/**
 * Returns what came of the looks that are on: `steps`, the labels after 1..K of them, and the
 * counts of each step. The server's own while they are those it fused, else made here.
 */
export function fuseAgain(scene, on, moved) {
  const used = on.flatMap((flag, v) => (flag ? [v] : []));
  if (!moved && on.every((flag, v) => flag === scene.on[v])) {
    const { together: steps, steps: counts, alone } = scene;
    const line = counts.wrong ?? counts.changed;
    return { scene, used, steps, counts, line, alone, about: false };
  }
  const from = moved ?? scene;
  const steps = combine(from, used, scene.fusion.redo === "vote" ? "vote" : "mean");
  const scale = scene.pixels / scene.size;
  const full = (n) => Math.round(scale * n);
  const each = steps.map((step) => countChanges(scene.labels[0], step, scene.truth));
  const counts = { split: used.map((_, k) => full(countSplit(from, used.slice(0, k + 1)))) };
  for (const key of ["changed", ...(scene.truth ? ["wrong", "fixed", "broken"] : [])])
    counts[key] = each.map((one) => full(one[key]));
  const against = scene.truth ?? scene.labels[0];
  const differs = (plane, seen) =>
    plane.reduce((sum, c, i) => sum + (c !== against[i] && (!seen || seen[i]) ? 1 : 0), 0);
  const alone = moved ? moved.labels.map((p, v) => full(differs(p, moved.seen[v]))) : scene.alone;
  const line = counts.wrong ?? counts.changed;
  return { scene: from, used, steps, counts, line, alone, about: scale !== 1 };
}

/** Brings the stage to life; gradio gives the four arguments, once for each time it is shown. */
export function mount(element, trigger, props, watch) {
  const root = element.querySelector(".stage-grid");
  const ui = {
    root,
    trigger,
    mini: element.querySelector(".mini"),
    find: (selector) => root.querySelector(selector),
    all: (selector) => [...root.querySelectorAll(selector)],
    still: matchMedia("(prefers-reduced-motion: reduce)"),
    scene: null, // of unpack.js
    image: null, // the photograph
    moved: null, // the scene with answers that were not turned back
    fused: null, // of fuseAgain
    state: {
      mode: "changed",
      doubt: "all",
      k: 1, // how many looks are shown together
      on: [], // which looks take part
      forget: false,
      pin: null, // the pixel that was chosen
      hover: null, // the pixel under the mouse
      keyed: false, // whether it was chosen by key, and is to be read out
      open: -1, // the look whose three pictures are shown
      why: "",
    },
  };
  let newest = 0;
  let received = null; // the value on screen

  let sweep = null;
  ui.busy = (on) => {
    ui.find(".busy").classList.toggle("on", on);
    sweep?.cancel();
    const path = [{ top: "0" }, { top: "100%" }, { top: "0" }];
    const endless = { duration: 1600, iterations: Infinity };
    sweep = on && !ui.still.matches ? ui.find(".busy i").animate(path, endless) : null;
  };

  ui.refresh = () => {
    ui.show.tell();
    ui.point.sum();
    ui.point.inspect();
  };

  /** Changes what is shown, at rest. */
  ui.set = (changes) => {
    ui.play.finish();
    Object.assign(ui.state, changes);
    ui.refresh();
    ui.draw.fade();
    ui.point.marks();
  };

  function fuse() {
    const { scene, state } = ui;
    if (state.forget) ui.moved ??= forgotten(scene);
    ui.fused = fuseAgain(scene, state.on, state.forget ? ui.moved : null);
    ui.draw.forget(false);
  }

  /** Takes a look out or in; combines again here where that is exact, else asks the server. */
  ui.switchLook = (v, on) => {
    const { state, scene } = ui;
    ui.play.finish();
    const all = state.k === ui.fused.used.length;
    const next = state.on.map((flag, other) => (other === v ? on : flag));
    if (next.some(Boolean)) {
      state.on = next;
      const here = scene.fusion.redo !== "ask";
      if (here) {
        fuse();
        state.k = all ? ui.fused.used.length : Math.min(state.k, ui.fused.used.length);
      } else ui.busy(true);
      const names = scene.looks.flatMap((look, n) => (next[n] ? [look.name] : []));
      trigger("switch", { on: names, fused: here });
    }
    if (state.mode === "picture" || state.mode === "one") state.mode = "together";
    ui.set({});
    ui.show.speak();
  };

  ui.openLook = (v) => {
    ui.play.finish();
    ui.state.open = v === ui.state.open ? -1 : v;
    ui.point.inspect();
    if (ui.state.open < 0) return;
    if (!ui.still.matches) ui.play.start("solo", v);
    trigger("select", { look: ui.scene.looks[v].name });
  };

  ui.draw = drawing(ui);
  ui.show = showing(ui);
  ui.play = playing(ui);
  ui.point = pointing(ui);
  ui.paint = painting(ui);

  async function read(value) {
    const mine = ++newest;
    const began = performance.now();
    if (!value) return clear();
    if (!value.data) return ui.busy(value.busy);
    const image = new Image();
    image.src = value.picture;
    const [scene] = await Promise.all([unpack(value), image.decode()]);
    if (mine !== newest) return undefined; // a newer one came meanwhile
    const same = received?.picture === value.picture && scene.play === "none";
    received = value;
    take(scene, image, same);
    ui.busy(value.busy);
    root.dataset.ready = String(Number(root.dataset.ready ?? 0) + 1);
    if (scene.play === "none" || ui.still.matches) settle();
    else {
      comeIntoView(scene.play);
      ui.play.start(scene.play);
    }
    return performance.measure("stage: value to drawn", { start: began });
  }

  /** Shows that there is no picture. */
  function clear() {
    if (ui.scene) {
      ui.play.finish();
      ui.paint.close();
      ui.draw.hush();
    }
    ui.scene = received = null;
    root.classList.remove("filled");
    ui.mini.classList.remove("on");
    ui.find(".say").textContent = "There is no picture yet: pick an example or upload one.";
    ui.find(".sub").textContent = "";
    ui.busy(false);
  }

  /** Puts a scene on stage; what was chosen before stays if it is the `same` picture. */
  function take(scene, image, same) {
    const { state } = ui;
    ui.play.finish();
    const looks = (of) => of?.looks.map((look) => look.name).join();
    const keepsOpen = same && looks(scene) === looks(ui.scene);
    const all = !same || state.k === ui.fused.used.length;
    const mode = same && (scene.truth || state.mode !== "truth") ? state.mode : scene.mode;
    Object.assign(ui, { scene, image, moved: null });
    Object.assign(state, { mode, on: [...scene.on], open: keepsOpen ? state.open : -1 });
    state.forget &&= same;
    ui.find(".forget").checked = state.forget;
    ui.draw.forget(true);
    fuse();
    state.k = all ? ui.fused.used.length : Math.min(state.k, ui.fused.used.length);
    ui.draw.place(scene);
    if (!same) {
      ui.paint.close();
      ui.point.goWhereMostChanged();
    }
    ui.point.build();
    ui.draw.resize();
    ui.point.thumbs();
    root.classList.add("filled");
  }

  function settle() {
    ui.refresh();
    if (ui.paint.active) return ui.paint.resume();
    ui.draw.rest();
    ui.point.marks();
    return ui.show.speak();
  }

  /** A picture that was chosen further down would play out of sight, on a phone. */
  function comeIntoView(play) {
    const place = ui.find(".stand").getBoundingClientRect();
    const out = place.bottom < 0.4 * place.height || place.top > innerHeight - 0.4 * place.height;
    if (play === "fast" && place.width && out) showItself();
  }

  function showItself() {
    root.scrollIntoView({ behavior: ui.still.matches ? "auto" : "smooth", block: "start" });
  }

  for (const button of ui.all(".modes button"))
    button.addEventListener("click", () => ui.scene && ui.set({ mode: button.dataset.mode }));
  const scrub = ui.find(".scrub");
  scrub.addEventListener("input", () => {
    if (!ui.scene) return;
    const k = Number(scrub.value);
    ui.play.finish();
    const seen = ui.state.mode === "picture" || ui.state.mode === "one";
    Object.assign(ui.state, { k, mode: seen ? "together" : ui.state.mode });
    ui.refresh();
    ui.draw.rest();
    ui.point.marks();
  });
  scrub.addEventListener("change", ui.show.speak);
  ui.find(".forget").addEventListener("change", (event) => {
    if (!ui.scene) return;
    ui.play.finish();
    ui.state.forget = event.target.checked;
    fuse();
    ui.point.thumbs();
    ui.point.showAlone();
    ui.set({ mode: ui.state.forget ? "together" : "changed", k: ui.fused.used.length });
    ui.show.speak();
  });
  ui.mini.querySelector(".mini-up").addEventListener("click", showItself);

  // gradio has no hook for the end of a component: what hangs outside of it lets go by itself
  const end = new AbortController();
  const alive = (act) => () => {
    if (root.isConnected) act();
    else end.abort();
  };
  ui.still.addEventListener(
    "change",
    alive(() => ui.still.matches && ui.play.finish()),
    {
      signal: end.signal,
    },
  );
  const sizes = new ResizeObserver(
    alive(() => {
      if (!ui.scene || !root.offsetWidth) return;
      ui.show.chart();
      ui.point.inspect();
      if (ui.paint.active) ui.paint.draw();
      else if (ui.play.status === "rest") ui.draw.rest();
      else ui.play.frame();
    }),
  );
  sizes.observe(root);
  const places = new IntersectionObserver((list) =>
    ui.mini.classList.toggle("on", Boolean(ui.scene) && !list.at(-1).isIntersecting),
  );
  places.observe(ui.find(".stand"));
  end.signal.addEventListener("abort", () => [sizes, places].forEach((one) => one.disconnect()));

  watch("value", () => read(props.value));
  // an address that names a scene brings it in a moment: the first example would only flash
  read(/[?&]world=/.test(location.search) ? { busy: true } : props.value);
}
