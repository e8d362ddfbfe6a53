// Showing words and numbers: the sentence, the legend, the chart over the scrubber.

import { INK, clamp, make, rgb } from "./draw.js";
import { errorsInDoubt } from "./fuse.js";
import { headline, number, percent, word } from "./say.js";

const DOUBTS = {
  all: ["All", "All doubt: how undecided the looks are together"],
  split: ["Disagree", "Doubt because the looks disagree: looking again may help"],
  shared: ["Shared", "Doubt that every look has by itself: looking again does not help"],
};

export function showing(ui) {
  const { find, all } = ui;
  const chart = find(".chart");
  const scrub = find(".scrub");

  /** Returns the numbers at the looks shown now. */
  function facts() {
    const { scene, fused, state, play } = ui;
    const at = state.k - 1;
    const counts = {};
    for (const key in fused.counts) counts[key] = fused.counts[key][at];
    return {
      truth: scene.truth !== null,
      pixels: scene.pixels,
      alone: scene.alone[0],
      looks: state.k,
      counts,
      about: fused.about,
      forgot: state.forget,
      playing: playing(play, state),
    };
  }

  function playing(play, state) {
    if (!play.running() || play.phase() === "end") return "";
    if (!play.landed()) return "first";
    return state.k < 2 ? "again" : "on";
  }

  function put(node, parts) {
    const pieces = parts.map(({ text, kind }) => (kind ? make("span", kind, text) : text));
    node.replaceChildren(...pieces);
  }

  function words() {
    const { main, sub } = headline(facts());
    put(find(".say"), main);
    put(find(".sub"), sub);
    put(ui.mini.querySelector(".mini-text"), main);
  }

  const speak = () => {
    find(".live").textContent = `${find(".say").textContent} ${find(".sub").textContent}`;
  };

  function counts() {
    const { fused, state, scene } = ui;
    const total = fused.used.length;
    const line = fused.line[state.k - 1];
    const unit = scene.truth ? "wrong pixels" : "changed pixels";
    find(".count b").textContent = (fused.about ? "≈ " : "") + number(line);
    find(".count span").textContent = unit;
    find(".count em").textContent = total === 1 ? "1 look" : `looks ${state.k} of ${total}`;
    scrub.max = total;
    scrub.value = state.k;
    const share = total > 1 ? (100 * (state.k - 1)) / (total - 1) : 100;
    scrub.style.setProperty("--at", `${share}%`);
    const spoken = `${state.k} of ${total} looks, ${number(line)} ${unit}`;
    scrub.setAttribute("aria-valuetext", spoken);
    find(".sum .alone").textContent = number(line);
  }

  function modes() {
    for (const button of all(".modes button")) {
      button.setAttribute("aria-pressed", String(button.dataset.mode === ui.state.mode));
      if (button.dataset.mode === "truth") button.hidden = !ui.scene.truth;
    }
  }

  function item(text, color = null, shape = "") {
    const span = make("span");
    if (color || shape) {
      const sign = make("i", shape);
      if (color) sign.style.background = sign.style.color = rgb(color);
      span.append(sign);
    }
    span.append(make("span", "", text));
    span.title = text;
    return span;
  }

  function legend() {
    const { scene, state } = ui;
    const about = facts();
    const classes = () => {
      const { names, colors, background } = scene;
      const shown = names.flatMap((name, c) => (c === background ? [] : [item(name, colors[c])]));
      const more = shown.length - 6;
      return more > 1 ? [...shown.slice(0, 6), item(`and ${more} more`)] : shown;
    };
    // many classes need all the room there is
    const lead = (text) => (scene.classes > 5 ? classes() : [item(text), ...classes()]);
    const together = () => {
      if (state.forget) return "All answers, not turned back";
      return ui.play.running() ? "The model marks" : `${word(state.k)} together mark`;
    };
    const build = {
      picture: () => [item("The picture, without an answer")],
      one: () => lead("One look marks"),
      together: () => lead(together()),
      truth: () => lead("The right answer"),
      changed: () => changes(about),
      doubt,
    };
    find(".legend").replaceChildren(...build[state.mode]());
  }

  function changes({ truth, counts: { changed, fixed, broken, wrong }, about }) {
    const some = (n) => (about ? "≈ " : "") + number(n);
    if (!truth) return [item(`${some(changed)} pixels changed`, INK.changed, "dot")];
    return [
      item(`${some(fixed)} fixed`, INK.fixed, "dot"),
      item(`${some(broken)} broken`, INK.broken, "cross"),
      item(`${some(wrong - broken)} still wrong`, [126, 133, 145]),
    ];
  }

  function doubt() {
    const { state, scene, fused } = ui;
    const kinds = make("span", "kinds");
    for (const [kind, [text, title]] of Object.entries(DOUBTS)) {
      const button = make("button", "", text);
      button.title = title;
      button.type = "button";
      button.setAttribute("aria-pressed", String(state.doubt === kind));
      button.addEventListener("click", () => ui.set({ doubt: kind }));
      kinds.append(button);
    }
    const ramp = make("span");
    ramp.append(make("b", "", "sure"), make("i", "ramp"), make("b", "", "in doubt"));
    const plane = ui.draw.planesOfDoubt(state.k)[state.doubt];
    const inside = errorsInDoubt(plane, fused.steps[state.k - 1], scene.truth);
    const told = inside === null ? [] : [item(`Worst tenth: ${percent(inside, 0)} of errors`)];
    return [kinds, ramp, ...told];
  }

  /** One look alone as a hollow dot, together as a line; on the scrubber's own x. */
  function drawChart() {
    const { scene, fused, state, play } = ui;
    const own = fused.used.map((v) => fused.alone[v]);
    const { line } = fused;
    const width = chart.clientWidth || 400;
    const height = chart.clientHeight || 66;
    chart.replaceChildren();
    chart.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const until = play.running() ? (play.landed() ? state.k : 0) : line.length;
    let [low, high] = [Math.min(...line), Math.max(...line)];
    const near = own.filter((n) => n <= high + 2.2 * (high - low) + 1);
    [low, high] = [Math.min(low, ...near), Math.max(high, ...near)];
    const x = (k) => 9 + (k * (width - 18)) / Math.max(1, line.length - 1);
    const y = (n) => 20 + ((high - n) / Math.max(1, high - low)) * (height - 30);
    const add = (tag, attributes, text = null) => {
      const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
      for (const key in attributes) node.setAttribute(key, attributes[key]);
      if (text !== null) node.textContent = text;
      chart.append(node);
    };
    const shown = own.slice(0, until);
    if (line.length > 1)
      shown.forEach((n, k) => {
        if (n <= high) add("circle", { class: "own", cx: x(k), cy: y(n), r: 3.4 });
        else add("path", { class: "own", d: `M${x(k) - 4} 9l4 -6l4 6z` });
      });
    const path = (to) =>
      line
        .slice(0, to)
        .map((n, k) => `${k ? "L" : "M"}${x(k)} ${y(n)}`)
        .join("");
    const to = Math.min(state.k, until);
    if (until > 1) add("path", { class: "all", d: path(until) });
    if (to) {
      add("path", { class: "run", d: path(to) });
      add("circle", { class: "dot", cx: x(to - 1), cy: y(line[to - 1]), r: 5.5 });
      const left = to < 2 && line.length > 1;
      const above = (k) => clamp(y(line[k]) - 11, 11, height - 2);
      if (line.length > 1)
        add("text", { x: x(0) - 7, y: above(0), "text-anchor": "start" }, number(line[0]));
      const near = to > line.length * 0.72 ? ["end", 7] : ["middle", 0];
      if (!left && to > 2)
        add(
          "text",
          { x: x(to - 1) + near[1], y: above(to - 1), "text-anchor": near[0] },
          number(line[to - 1]),
        );
    }
    const what = scene.truth ? "Wrong" : "Changed";
    chart.setAttribute(
      "aria-label",
      `${what} pixels by number of looks: ${line.map(number).join(", ")}. ` +
        `Each look alone: ${own.map(number).join(", ")}.`,
    );
  }

  return {
    facts,
    speak,
    chart: drawChart,
    /** Renews all of it. */
    tell() {
      modes();
      counts();
      words();
      legend();
      drawChart();
    },
  };
}
