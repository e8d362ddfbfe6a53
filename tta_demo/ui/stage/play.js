// Playing: a timeline of turn, answer, undo and add for every look, and the clock that runs it.

import { ASIS, canvasOf, clamp, ease, lights } from "./draw.js";
import { moves, verb } from "./say.js";

const LONGEST = { full: 9000, fast: 5200, solo: 2400 };
const PAUSE = "M7 5.5h3.5v13H7zM13.5 5.5H17v13h-3.5z";
const GO = "M8 5.5v13l10.5-6.5z";

/** How long the k-th look takes beside the first: slow enough to understand, then faster. */
const pace = (k) => [1, 1, 0.66, 0.44, 0.44, 0.44, 0.36, 0.36][k] ?? 0.3;

/**
 * Returns the segments {v, k, phase, at, length} of a play in milliseconds; phase is "turn",
 * "answer", "back", "add", or once "end".
 *
 * @param looks of the scene; @param used which of them, in order
 * @param kind "full", "fast" or "solo"; @param still no motion: only the answers are added
 */
export function timeline(looks, used, kind, still = false) {
  const segments = [];
  const add = (v, k, phase, length) => segments.push({ v, k, phase, length });
  used.forEach((v, k) => {
    const f = pace(k);
    const changed = moves(looks[v]) || lights(looks[v]);
    if (changed && !still) add(v, k, "turn", 700 * f);
    if (!still) add(v, k, "answer", (changed ? 520 : 800) * f);
    if (changed && !still) add(v, k, "back", 600 * f);
    add(v, k, "add", still ? 500 : 400 * f);
  });
  if (kind !== "solo") add(-1, used.length, "end", 1100);
  const total = segments.reduce((sum, { length }) => sum + length, 0);
  const scale = Math.min(kind === "full" || still ? 1 : 0.7, LONGEST[kind] / total);
  let at = 0;
  for (const segment of segments) {
    segment.length *= scale;
    segment.at = at;
    at += segment.length;
  }
  return segments;
}

