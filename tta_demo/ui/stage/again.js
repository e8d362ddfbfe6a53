// A play of looks: the picture turns, is answered and turned back, and the answers add up.

import { timeline } from "./looks.js";
import { player } from "./player.js";
import { tickerOf } from "./pose.js";
import { clamp, ease } from "./tools.js";

/**
 * Returns the player of a scene with looks; it needs `ui.card` and `ui.rows`.
 *
 * @param show { used(): which looks play, in order; numbers(): see player.js; rest(): draws what
 *   rests; begin(): all looks are played from the start; mode(): what is shown in the end;
 *   together(): changes `ui.state.mode` to one that shows several looks; forgot(): answers stay
 *   where the look saw them; dim: how grey the photograph is in the end, 0..1;
 *   layers { look(v), answer(v), back(v), together(k), changed(k), adding(v, k, p): a list } }
 */
export function playingAgain(ui, show) {
  const { layers } = show;
  const alone = () => ui.play.who >= 0;

  function frame(segment, p, time) {
    const { card } = ui;
    if (!card.resize()) return;
    if (ui.still.matches) return show.rest();
    const { v, k, phase } = segment;
    const e = ease(p);
    if (phase === "end") {
      card.dim(show.dim * ease(clamp(1.5 * p, 0, 1)));
      const list = [
        [layers.together(k), 1 - e],
        [layers.changed(k), ease(clamp(1.6 * p - 0.5, 0, 1))],
      ];
      card.upright(list, 0.93 + 0.07 * ease(clamp(2 * p, 0, 1)));
    } else if (phase !== "add") {
      const under = (n) => (alone() ? null : layers.together(n));
      const back = show.forgot() ? null : layers.back;
      card.act(segment, p, time, { under, answer: layers.answer, back });
    } else if (alone()) card.upright([[layers.look(v), 1]], 0.93 + 0.07 * e);
    else card.upright(layers.adding(v, k, p), 0.93);
  }

  function enter(segment) {
    const { v, k, phase } = segment;
    ui.rows.now(v);
    const adds = phase === "add" && !alone();
    if (phase === "end") ui.state.mode = "changed";
    else if (phase !== "add") ui.card.light(v);
    if (adds) {
      ui.state.k = k + 1;
      ui.rows.land(v, Math.max(240, 1.25 * segment.length));
    }
    if (phase === "end" || adds) ui.refresh();
    const total = alone() ? 0 : show.used().length;
    return tickerOf(segment, ui.scene.looks, total, show.forgot());
  }

  return player(ui, {
    segments: (kind, who) =>
      timeline(ui.scene.looks, who < 0 ? show.used() : [who], kind, ui.still.matches),
    begin(who) {
      if (who < 0) {
        ui.state.mode = "together";
        ui.rows.wait(show.used());
      }
      show.begin(who);
      ui.card.dim(0);
    },
    enter,
    frame,
    end(who) {
      ui.rows.wait([]);
      ui.rows.now(-1);
      ui.set(who < 0 ? { mode: show.mode() } : {});
    },
    go() {
      show.together();
      show.rest();
    },
    numbers: show.numbers,
  });
}
