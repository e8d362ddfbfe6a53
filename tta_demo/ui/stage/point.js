// Pointing: the pixel under the finger, the magnifier, and one row of votes for every look.

import { INK, clamp, make, rgb } from "./draw.js";
import { densest, fate } from "./fuse.js";
import { number, opinion, percent } from "./say.js";
import { probability, shareOf } from "./unpack.js";

const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const NEXT = { fixed: "Next fixed", broken: "Next broken", changed: "Next changed" };

export function pointing(ui) {
  const { find, all } = ui;
  const picture = find(".picture");
  const [box, ring, hint] = [".box", ".ring", ".hint"].map(find);
  const panes = all(".panes canvas");
  const captions = all(".panes figcaption");
  let known = false; // somebody has pointed: no hint any more
  let spoken = 0;
  let waiting = 0;

  const side = () => {
    const { width, height } = ui.scene;
    return Math.min(width, height, Math.max(width, height) > 320 ? 31 : 23);
  };
  const spot = () => ui.state.hover ?? ui.state.pin;
  const now = () => ui.fused.steps[ui.state.k - 1];

  /** The corner of the magnified square. */
  function corner(at) {
    const { width, height } = ui.scene;
    const half = side() >> 1;
    return {
      x: at.left ?? clamp(at.x - half, 0, width - side()),
      y: at.top ?? clamp(at.y - half, 0, height - side()),
    };
  }

  /** Puts the magnifier where most changed, and the point on a pixel there that was fixed. */
  function goWhereMostChanged() {
    const { scene, fused, state } = ui;
    const { width, height, labels, truth } = scene;
    const after = fused.steps.at(-1);
    const before = labels[0];
    let { x: left, y: top, most } = densest((i) => before[i] !== after[i], width, height, side());
    state.why = "where most changed";
    if (!most) {
      const open = (i) =>
        truth ? after[i] !== truth[i] : labels.some((plane) => plane[i] !== before[i]);
      ({ x: left, y: top, most } = densest(open, width, height, side()));
      const where = truth ? "where most is wrong" : "where the looks differ most";
      state.why = most ? where : "the middle";
    }
    let best = { x: left + (side() >> 1), y: top + (side() >> 1) };
    let score = -1;
    for (let y = top; y < top + side(); y++)
      for (let x = left; x < left + side(); x++) {
        const i = y * width + x;
        const kind = fate(before, after, truth, i);
        if (kind !== "fixed" && kind !== "changed") continue;
        const votes = labels.filter((plane) => plane[i] === after[i]).length;
        const away = Math.hypot(x - left - side() / 2, y - top - side() / 2);
        if (votes - away / 40 > score) [score, best] = [votes - away / 40, { x, y }];
      }
    // the point keeps clear of the rim, where it would hide what is around it
    const inside = (from, at, length) =>
      clamp(clamp(from, at - side() + 3, at - 2), 0, length - side());
    left = inside(left, best.x, width);
    top = inside(top, best.y, height);
    state.pin = { ...best, left, top };
    state.hover = null;
  }

  function marks() {
    const at = spot();
    const on = Boolean(at && ui.scene && ui.play.status === "rest" && !ui.paint.active);
    box.classList.toggle("on", on);
    ring.classList.toggle("on", on);
    hint.classList.toggle("on", on && !known);
    if (!on) return;
    const { width, height } = ui.scene;
    const { x, y } = corner(at);
    const put = (node, style) => {
      for (const key in style) node.style[key] = `${100 * style[key]}%`;
    };
    const size = { width: side() / width, height: side() / height };
    put(box, { left: x / width, top: y / height, ...size });
    put(ring, { left: (at.x + 0.5) / width, top: (at.y + 0.5) / height });
    hint.classList.toggle("high", at.y > 0.7 * height);
    hint.textContent = `${matchMedia("(hover: none)").matches ? "Tap" : "Point"} anywhere to see the votes`;
  }

  /** Draws one pane of the magnifier; `lit` shows the changed pixels in full colour, outlined. */
  function pane(canvas, map, at, lit) {
    const { scene } = ui;
    const { width, background, colors } = scene;
    const { x: left, y: top } = corner(at);
    const unit = canvas.width / side();
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(ui.image, left, top, side(), side(), 0, 0, canvas.width, canvas.height);
    context.fillStyle = "rgba(8,13,26,.18)";
    context.fillRect(0, 0, canvas.width, canvas.height);
    const cell = (x, y) => {
      const [from, to] = [Math.round(x * unit), Math.round((x + 1) * unit)];
      const [start, end] = [Math.round(y * unit), Math.round((y + 1) * unit)];
      return [from, start, to - from, end - start];
    };
    const outlined = [];
    for (let y = 0; y < side(); y++)
      for (let x = 0; x < side(); x++) {
        const i = (top + y) * width + left + x;
        const changed = lit && scene.labels[0][i] !== now()[i];
        if (changed) outlined.push([x, y, fate(scene.labels[0], now(), scene.truth, i)]);
        if (!map || map[i] === background) continue;
        context.fillStyle = rgb(colors[map[i]], changed ? 1 : 0.5);
        context.fillRect(...cell(x, y));
      }
    const line = Math.max(1.5, 0.2 * unit);
    context.lineWidth = line;
    for (const [x, y, kind] of outlined) {
      const [a, b, w, h] = cell(x, y);
      context.strokeStyle = rgb(INK[kind]);
      context.strokeRect(a + line / 2, b + line / 2, w - line, h - line);
    }
    context.strokeStyle = "#fff";
    context.lineWidth = Math.max(2, 0.22 * unit);
    context.strokeRect((at.x - left) * unit - 1, (at.y - top) * unit - 1, unit + 2, unit + 2);
  }

  function sizePanes() {
    const width = panes[0].getBoundingClientRect().width;
    const wanted = Math.round(width * Math.min(devicePixelRatio, 2));
    if (!wanted) return false;
    if (panes[0].width !== wanted) for (const c of panes) c.width = c.height = wanted;
    return true;
  }

  function lens(at) {
    if (!sizePanes()) return;
    const { scene, state, play, fused } = ui;
    const open = state.open >= 0;
    const kinds = scene.truth ? ["fixed", "broken"] : ["changed"];
    const buttons = [find(".next-good"), find(".next-bad")];
    buttons.forEach((button, i) => {
      button.hidden = open || !kinds[i];
      button.textContent = NEXT[kinds[i]] ?? "";
      const none = kinds[i] && !(fused.counts[kinds[i]][state.k - 1] > 0);
      button.disabled = play.status !== "rest" || none;
    });
    find(".close").hidden = !open;
    if (open) return openLook(state.open);
    const moved = at !== state.pin || at.left === undefined;
    find(".lens-title").textContent = moved
      ? `At pixel ${at.x}, ${at.y}`
      : `Magnified: ${state.why}`;
    const far = state.k === 1 ? "1 look" : `${state.k} looks together`;
    const texts = ["One look", far, scene.truth ? "The truth" : "The picture"];
    captions.forEach((caption, i) => (caption.textContent = texts[i]));
    pane(panes[0], scene.labels[0], at, true);
    pane(panes[1], now(), at, true);
    pane(panes[2], scene.truth, at, false);
    return undefined;
  }

  /** Shows what a look was shown, what it answered, and its answer turned back. */
  function openLook(v) {
    const look = ui.scene.looks[v];
    find(".lens-title").textContent = `${look.label}: ${look.summary}`;
    const texts = ["Shown", "Answered", "Turned back"];
    captions.forEach((caption, i) => (caption.textContent = texts[i]));
    panes.forEach((canvas, i) =>
      ui.draw.portrait(canvas, v, { turned: i < 2, answer: i > 0, cover: false }),
    );
  }

  // ---- the rows

  function voteCells() {
    const vote = make("span", "vote");
    vote.append(make("i"), make("span", "class"), make("span", "sure"));
    vote.append(make("span", "bars"), make("span", "weight"));
    return vote;
  }

  function buildRow(look, v) {
    const row = make("li");
    const toggle = make("span", "sw");
    const check = make("input");
    check.type = "checkbox";
    check.setAttribute("aria-label", `Use the look ${look.label}`);
    check.addEventListener("change", () => ui.switchLook(v, check.checked));
    toggle.append(check);
    const name = make("button", "name", look.label);
    name.type = "button";
    name.title = `${look.summary}. Shows its three pictures.`;
    name.addEventListener("click", () => ui.openLook(v));
    const thumb = make("canvas", "thumb");
    thumb.width = thumb.height = 72;
    row.append(toggle, thumb, name, make("span", "alone", number(ui.scene.alone[v])), voteCells());
    return row;
  }

  function build() {
    const { scene } = ui;
    find(".rows").replaceChildren(...scene.looks.map(buildRow));
    find(".votes").classList.toggle("many", scene.looks.length > 8);
    find(".sum .vote").replaceWith(voteCells());
    find(".h-alone").textContent = scene.truth ? "wrong" : "differs";
    const thumb = find(".sum .thumb");
    thumb.width = thumb.height = 72;
  }

  function thumbs() {
    all(".rows .thumb").forEach((canvas, v) =>
      ui.draw.portrait(canvas, v, { turned: true, answer: true, cover: true }),
    );
  }

  function fill(vote, label, p) {
    vote.classList.toggle("unseen", label < 0);
    vote.querySelector("i").style.background = label < 0 ? "" : rgb(ui.scene.colors[label]);
    vote.querySelector(".class").textContent = label < 0 ? "not seen" : ui.scene.names[label];
    vote.querySelector(".sure").textContent = label < 0 ? "" : percent(p, 0);
  }

  /** One bar, or one for each class where the weights differ by class. */
  function weightBars(row, v) {
    const { scene, fused, state } = ui;
    const used = fused.used;
    const perClass = Array.isArray(scene.weights?.[v]) && scene.classes <= 6;
    const classes = perClass ? scene.colors.map((_, c) => c) : [0];
    const most = Math.max(
      ...used.map((u) => Math.max(...classes.map((c) => shareOf(scene, used, u, c)))),
    );
    const bars = row.querySelector(".bars");
    while (bars.childElementCount < classes.length) bars.append(make("u"));
    classes.forEach((c, n) => {
      const bar = bars.children[n];
      bar.style.width = `${(100 * shareOf(scene, used, v, c)) / (most || 1)}%`;
      bar.style.background = perClass ? rgb(scene.colors[c]) : "";
    });
    return state.on[v];
  }

  function inspect() {
    const at = spot();
    if (!ui.scene || !at) return;
    lens(at);
    const { scene, fused, state } = ui;
    const i = at.y * scene.width + at.x;
    const shown = fused.used.slice(0, state.k);
    const votes = new Map();
    all(".rows li").forEach((row, v) => {
      const look = fused.scene;
      const sees = !look.seen[v] || look.seen[v][i];
      const label = sees ? look.labels[v][i] : -1;
      const p = sees ? probability(look, v, label, i) : 0;
      if (sees && shown.includes(v)) votes.set(label, (votes.get(label) ?? 0) + 1);
      fill(row.querySelector(".vote"), label, p);
      const on = weightBars(row, v);
      const weight = on ? percent(shareOf(scene, fused.used, v, Math.max(0, label))) : "off";
      row.querySelector(".weight").textContent = weight;
      row.classList.toggle("off", !on);
      row.classList.toggle("open", v === state.open);
      row.querySelector("input").checked = on;
    });
    together(at, i, shown, votes);
  }

  /** The mean probability of what they say together, as the row of all looks. */
  function together(at, i, shown, votes) {
    const { scene, fused } = ui;
    const label = now()[i];
    let [sum, total] = [0, 0];
    for (const v of shown) {
      if (fused.scene.seen[v] && !fused.scene.seen[v][i]) continue;
      const share = shareOf(scene, shown, v, label);
      sum += share * probability(fused.scene, v, label, i);
      total += share;
    }
    const p = total ? sum / total : 0;
    const right = scene.truth ? scene.truth[i] === label : null;
    const sumRow = find(".sum");
    fill(sumRow.querySelector(".vote"), label, p);
    sumRow.querySelector(".weight").textContent =
      right === null ? "" : right ? "✓ right" : "✗ wrong";
    sumRow.classList.toggle("bad", right === false);
    find(".where").textContent = `Votes at ${at.x}, ${at.y}`;
    const tally = [...votes].map(([c, n]) => [n, scene.names[c]]).sort((a, b) => b[0] - a[0]);
    const said = opinion(tally, shown.length, scene.names[label], right);
    find(".readout").replaceChildren(
      `${said.who} `,
      make("b", "", tally[0]?.[1] ?? said.together),
      ". Together: ",
      make("b", "", said.together),
      said.verdict,
    );
    const counted = tally.map(([n, name]) => `${n} of ${shown.length} say ${name}`).join(", ");
    const truth = right === false ? `, wrong: it is ${scene.names[scene.truth[i]]}` : said.verdict;
    const text = `Pixel ${at.x} across, ${at.y} down. ${counted}. Together: ${said.together}${truth}.`;
    picture.setAttribute(
      "aria-label",
      `Picture. ${text} Arrow keys move the point, with Shift by ten pixels.`,
    );
    clearTimeout(spoken);
    if (ui.state.keyed) spoken = setTimeout(() => (find(".live").textContent = text), 350);
  }

  /** Goes to the next pixel of a kind, in reading order, past those that touch this one. */
  function next(kind) {
    const { scene, state } = ui;
    const { width, size, truth } = scene;
    const here = spot();
    const start = here.y * width + here.x;
    for (let n = 1; n <= size; n++) {
      const i = (start + n) % size;
      const [x, y] = [i % width, Math.floor(i / width)];
      if (fate(scene.labels[0], now(), truth, i) !== kind) continue;
      if (Math.hypot(x - here.x, y - here.y) < 4 && n < size) continue;
      Object.assign(state, { pin: { x, y }, hover: null, keyed: true });
      known = true;
      return later();
    }
    find(".live").textContent = `There is no ${kind} pixel.`;
    return undefined;
  }

  // ---- hands

  function pixelAt(event) {
    const place = picture.getBoundingClientRect();
    const { width, height } = ui.scene;
    const x = Math.floor(((event.clientX - place.left) / place.width) * width);
    const y = Math.floor(((event.clientY - place.top) / place.height) * height);
    return { x: clamp(x, 0, width - 1), y: clamp(y, 0, height - 1) };
  }

  function later() {
    waiting ||= requestAnimationFrame(() => {
      waiting = 0;
      marks();
      inspect();
    });
  }

  const free = () => ui.scene && !ui.paint.active;
  const atRest = () => ui.play.status === "rest";
  picture.addEventListener("pointermove", (event) => {
    if (!free() || !atRest() || (event.pointerType !== "mouse" && !event.buttons)) return;
    Object.assign(ui.state, { keyed: false, hover: pixelAt(event) });
    known = true;
    later();
  });
  picture.addEventListener("pointerdown", (event) => {
    if (!free()) return;
    if (!atRest()) return ui.play.finish();
    Object.assign(ui.state, { keyed: false, pin: pixelAt(event), hover: null });
    known = true;
    return later();
  });
  picture.addEventListener("pointerleave", (event) => {
    if (!free() || !atRest() || !ui.state.hover) return;
    if (event.pointerType !== "mouse") ui.state.pin = ui.state.hover;
    ui.state.hover = null;
    later();
  });
  picture.addEventListener("keydown", (event) => {
    if (!free()) return;
    if (event.key === " ") {
      event.preventDefault();
      return ui.play.toggle();
    }
    if (!KEYS[event.key]) return;
    event.preventDefault();
    ui.play.finish();
    const step = event.shiftKey ? 10 : 1;
    const { width, height } = ui.scene;
    const at = spot();
    const [right, down] = KEYS[event.key];
    const x = clamp(at.x + step * right, 0, width - 1);
    const y = clamp(at.y + step * down, 0, height - 1);
    Object.assign(ui.state, { keyed: true, hover: null, pin: { x, y } });
    known = true;
    return later();
  });
  find(".next-good").addEventListener("click", () => next(ui.scene.truth ? "fixed" : "changed"));
  find(".next-bad").addEventListener("click", () => next("broken"));
  find(".close").addEventListener("click", () => ui.openLook(-1));

  return {
    goWhereMostChanged,
    /** How many pixels each look gets wrong by itself. */
    showAlone: () =>
      all(".rows .alone").forEach((node, v) => (node.textContent = number(ui.fused.alone[v]))),
    marks,
    inspect,
    build,
    thumbs,
    pixelAt,
    /** The small picture of all looks together. */
    sum: () =>
      ui.draw.portrait(find(".sum .thumb"), -1, { turned: false, answer: true, cover: true }),
  };
}
