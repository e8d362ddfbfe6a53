// The ranking: crops of a photograph fly into the list of the likeliest classes.

import { lights, motion, moves, verb } from "./looks.js";
import { player } from "./player.js";
import { percent } from "./say.js";
import { shell } from "./shell.js";
import { clamp, ease, make } from "./tools.js";
import { kept, saidOf, tick } from "./verdict.js";

const MOST_MS = { full: 9000, fast: 5200, solo: 2000 };
const WHOLE = [0, 0, 1, 1];
const STEPS = ["look", "turn", "fly", "add"];

const alters = (look) => moves(look) || lights(look);

/** How long the k-th look takes beside the first: slow enough to understand, then faster. */
const beat = (k) => [1, 1, 0.7, 0.5][k] ?? 0.38;

/** Returns the segments {v, k, phase, length} of a play of some looks, see player.js. */
export function rankingTimeline(looks, used, kind, still = false) {
  const segments = [];
  const add = (v, k, phase, length) => segments.push({ v, k, phase, length });
  used.forEach((v, k) => {
    const f = beat(k);
    if (!still) {
      add(v, k, "look", 650 * f);
      if (alters(looks[v])) add(v, k, "turn", 600 * f);
      add(v, k, "fly", 650 * f);
    }
    if (kind !== "solo") add(v, k, "add", still ? 500 : 500 * f);
  });
  if (kind !== "solo") add(-1, used.length, "end", 500);
  const total = segments.reduce((sum, { length }) => sum + length, 0);
  const scale = Math.min(kind === "full" || still ? 1 : 0.8, MOST_MS[kind] / total);
  return segments.map((segment) => ({ ...segment, length: segment.length * scale }));
}

/** Returns what the line above the scrubber shows: a share in percent by number of looks. */
function lineOf({ watched }) {
  const each = (shares) => shares.map((share) => Number((100 * share).toFixed(1)));
  return { line: each(watched.steps), own: each(watched.own), unit: `% ${watched.name}` };
}

/** Moves nodes of a list into another order, where they can be seen to move. */
function reorder(list, nodes, still) {
  const before = new Map(nodes.map((node) => [node, node.offsetTop]));
  if (nodes.some((node, i) => list.children[i] !== node)) list.append(...nodes);
  if (still) return;
  for (const node of nodes) {
    const from = before.get(node) - node.offsetTop;
    const path = [{ transform: `translateY(${from}px)` }, { transform: "none" }];
    if (from) node.animate(path, { duration: 420, easing: "cubic-bezier(.4,0,.2,1)" });
  }
}

/** The list of the likeliest classes, and the list of what each look says. */
function lists(ui, open) {
  const [rank, crops] = [ui.find(".rank"), ui.find(".crops")];
  let rows = []; // in the order of scene.names
  let widest = 1;

  function build() {
    const { scene } = ui;
    widest = Math.max(...scene.steps.flat(), 0.01);
    rows = scene.names.map((name, i) => {
      const row = make("li", scene.right[i] ? "right" : "");
      const label = make("span", "class", name);
      if (scene.right[i]) label.append(make("em", "good", " ✓ true"));
      const track = make("span", "track");
      track.append(make("i"));
      row.append(label, track, make("span", "share"));
      row.title = name;
      return row;
    });
    rank.replaceChildren(...rows);
    crops.replaceChildren(...scene.looks.map(cropRow));
  }

  function cropRow(look, v) {
    const [row, button, words] = [make("li"), make("button"), make("span", "words")];
    const [image, says] = [make("img"), make("span", "says", `${look.name}, `)];
    image.src = look.picture;
    image.alt = "";
    says.append(
      kept(percent(look.share)),
      ...tick(look).map(({ text, kind }) => make("span", kind, text)),
    );
    words.append(make("b", "", look.label), says);
    button.append(image, words);
    button.type = "button";
    button.title = look.summary;
    button.addEventListener("click", () => open(v));
    row.append(button);
    return row;
  }

  /** Shows the ranking after k looks. */
  function tell(k) {
    const { scene, still } = ui;
    const shares = k ? scene.steps[k - 1] : scene.names.map(() => 0);
    rows.forEach((row, i) => {
      row.querySelector(".share").textContent = k ? percent(shares[i]) : "";
      row.querySelector(".track i").style.width = `${(100 * shares[i]) / widest}%`;
    });
    const order = rows.map((_, i) => i).sort((a, b) => shares[b] - shares[a] || a - b);
    if (k)
      reorder(
        rank,
        order.map((i) => rows[i]),
        still.matches,
      );
    [...crops.children].forEach((row, v) => {
      row.classList.toggle("wait", v >= k);
      row.firstChild.setAttribute("aria-pressed", String(v === ui.state.open));
    });
  }

  /** Where a look's answer belongs: the row of its first choice, else the end of the list. */
  function goal(v) {
    const i = ui.scene.names.indexOf(ui.scene.looks[v].name);
    return i < 0 ? rank.lastElementChild : rows[i];
  }

  return { build, tell, goal };
}

