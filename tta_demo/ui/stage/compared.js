// The words for what answers are compared with: the truth, or the model's own answer.

const TRUTH = {
  mode: "Truth",
  layer: "The right answer",
  pane: "The truth",
  start: (pixels) =>
    pixels ? `One look got ${pixels} pixels wrong. ` : "One look got every pixel right. ",
  good: "fixed",
  bad: "broken",
  verbs: ["fixed", "broke"],
  wrong: "wrong",
  still: "still wrong",
  errors: "errors",
  where: "where most is wrong",
  right: ["right", "wrong", "it is"],
  caution: "",
};

const ITSELF = {
  mode: "Own answer",
  layer: "Its own answer on the undamaged picture",
  pane: "Undamaged",
  start: (pixels) =>
    pixels
      ? `One look differs from its own answer on the undamaged picture in ${pixels} pixels. `
      : "One look answers as it did on the undamaged picture. ",
  good: "restored",
  bad: "lost",
  verbs: ["restored", "lost"],
  wrong: "different",
  still: "still different",
  errors: "differences",
  where: "where most is different",
  right: ["as undamaged", "unlike undamaged", "undamaged it said"],
  caution: " Its own answer is not the truth.",
};

/** Returns the words; `itself`: compared is the model's own answer on the undamaged picture. */
export const comparedWords = (itself) => (itself ? ITSELF : TRUTH);
