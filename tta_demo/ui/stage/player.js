// The player: a play button, a scrubber with a line of numbers over it, and the clock that runs
// segments {phase, k, v, length}. It knows nothing of what is drawn.

import { clamp } from "./tools.js";

const PAUSE = "M7 5.5h3.5v13H7zM13.5 5.5H17v13h-3.5z";
const GO = "M8 5.5v13l10.5-6.5z";
const LABEL = { rest: "Play again", playing: "Pause", paused: "Go on" };

/**
 * Returns the player; `ui.state.k` is how many of the looks are shown.
 *
 * @param ui of shell.js
 * @param show what there is to play:
 *   segments(kind, who)     the segments of a play; "solo" plays only one look, `who`
 *   begin(who)              a play starts; who is -1, or one look alone
 *   enter(segment)          a segment starts; returns its {title, steps, now} for the ticker
 *   frame(segment, p, time) draws a moment of a segment, p from 0 to 1; false if out of sight
 *   end(who)                a play is over, or was ended; draws what rests
 *   go(k)                   somebody chose to see k looks
 *   numbers()               {line: a number after 1..K looks, own: of each look alone,
 *                           unit: what they count, about: whether they are estimates}
 */
export function player(ui, show) {
  const { find } = ui;
  const play = { status: "rest", who: -1 };
  const button = find(".play");
  const stand = find(".stand");
  const scrub = find(".scrub");
  let segments = [];
  let at = -1; // the segment that runs
  let [time, start, before, tick] = [0, 0, 0, 0]; // of the play, of its segment, of the frame
  let onScreen = true;

  function setStatus(status) {
    play.status = ui.root.dataset.status = status;
    button.querySelector("path").setAttribute("d", status === "playing" ? PAUSE : GO);
    button.setAttribute("aria-label", LABEL[status]);
    find(".ticker").classList.toggle("on", status !== "rest" && play.phase() !== "end");
  }

  play.phase = () => segments[at]?.phase ?? "";
  /** Whether all looks are being played. */
  play.running = () => play.status !== "rest" && play.who < 0;
  /** Whether the first answer has been added. */
  play.landed = () => at >= 0 && (segments[at].k > 0 || play.phase() === "add");

  play.start = (kind, who = -1) => {
    segments = show.segments(kind, who);
    Object.assign(play, { who });
    [time, start, before, at] = [0, 0, 0, -1];
    setStatus("playing");
    if (who < 0) ui.state.k = 1;
    show.begin(who);
    ui.refresh();
    run();
  };

  function run() {
    cancelAnimationFrame(tick);
    if (play.status !== "playing" || !ui.root.isConnected) return;
    const now = performance.now();
    // a hidden page stands still, and a slow frame does not skip a step
    if (before && onScreen && !document.hidden && stand.offsetWidth)
      time += Math.min(60, now - before);
    before = now;
    if (play.frame()) tick = requestAnimationFrame(run);
    else play.finish();
  }

  /** Draws the moment; false after the last one. */
  play.frame = () => {
    if (at < 0) enter(0);
    while (time >= start + segments[at].length) {
      if (at === segments.length - 1) return false;
      start += segments[at].length;
      enter(at + 1);
    }
    show.frame(segments[at], clamp((time - start) / segments[at].length, 0, 1), time);
    return true;
  };

  function enter(next) {
    at = next;
    const { title, steps, now } = show.enter(segments[at]);
    find(".which").textContent = title;
    find(".ticker").classList.toggle("on", title !== "");
    [...find(".ticker ol").children].forEach((item, i) => {
      item.textContent = steps[i];
      item.className = i === now ? "now" : i < now ? "done" : "";
    });
  }

  /** Ends a play at once: at rest, with all looks. */
  play.finish = () => {
    if (play.status === "rest") return;
    cancelAnimationFrame(tick);
    const { who } = play;
    play.who = -1;
    setStatus("rest");
    if (who < 0) ui.state.k = show.numbers().line.length;
    show.end(who);
    ui.speak();
  };

  play.toggle = () => {
    if (!ui.scene) return;
    cancelAnimationFrame(tick);
    if (play.status === "rest") return play.start("full");
    setStatus(play.status === "paused" ? "playing" : "paused");
    before = 0;
    return run();
  };

  /** Renews the count, the scrubber and the line. */
  play.tell = () => {
    const { line, unit, about } = show.numbers();
    const { k } = ui.state;
    const total = line.length;
    const number = line[k - 1].toLocaleString("en-US");
    find(".count b").textContent = (about ? "≈ " : "") + number;
    find(".count span").textContent = unit;
    find(".count em").textContent = total === 1 ? "1 look" : `looks ${k} of ${total}`;
    scrub.max = total;
    scrub.value = k;
    scrub.setAttribute("aria-valuetext", `${k} of ${total} looks, ${number} ${unit}`);
    drawChart(show.numbers(), play.running() ? (play.landed() ? k : 0) : total, k);
  };

  /** One look alone as a hollow dot, together as a line, on the scrubber's own x. */
  function drawChart({ line, own, unit }, until, k) {
    const chart = find(".chart");
    const [width, height] = [chart.clientWidth || 400, chart.clientHeight || 60];
    chart.replaceChildren();
    let [low, high] = [Math.min(...line), Math.max(...line)];
    // a look that is far off must not flatten the line: it stays at the rim
    const near = own.filter(
      (n) => n >= low - 2.2 * (high - low) - 1 && n <= high + 2.2 * (high - low) + 1,
    );
    [low, high] = [Math.min(low, ...near), Math.max(high, ...near)];
    const x = (i) => 9 + (i * (width - 18)) / Math.max(1, line.length - 1);
    const y = (n) => clamp(8 + ((high - n) / (high - low || 1)) * (height - 16), 4, height - 4);
    const add = (tag, attributes) => {
      const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
      for (const key in attributes) node.setAttribute(key, attributes[key]);
      chart.append(node);
    };
    const points = (to) => line.slice(0, to).map((n, i) => `${x(i)},${y(n)}`);
    if (line.length > 1)
      own
        .slice(0, until)
        .forEach((n, i) => add("circle", { class: "own", cx: x(i), cy: y(n), r: 3.4 }));
    add("polyline", { class: "all", points: points(until).join(" ") });
    add("polyline", { class: "run", points: points(Math.min(k, until)).join(" ") });
    if (until) add("circle", { class: "dot", cx: x(k - 1), cy: y(line[k - 1]), r: 5.5 });
    const list = (numbers) => numbers.map((n) => n.toLocaleString("en-US")).join(", ");
    chart.setAttribute(
      "aria-label",
      `${unit} by number of looks: ${list(line)}. Each look alone: ${list(own)}.`,
    );
  }

  button.addEventListener("click", play.toggle);
  scrub.addEventListener("input", () => {
    if (!ui.scene) return;
    const k = Number(scrub.value); // before the end of a play moves it
    play.finish();
    ui.state.k = k;
    show.go();
    ui.refresh();
  });
  scrub.addEventListener("change", () => ui.scene && ui.speak());
  const seen = new IntersectionObserver((list) => (onScreen = list.at(-1).isIntersecting), {
    threshold: 0.25,
  });
  seen.observe(stand);
  return play;
}
