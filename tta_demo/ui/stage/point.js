// Pointing at a scene of labels: the pixel under the finger, the magnifier, the votes.

import { comparedWords } from "./compared.js";
import { IGNORED, densest, fate } from "./fuse.js";
import { called } from "./looks.js";
import { contents, opinion, percent } from "./say.js";
import { INK, arrowed, clamp, make, number, oncePerFrame, pixelAt, rgb } from "./tools.js";
import { probability, sees, shareOf } from "./unpack.js";

export function pointing(ui) {
  const { find, all } = ui;
  const picture = find(".picture");
  const [box, ring, hint] = [".box", ".ring", ".hint"].map(find);
  const panes = all(".panes canvas");
  let known = false; // somebody has pointed: no hint any more
  let spoken = 0;
  const described = { labels: null, as: "" }; // the answer on the picture

  const side = () => {
    const { width, height } = ui.scene;
    return Math.min(width, height, Math.max(width, height) > 320 ? 31 : 23);
  };
  const words = () => comparedWords(ui.scene.itself);
  const spot = () => ui.state.hover ?? ui.state.pin;
  const now = () => ui.fused.steps[ui.state.k - 1];
  const fateAt = (i) => fate(ui.scene.labels[0], now(), ui.scene.truth, i);

  /** The corner of the magnified square. */
  function corner(at) {
    const { width, height } = ui.scene;
    const half = side() >> 1;
    return { x: clamp(at.x - half, 0, width - side()), y: clamp(at.y - half, 0, height - side()) };
  }

  /** Puts the magnifier where most changed, and the point on a pixel there that was fixed. */
  function goWhereMostChanged() {
    const { scene, fused, state } = ui;
    const { width, height, labels, truth } = scene;
    const [before, after] = [labels[0], fused.steps.at(-1)];
    const square = (marked) => densest(marked, width, height, side());
    let found = square((i) => before[i] !== after[i]);
    state.why = "where most changed";
    if (!found.most) {
      const open = (i) => truth && after[i] !== truth[i] && truth[i] !== IGNORED;
      const split = (i) => labels.some((plane) => plane[i] !== before[i]);
      found = square(truth ? open : split);
      state.why = truth ? words().where : "where the looks differ most";
      if (!found.most) state.why = "the middle";
    }
    const good = [];
    for (let y = found.y; y < found.y + side(); y++)
      for (let x = found.x; x < found.x + side(); x++)
        if (["fixed", "changed"].includes(fate(before, after, truth, y * width + x)))
          good.push({ x, y });
    const middle = (key) =>
      good.length
        ? good.reduce((sum, at) => sum + at[key], 0) / good.length
        : found[key] + (side() >> 1);
    const [x, y] = [middle("x"), middle("y")];
    const away = (at) => Math.hypot(at.x - x, at.y - y);
    const best = good.sort((a, b) => away(a) - away(b))[0] ?? { x, y };
    Object.assign(state, { pin: { ...best, chosen: true }, hover: null });
  }

  /** Shows the point and the magnified square on the picture. */
  function marks() {
    const at = spot();
    const on = Boolean(at && ui.scene && ui.play.status === "rest" && !ui.paint.active);
    for (const mark of [box, ring]) mark.classList.toggle("on", on);
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
    const act = matchMedia("(hover: none)").matches ? "Tap" : "Point";
    hint.textContent = `${act} anywhere to see the votes`;
  }

  /** Draws one pane of the magnifier; changed pixels are outlined where `compares`. */
  function pane(canvas, layer, at, compares) {
    const { x: left, y: top } = corner(at);
    const unit = canvas.width / side();
    const context = canvas.getContext("2d");
    const part = [left, top, side(), side(), 0, 0, canvas.width, canvas.height];
    context.setTransform(1, 0, 0, 1, 0, 0);
    canvas.style.transform = "";
    context.imageSmoothingQuality = "high";
    context.imageSmoothingEnabled = true;
    context.drawImage(ui.image, ...part);
    context.imageSmoothingEnabled = false;
    if (layer) context.drawImage(layer, ...part);
    const outline = (x, y, color, line) => {
      Object.assign(context, { strokeStyle: color, lineWidth: line });
      const inset = line / 2;
      context.strokeRect(x * unit + inset, y * unit + inset, unit - line, unit - line);
    };
    for (let y = 0; compares && y < side(); y++)
      for (let x = 0; x < side(); x++) {
        const i = (top + y) * ui.scene.width + left + x;
        if (ui.scene.labels[0][i] !== now()[i])
          outline(x, y, rgb(INK[fateAt(i)]), Math.max(1.5, 0.24 * unit));
      }
    outline(at.x - left, at.y - top, "#fff", Math.max(2, 0.22 * unit));
  }

  function sizePanes() {
    const width = panes[0].getBoundingClientRect().width || panes[0].clientWidth;
    const wanted = Math.round(width * Math.min(devicePixelRatio, 2));
    if (wanted && panes[0].width !== wanted) for (const c of panes) c.width = c.height = wanted;
    return wanted > 0;
  }

  function caption(title, texts) {
    find(".lens-title").textContent = title;
    all(".panes figcaption").forEach((node, i) => (node.textContent = texts[i]));
  }

  function lens(at) {
    if (!sizePanes()) return;
    const { scene, state, play, fused, layer } = ui;
    const open = state.open >= 0;
    const kinds = scene.truth ? ["fixed", "broken"] : ["changed"];
    const shown = scene.truth ? [words().good, words().bad] : kinds;
    [find(".next-good"), find(".next-bad")].forEach((button, i) => {
      button.hidden = open || !kinds[i];
      button.textContent = `Next ${shown[i]}`;
      button.disabled = play.status !== "rest" || !(fused.counts[kinds[i]]?.[state.k - 1] > 0);
    });
    find(".close").hidden = !open;
    if (open) return lookPanes(state.open);
    const far = state.k === 1 ? "1 look" : `${state.k} looks together`;
    caption(at.chosen ? `Magnified: ${state.why}` : `At pixel ${at.x}, ${at.y}`, [
      "One look",
      far,
      scene.truth ? words().pane : "The picture",
    ]);
    pane(panes[0], layer.look(0), at, true);
    pane(panes[1], layer.together(state.k), at, true);
    pane(panes[2], scene.truth && layer.truth(), at, false);
    return undefined;
  }

  /** Shows what a look was shown, what it answered, and its answer turned back. */
  function lookPanes(v) {
    const look = ui.scene.looks[v];
    caption(`${called(look)}: ${look.summary}`, ["Shown", "Answered", "Turned back"]);
    const layers = [null, ui.layer.answer(v), ui.layer.back(v)];
    panes.forEach((canvas, i) =>
      ui.card.portrait(canvas, v, layers[i], { turned: i < 2, cover: false }),
    );
  }

  /** The cells of a row that show a vote. */
  function voteCells() {
    const vote = make("span", "vote");
    vote.append(make("i"), make("span", "class"), make("span", "sure"));
    vote.append(make("span", "bars"), make("span", "weight"));
    return vote;
  }

  function fill(vote, label, p) {
    vote.classList.toggle("unseen", label < 0);
    vote.querySelector("i").style.background = label < 0 ? "" : rgb(ui.scene.colors[label]);
    vote.querySelector(".class").textContent = label < 0 ? "not seen" : ui.scene.names[label];
    vote.querySelector(".sure").textContent = label < 0 ? "" : percent(p, 0);
  }

  /** One bar, or one for each class where the weights differ by class. */
  function weightBars(row, v) {
    const { scene } = ui;
    const { used } = ui.fused;
    const perClass = Array.isArray(scene.weights?.[v]) && scene.classes <= 6;
    const classes = perClass ? scene.colors.map((_, c) => c) : [0];
    const most = Math.max(...used.flatMap((u) => classes.map((c) => shareOf(scene, used, u, c))));
    const bars = classes.map((c) => {
      const bar = make("u");
      bar.style.width = `${(100 * shareOf(scene, used, v, c)) / (most || 1)}%`;
      if (perClass) bar.style.background = rgb(scene.colors[c]);
      return bar;
    });
    row.querySelector(".bars").replaceChildren(...bars);
  }

  /** Shows the magnifier and all votes at the point. */
  function inspect() {
    const at = spot();
    if (!ui.scene || !at) return;
    lens(at);
    const { scene, fused, state } = ui;
    const i = at.y * scene.width + at.x;
    const shown = fused.used.slice(0, state.k);
    const votes = new Map();
    ui.rows.all().forEach((row, v) => {
      const label = sees(fused.scene, v, i) ? fused.scene.labels[v][i] : -1;
      if (label >= 0 && shown.includes(v)) votes.set(label, (votes.get(label) ?? 0) + 1);
      fill(row.querySelector(".vote"), label, probability(fused.scene, v, label, i));
      weightBars(row, v);
      const share = percent(shareOf(scene, fused.used, v, Math.max(0, label)));
      row.querySelector(".weight").textContent = state.on[v] ? share : "off";
    });
    ui.rows.total((rows) => {
      const shares = rows.map((v) => shareOf(scene, fused.used, v, now()[i]));
      return percent(shares.reduce((sum, share) => sum + share, 0));
    });
    ui.rows.mark();
    together(at, i, shown, votes);
  }

  /** The mean probability of what they say together, as the row of all looks. */
  function together(at, i, shown, votes) {
    const { scene, fused } = ui;
    const label = now()[i];
    const saw = shown.filter((v) => sees(fused.scene, v, i));
    const share = (v) => shareOf(scene, saw, v, label);
    const p = saw.reduce((sum, v) => sum + share(v) * probability(fused.scene, v, label, i), 0);
    const known = scene.truth && scene.truth[i] !== IGNORED;
    const right = known ? scene.truth[i] === label : null;
    const row = find(".sum");
    fill(row.querySelector(".vote"), label, p);
    const signs = scene.itself ? ["✓ same", "✗ unlike"] : ["✓ right", "✗ wrong"];
    row.querySelector(".weight").textContent = right === null ? "" : signs[right ? 0 : 1];
    row.classList.toggle("bad", right === false);
    find(".where").textContent = `Votes at ${at.x}, ${at.y}`;
    const tally = [...votes].map(([c, n]) => [n, scene.names[c]]).sort((a, b) => b[0] - a[0]);
    const said = opinion(tally, shown.length, scene.names[label], right, scene.itself);
    find(".readout").replaceChildren(
      `${said.who} `,
      make("b", "", said.name),
      ". Together: ",
      make("b", "", said.together),
      said.verdict,
    );
    tell(at, tally, shown.length, said, right === false ? scene.names[scene.truth[i]] : null);
  }

  /** Says the votes to those who hear them. */
  function tell(at, tally, count, said, truth) {
    const counted = tally.map(([n, name]) => `${n} of ${count} say ${name}`).join(", ");
    const [, no, was] = words().right;
    const verdict = truth === null ? said.verdict : `, ${no}: ${was} ${truth}`;
    const text = `Pixel ${at.x} across, ${at.y} down. ${counted}. Together: ${said.together}${verdict}.`;
    const keys = "Arrow keys move the point, with Shift by ten pixels.";
    if (described.labels !== now())
      Object.assign(described, { labels: now(), as: contents(now(), ui.scene.names) });
    picture.setAttribute("aria-label", `Overlay: ${described.as}. ${text} ${keys}`);
    clearTimeout(spoken);
    if (ui.state.keyed) spoken = setTimeout(() => ui.speak(text), 350);
  }

  const later = oncePerFrame(() => {
    marks();
    inspect();
  });

  function pin(at, keyed) {
    Object.assign(ui.state, { pin: at, hover: null, keyed });
    known = true;
    later();
  }

  /** Goes to the next pixel of a kind, in reading order, past those that touch this one. */
  function next(kind) {
    const { width, size } = ui.scene;
    const here = spot();
    const start = here.y * width + here.x;
    for (let n = 1; n <= size; n++) {
      const i = (start + n) % size;
      const at = { x: i % width, y: Math.floor(i / width) };
      const far = n === size || Math.hypot(at.x - here.x, at.y - here.y) >= 4;
      if (far && fateAt(i) === kind) return pin(at, true);
    }
    return ui.speak(`There is no ${kind} pixel.`);
  }

  const free = () => ui.scene && !ui.paint.active;
  picture.addEventListener("pointermove", (event) => {
    if (!free() || ui.play.status !== "rest") return;
    if (event.pointerType !== "mouse" && !event.buttons) return;
    Object.assign(ui.state, { keyed: false, hover: pixelAt(event, ui.scene) });
    known = true;
    later();
  });
  picture.addEventListener("pointerdown", (event) => {
    if (!free()) return;
    if (ui.play.status === "rest") pin(pixelAt(event, ui.scene), false);
    else ui.play.finish();
  });
  picture.addEventListener("pointerleave", (event) => {
    if (!free() || ui.play.status !== "rest" || !ui.state.hover) return;
    if (event.pointerType !== "mouse") ui.state.pin = ui.state.hover;
    ui.state.hover = null;
    later();
  });
  picture.addEventListener("keydown", (event) => {
    if (!free()) return;
    if (event.key === " ") {
      event.preventDefault();
      ui.play.toggle();
      return;
    }
    const at = arrowed(event, spot(), ui.scene);
    if (!at) return;
    ui.play.finish();
    pin(at, true);
  });
  find(".next-good").addEventListener("click", () => next(ui.scene.truth ? "fixed" : "changed"));
  find(".next-bad").addEventListener("click", () => next("broken"));

  return {
    goWhereMostChanged,
    marks,
    inspect,
    cells: (_, v) => [make("span", "alone", number(ui.scene.alone[v])), voteCells()],
    /** Readies the row of all looks for a scene. */
    build() {
      find(".sum .vote").replaceWith(voteCells());
      find(".h-alone").textContent = ui.scene.truth && !ui.scene.itself ? "wrong" : "differs";
    },
  };
}