export function playing(ui) {
  const { find, all } = ui;
  const play = { status: "rest", solo: -1, time: 0, segments: [], at: -1 };
  const button = find(".play");
  const stand = find(".stand");
  let tick = 0;
  let before = 0;
  let onScreen = true;

  const current = () => play.segments[play.at];
  const rows = () => all(".rows li");
  const total = () => {
    const end = play.segments[play.segments.length - 1];
    return end.at + end.length;
  };

  function setStatus(status) {
    play.status = ui.root.dataset.status = status;
    const on = status === "playing";
    button.querySelector("path").setAttribute("d", on ? PAUSE : GO);
    const label = { rest: "Play again", playing: "Pause", paused: "Go on" }[status];
    button.setAttribute("aria-label", label);
    find(".ticker").classList.toggle("on", status !== "rest" && current()?.phase !== "end");
  }

  function start(kind, solo = -1) {
    ui.draw.hush();
    const { scene, fused } = ui;
    play.solo = solo;
    const used = solo >= 0 ? [solo] : fused.used;
    play.segments = timeline(scene.looks, used, kind, ui.still.matches);
    [play.time, play.at, before] = [0, -1, 0];
    setStatus("playing");
    if (solo < 0) {
      Object.assign(ui.state, { k: 1, mode: "together", hover: null, open: -1 });
      fused.used.forEach((v) => rows()[v].classList.add("wait"));
    }
    ui.draw.dim(0);
    ui.point.marks();
    ui.refresh();
    run();
  }

  function run() {
    cancelAnimationFrame(tick);
    if (play.status !== "playing" || !ui.root.isConnected) return;
    const now = performance.now();
    // a hidden page stands still, and a slow frame does not skip a step
    if (before && visible()) play.time += Math.min(60, now - before);
    before = now;
    if (play.time >= total()) return finish();
    frame();
    tick = requestAnimationFrame(run);
  }

  const visible = () => onScreen && !document.hidden && stand.offsetWidth > 0;

  function frame() {
    if (!ui.draw.resize()) return;
    let at = play.segments.findIndex((s) => play.time < s.at + s.length);
    if (at < 0) at = play.segments.length - 1;
    while (play.at < at) enter(++play.at);
    const segment = current();
    const p = clamp((play.time - segment.at) / segment.length, 0, 1);
    if (ui.still.matches) ui.draw.rest();
    else paint[segment.phase](segment, p, base(segment, p));
  }

  /** The picture steps back while it plays, to have room to turn. */
  function base({ phase }, p) {
    const leave = clamp(play.time / 350, 0, 1);
    const last = phase === "end" ? 1 - ease(clamp(2 * p, 0, 1)) : 1;
    const alone = play.solo >= 0 && phase === "add" ? 1 - ease(p) : 1;
    return 1 - 0.07 * leave * last * alone;
  }

  const paint = {
    turn({ v, k }, p, scale) {
      const { layer, lay, pose } = ui.draw;
      pose(ui.scene.looks[v], ease(p), scale);
      const under = k > 0 && play.solo < 0;
      lay(under ? [[layer.together(k), clamp(1 - 2.2 * p, 0, 1)]] : []);
    },
    answer({ v }, p, scale) {
      const look = ui.scene.looks[v];
      ui.draw.pose(look, 1, scale);
      ui.draw.lay([[ui.draw.layer.answer(v), 1]], ui.draw.sweep(look, p));
    },
    back({ v }, p, scale) {
      const { layer, lay, pose, sweep } = ui.draw;
      const look = ui.scene.looks[v];
      sweep(look, 1);
      if (ui.state.forget) {
        // the picture goes back without its answer, which stays where the look saw it
        pose(look, 1 - ease(p), scale);
        lay([[layer.answer(v), 1 - p]]);
      } else {
        pose(look, 1 - ease(p), scale);
        lay([[p < 0.5 ? layer.answer(v) : layer.back(v), 1]]);
      }
    },
    add({ v, k }, p, scale) {
      const { layer, lay, pose, sweep } = ui.draw;
      pose(ASIS, 0, scale);
      sweep(ASIS, 1);
      if (play.solo >= 0) return lay([[layer.look(v), 1]]);
      const e = ease(p);
      const flash = [layer.flash(k + 1), 0.9 * Math.sin(Math.PI * p)];
      return lay([[layer.look(v), 1 - e], [layer.together(k + 1), e], flash]);
    },
    end({ k }, p, scale) {
      const { layer, lay, pose, dim } = ui.draw;
      pose(ASIS, 0, scale);
      const e = ease(clamp(1.5 * p, 0, 1));
      dim(e);
      lay([
        [layer.together(k), 1 - e],
        [layer.changed(k), ease(clamp(1.6 * p - 0.5, 0, 1))],
      ]);
    },
  };

  /** What happens once, when a segment begins. */
  function enter(at) {
    const { v, k, phase } = play.segments[at];
    find(".ticker").classList.toggle("on", phase !== "end");
    rows().forEach((row, i) => row.classList.toggle("now", i === v));
    if (phase === "end") {
      ui.state.mode = "changed";
      return ui.refresh();
    }
    if (phase === "turn" || phase === "answer") ui.draw.light(v);
    ticker(v, k, phase);
    if (play.solo < 0 && phase === "add") {
      ui.state.k = k + 1;
      fly(v);
      ui.refresh();
    }
    return undefined;
  }

  function ticker(v, k, phase) {
    const look = ui.scene.looks[v];
    const alone = play.solo >= 0;
    const { forget } = ui.state;
    find(".which").textContent = alone
      ? look.label
      : `Look ${k + 1} of ${ui.fused.used.length}: ${look.label}`;
    const undo = !moves(look) ? "Nothing to undo" : forget ? "Forgotten" : "Undo";
    const texts = [verb(look), "Answer", undo, alone ? "Done" : "Add"];
    const now = ["turn", "answer", "back", "add"].indexOf(phase);
    all(".ticker li").forEach((item, i) => {
      item.textContent = texts[i];
      item.className = i === now ? "now" : i < now ? "done" : "";
    });
  }

  /** The answer flies to its row as a small picture. */
  function fly(v) {
    const row = rows()[v];
    const target = row.querySelector(".thumb");
    const to = target.getBoundingClientRect();
    if (!to.width || ui.still.matches) return row.classList.remove("wait");
    const from = stand.getBoundingClientRect();
    const home = ui.root.getBoundingClientRect();
    const copy = canvasOf(target.width, target.height);
    copy.getContext("2d").drawImage(target, 0, 0);
    copy.className = "fly";
    const [left, top] = [to.left - home.left, to.top - home.top];
    Object.assign(copy.style, { left: `${left}px`, top: `${top}px` });
    Object.assign(copy.style, { width: `${to.width}px`, height: `${to.height}px` });
    ui.root.append(copy);
    const right = from.left + from.width / 2 - to.left - to.width / 2;
    const down = from.top + from.height / 2 - to.top - to.height / 2;
    const away = `translate(${right}px,${down}px) scale(${(0.55 * from.width) / to.width})`;
    const flight = copy.animate(
      [
        { transform: away, opacity: 0 },
        { opacity: 0.95, offset: 0.15 },
        { transform: "none", opacity: 1 },
      ],
      { duration: Math.max(240, 1.25 * current().length), easing: "cubic-bezier(.5,0,.2,1)" },
    );
    flight.onfinish = flight.oncancel = () => {
      copy.remove();
      row.classList.remove("wait");
    };
    return undefined;
  }

  /** Ends a play at once: all looks, at rest. */
  function finish() {
    if (play.status === "rest") return;
    cancelAnimationFrame(tick);
    const alone = play.solo >= 0;
    play.solo = -1;
    rows().forEach((row) => row.classList.remove("wait", "now"));
    if (!alone) Object.assign(ui.state, { k: ui.fused.used.length, mode: ui.scene.mode });
    setStatus("rest");
    ui.refresh();
    ui.draw.rest();
    ui.point.marks();
    ui.show.speak();
  }

  button.addEventListener("click", () => {
    if (!ui.scene) return;
    if (play.status === "rest") start("full");
    else if (play.status === "paused") {
      before = 0;
      setStatus("playing");
      run();
    } else {
      cancelAnimationFrame(tick);
      setStatus("paused");
    }
  });
  const seen = new IntersectionObserver((list) => (onScreen = list.at(-1).isIntersecting), {
    threshold: 0.25,
  });
  seen.observe(stand);

  return Object.assign(play, {
    start,
    finish,
    frame,
    toggle: () => button.click(),
    running: () => play.status !== "rest" && play.solo < 0,
    phase: () => current()?.phase ?? "",
    /** Whether the first answer has been added. */
    landed: () => play.at >= 0 && (current().k > 0 || current().phase === "add"),
  });
}
