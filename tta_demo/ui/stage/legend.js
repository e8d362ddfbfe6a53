// What a scene of labels shows, in numbers and as a legend.

import { comparedWords } from "./compared.js";
import { errorsInDoubt } from "./fuse.js";
import { percent } from "./say.js";
import { INK, legendItem, make, number, word } from "./tools.js";

const DOUBTS = {
  all: ["All", "All doubt: how undecided the looks are together"],
  split: ["Disagree", "Doubt because the looks disagree: looking again may help"],
  shared: ["Shared", "Doubt that every look has by itself: looking again does not help"],
};

/** Returns what the numbers are at the looks shown now, for `headline`. */
export function factsOf({ scene, fused, state, play }) {
  const counts = {};
  for (const key in fused.counts) counts[key] = fused.counts[key][state.k - 1];
  const again = state.k < 2 ? "again" : "on";
  const running = play.running() && play.phase() !== "end";
  return {
    truth: scene.truth !== null,
    itself: scene.itself,
    pixels: scene.pixels,
    alone: scene.alone[0],
    looks: state.k,
    counts,
    about: fused.about,
    forgot: state.forget,
    playing: !running ? "" : play.landed() ? again : "first",
  };
}

/** Returns the entries of the legend in the mode that is shown. */
export function legendOf(ui) {
  const { scene, state } = ui;
  const classes = () => {
    const { names, colors, background } = scene;
    const shown = names.flatMap((name, c) =>
      c === background ? [] : [legendItem(name, colors[c])],
    );
    const more = shown.length - 6;
    return more > 1 ? [...shown.slice(0, 6), legendItem(`and ${more} more`)] : shown;
  };
  // many classes need all the room there is
  const lead = (text) => (scene.classes > 5 ? classes() : [legendItem(text), ...classes()]);
  const all = state.forget ? "All answers, not turned back" : `${word(state.k)} together mark`;
  const entries = {
    picture: () => [legendItem("The picture, without an answer")],
    one: () => lead("One look marks"),
    together: () => lead(ui.play.running() ? "The model marks" : all),
    truth: () => lead(comparedWords(scene.itself).layer),
    changed: () => changesOf(factsOf(ui)),
    doubt: () => doubtOf(ui),
  };
  return entries[state.mode]();
}

function changesOf({ truth, itself, counts: { changed, fixed, broken, wrong }, about }) {
  const words = comparedWords(itself);
  const some = (n) => (about ? "≈ " : "") + number(n);
  if (!truth) return [legendItem(`${some(changed)} pixels changed`, INK.changed, "dot")];
  return [
    legendItem(`${some(fixed)} ${words.good}`, INK.fixed, "dot"),
    legendItem(`${some(broken)} ${words.bad}`, INK.broken, "cross"),
    legendItem(`${some(wrong - broken)} ${words.still}`, [126, 133, 145]),
  ];
}

function doubtOf(ui) {
  const { state, scene, fused } = ui;
  const kinds = make("span", "kinds");
  for (const [kind, [text, title]] of Object.entries(DOUBTS)) {
    const button = make("button", "", text);
    Object.assign(button, { title, type: "button" });
    button.setAttribute("aria-pressed", String(state.doubt === kind));
    button.addEventListener("click", () => ui.set({ doubt: kind }));
    kinds.append(button);
  }
  const ramp = make("span");
  ramp.append(make("b", "", "sure"), make("i", "ramp"), make("b", "", "in doubt"));
  const plane = ui.layer.planes(state.k)[state.doubt];
  const inside = errorsInDoubt(plane, fused.steps[state.k - 1], scene.truth);
  const { errors } = comparedWords(scene.itself);
  const told = `Worst tenth: ${percent(inside, 0)} of ${errors}`;
  return [kinds, ramp, ...(inside === null ? [] : [legendItem(told)])];
}
