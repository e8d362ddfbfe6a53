// The shell of a stage, whatever it shows: values that come and go, the sentence, the modes,
// a sign that it waits, and a bar with the sentence on a phone.

import { make } from "./tools.js";

/**
 * Returns `ui`, which all parts of a stage share: `scene`, `image`, `state` {mode, k}, and what
 * is below. A mount function makes it, adds `ui.play` (player.js), and calls `ui.begin(show)`:
 *
 *   open(value)          returns (a promise of) the scene; `scene.play` is "full", "fast", "none"
 *   take(scene, same)    it is on stage now; `same`: it is the picture that was there before
 *   rest(p), tell()      draws it at rest; says what is shown, in words and numbers
 *   resize()             the window has another size
 *   clear()              it is gone
 *
 * @param modes words of the buttons by key; `ui.set({mode})` is called
 */
export function shell(element, trigger, kind, modes) {
  const root = element.querySelector(".stage-grid");
  const mini = element.querySelector(".mini");
  const ui = {
    root,
    trigger,
    find: (selector) => root.querySelector(selector),
    all: (selector) => [...root.querySelectorAll(selector)],
    still: matchMedia("(prefers-reduced-motion: reduce)"),
    scene: null,
    image: null, // the photograph
    state: { mode: "changed", k: 1 }, // k: how many looks are shown together
  };
  root.dataset.kind = kind;
  let show = null;
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

  /** Puts parts {text, kind} as the sentence and the smaller one below it. */
  ui.put = ({ main, sub }) => {
    const pieces = (parts) =>
      parts.map(({ text, kind }) => (kind ? make("span", kind, text) : text));
    ui.find(".say").replaceChildren(...pieces(main));
    ui.find(".sub").replaceChildren(...pieces(sub));
    mini.querySelector(".mini-text").replaceChildren(...pieces(main));
  };

  ui.speak = (text = `${ui.find(".say").textContent} ${ui.find(".sub").textContent}`) => {
    ui.find(".live").textContent = text;
  };

  /** Renews all that is said. */
  ui.refresh = () => {
    for (const button of ui.all(".modes button")) {
      button.setAttribute("aria-pressed", String(button.dataset.mode === ui.state.mode));
      if (button.dataset.mode === "truth") button.hidden = !ui.scene.truth;
    }
    show.tell();
    ui.play.tell();
  };

  /** Changes what is shown, at rest. */
  ui.set = (changes) => {
    ui.play.finish();
    Object.assign(ui.state, changes);
    ui.refresh();
    show.rest();
  };

  async function read(value) {
    const mine = ++newest;
    const began = performance.now();
    if (!value) return clear();
    if (!value.about) return ui.busy(value.busy);
    const image = new Image();
    image.src = value.picture;
    const [scene] = await Promise.all([show.open(value), image.decode()]);
    if (mine !== newest) return undefined; // a newer one came meanwhile
    const alike = (key) => ui.scene?.[key] === scene[key];
    const again = scene.name && ["name", "width", "height"].every(alike); // perhaps damaged
    const same = scene.play === "none" && (received?.picture === value.picture || again);
    received = value;
    ui.play.finish();
    Object.assign(ui, { scene, image });
    show.take(scene, same);
    root.classList.add("filled");
    ui.busy(value.busy);
    root.dataset.ready = String(Number(root.dataset.ready ?? 0) + 1);
    if (scene.play === "none" || ui.still.matches) {
      ui.refresh();
      show.rest();
      ui.speak();
    } else {
      comeIntoView(scene.play);
      ui.play.start(scene.play);
    }
    return performance.measure("stage: value to drawn", { start: began });
  }

  /** Shows that there is no picture. */
  function clear() {
    if (ui.scene) {
      ui.play.finish();
      show.clear();
    }
    ui.scene = received = null;
    root.classList.remove("filled");
    mini.classList.remove("on");
    const main = [{ text: "There is no picture yet: pick an example or upload one." }];
    ui.put({ main, sub: [] });
    ui.busy(false);
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
  mini.querySelector(".mini-up").addEventListener("click", showItself);

  for (const [key, words] of Object.entries(modes)) {
    const button = make("button", "", words);
    button.type = "button";
    button.dataset.mode = key;
    button.addEventListener("click", () => ui.scene && ui.set({ mode: key }));
    ui.find(".modes").append(button);
  }

  // gradio has no hook for the end of a component: what hangs outside of it lets go by itself
  const end = new AbortController();
  const alive = (act) => () => {
    if (!root.isConnected) end.abort();
    else if (ui.scene && root.offsetWidth) act();
  };
  const stop = alive(() => ui.still.matches && ui.play.finish());
  ui.still.addEventListener("change", stop, { signal: end.signal });
  const sizes = new ResizeObserver(alive(() => [ui.play.tell(), show.resize()]));
  const places = new IntersectionObserver((list) =>
    mini.classList.toggle("on", Boolean(ui.scene) && !list.at(-1).isIntersecting),
  );
  end.signal.addEventListener("abort", () => [sizes, places].forEach((one) => one.disconnect()));

  /** Starts with a value, the one that is there, and takes every later one. */
  ui.begin = (how, props, watch, first = props.value) => {
    show = how;
    sizes.observe(root);
    places.observe(ui.find(".stand"));
    watch("value", () => read(props.value));
    read(first);
  };
  return ui;
}
