// What the ranking says, in words: what the looks say, and whether that is right.

import { percent } from "./say.js";
import { word } from "./tools.js";

/** Returns text that no line breaks. */
export const kept = (text) => text.replaceAll(" ", "\u00a0");

/** Returns a tick or a cross, as parts {text, kind}; nothing if nobody knows. */
export const tick = ({ right }) =>
  right === null ? [] : [{ text: right ? "\u00a0✓" : "\u00a0✗", kind: right ? "good" : "bad" }];

/**
 * Returns the sentence that says what came of k looks, and a smaller one, as parts {text, kind}.
 *
 * @param scene of ranking.py; @param k 0 before the first answer; @param playing not at rest
 */
export function saidOf(scene, k, playing) {
  const { one, firsts, votes } = scene;
  if (!k) return { main: [{ text: "One look at the photograph …" }], sub: [] };
  const now = firsts[k - 1];
  const said = ({ name, share }) => `${name}, ${kept(percent(share))}`;
  const end = { text: "." };
  const main =
    k === 1
      ? [{ text: `One look says ${said(now)}` }, ...tick(now), end]
      : [
          { text: `One look said ${said(one)}` },
          ...tick(one),
          { text: `. ${word(k)} looks together say ${said(now)}` },
          { text: votes ? " of the votes" : "" },
          ...tick(now),
          end,
        ];
  return { main, sub: playing ? [] : [{ text: outcome(scene, k) }] };
}

/** Returns plainly whether the answers are right. */
function outcome({ truth, one, firsts, watched, votes }, k) {
  if (!truth) return "Name the true answer to see whether that is right.";
  if (!truth.length) return "The model has no word for it, so no answer can be right.";
  const now = firsts[k - 1].right;
  if (k === 1) return now ? "That is right." : "That is wrong.";
  const verdict = [
    ["Wrong both times", "One look was wrong, together they are right"],
    ["One look was right, together they are wrong", "Right both times"],
  ][Number(one.right)][Number(now)];
  if (votes) return `${verdict}.`;
  const points = (100 * (watched.steps[k - 1] - watched.one)).toFixed(1);
  if (Number(points) === 0) return `${verdict}; the truth is as probable as before.`;
  const more = points > 0 ? "more" : "less";
  return `${verdict}; the truth became ${points.replace("-", "")} points ${more} probable.`;
}