/** The photograph with the frames of the looks, and the crop that leaves it. */
function framing(ui) {
  const [stand, whole, outlines] = [".stand", ".whole", ".outlines"].map(ui.find);
  const [spot, crop] = [ui.find(".spot"), ui.find(".crop")];

  function place() {
    const { width, height, looks, subject } = ui.scene;
    const photo = whole.querySelector("img");
    photo.src = ui.image.src;
    photo.alt = subject || "The photograph";
    const ratio = width / height;
    const shape = clamp(ratio, 1, 1.9);
    stand.style.aspectRatio = String(shape);
    whole.style.width = `${100 * Math.min(1, ratio / shape)}%`;
    whole.style.height = `${100 * Math.min(1, shape / ratio)}%`;
    outlines.replaceChildren(
      ...[...new Set(looks.map(({ frame }) => String(frame)))].map((key) => {
        const line = make("i");
        put(line, key.split(",").map(Number));
        return line;
      }),
    );
  }

  function put(node, [left, top, right, bottom]) {
    const sides = { left, top, width: right - left, height: bottom - top };
    for (const side in sides) node.style[side] = `${100 * sides[side]}%`;
  }

  /** Frames one look, or none with `at` null; `p` of the way from another frame. */
  function show(at, from = at, p = 1) {
    spot.classList.toggle("on", at !== null);
    outlines.classList.toggle("on", at === null);
    if (at)
      put(
        spot,
        at.map((x, i) => from[i] + (x - from[i]) * p),
      );
  }

  const inRoot = (node) => {
    const [place, home] = [node.getBoundingClientRect(), ui.root.getBoundingClientRect()];
    return { x: place.x - home.x, y: place.y - home.y, width: place.width, height: place.height };
  };

  /** Shows the crop over its frame, `q` of its change done, and `p` of the way to a node. */
  function lift(v, q, p = 0, goal = null) {
    const look = ui.scene.looks[v];
    const from = inRoot(spot);
    if (crop.getAttribute("src") !== look.picture) crop.src = look.picture;
    const { axis, angle } = motion(look);
    let [x, y, scale] = [0, 0, 1];
    if (goal) {
      const to = inRoot(goal);
      scale = 1 + ((1.4 * to.height) / from.height - 1) * p;
      x = (to.x + to.height - from.x - from.width / 2) * p;
      y = (to.y + to.height / 2 - from.y - from.height / 2) * p - 40 * Math.sin(Math.PI * p);
    }
    Object.assign(crop.style, {
      left: `${from.x}px`,
      top: `${from.y}px`,
      width: `${from.width}px`,
      height: `${from.height}px`,
      opacity: lights(look) ? q : 1,
      transform:
        `translate(${x}px,${y}px) scale(${scale}) perspective(1500px) ` +
        `rotate3d(${axis},${angle * (q - 1)}deg)`,
    });
    crop.classList.add("on");
  }

  const drop = () => crop.classList.remove("on");

  return { place, show, lift, drop };
}

/** Brings the ranking to life; gradio gives the four arguments, once for each time it is shown. */
export function mountRanking(element, trigger, props, watch) {
  const ui = shell(element, trigger, "ranking", {});
  const looks = () => ui.scene.looks;
  const frames = framing(ui);
  const list = lists(ui, open);

  function open(v) {
    ui.play.finish();
    ui.state.open = v === ui.state.open ? -1 : v;
    ui.refresh();
    rest();
    if (ui.state.open >= 0 && !ui.still.matches) ui.play.start("solo", v);
  }

  /** At rest the last look that joined is framed, or the one that was opened; all at the end. */
  function rest() {
    const { open: v, k } = ui.state;
    frames.drop();
    frames.show(v >= 0 ? looks()[v].frame : k < looks().length ? looks()[k - 1].frame : null);
  }

  function tell() {
    const running = ui.play.running();
    const k = running && !ui.play.landed() ? 0 : ui.state.k;
    ui.put(saidOf(ui.scene, k, running));
    list.tell(k);
  }

  ui.play = player(ui, {
    segments: (kind, who) =>
      rankingTimeline(looks(), who < 0 ? [...looks().keys()] : [who], kind, ui.still.matches),
    begin(who) {
      if (who < 0) ui.state.open = -1;
      frames.show(WHOLE);
    },
    enter({ v, k, phase }) {
      if (phase === "end") return { title: "", steps: [], now: -1 };
      if (phase === "add") {
        ui.state.k = k + 1;
        ui.refresh();
      }
      const total = ui.play.who < 0 ? `Look ${k + 1} of ${looks().length}: ` : "";
      const steps = ["Cut out", verb(looks()[v]), "Answer", total ? "Add" : ""];
      return { title: total + looks()[v].label, steps, now: STEPS.indexOf(phase) };
    },
    frame({ v, k, phase }, p) {
      if (ui.still.matches) return rest();
      const last = looks().at(-1).frame;
      if (phase === "end") return frames.show(WHOLE, last, ease(p));
      const { frame } = looks()[v];
      if (phase === "look") {
        frames.drop();
        frames.show(frame, k ? looks()[k - 1].frame : WHOLE, ease(clamp(1.4 * p, 0, 1)));
      } else if (phase === "turn") frames.lift(v, ease(p));
      else if (phase === "fly") frames.lift(v, 1, ease(p), list.goal(v));
      else frames.drop();
      return undefined;
    },
    end() {
      ui.refresh();
      rest();
    },
    go() {
      ui.state.open = -1;
      rest();
    },
    numbers: () => lineOf(ui.scene),
  });

  ui.begin(
    {
      open: (value) => JSON.parse(value.about),
      take(scene) {
        Object.assign(ui.state, { k: scene.looks.length, open: -1 });
        const { truth, subject } = scene;
        ui.find(".truth").hidden = !truth;
        ui.find(".truth b").textContent = truth?.length
          ? truth.join(" or ")
          : `${subject}, not one of its 1,000 things`;
        frames.place();
        list.build();
      },
      rest,
      tell,
      resize: () => ui.play.status === "rest" && rest(),
      clear() {},
    },
    props,
    watch,
  );
}
