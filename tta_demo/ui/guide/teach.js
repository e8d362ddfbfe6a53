// Teaching: the story over the stage, sentence by sentence, by keys alone.

const lessons = JSON.parse(props.value);
const start = element.querySelector(".teach-start");
const page = document.querySelector("#page");
const STEPS = { ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1 };
let at = 0;
let asked = ""; // the scene that was asked for last
let waiting = false; // whether it has not come yet
let board = null; // what lies over the page while the story is told
let end = null; // takes back all listeners

const stage = () => document.querySelector("#stage .stage-grid");

function make(name, className, text = "") {
  const node = document.createElement(name);
  Object.assign(node, { className, textContent: text });
  return node;
}

function button(text, keys, act) {
  const node = make("button", `teach-${text.toLowerCase()}`, text);
  node.type = "button";
  node.setAttribute("aria-keyshortcuts", keys);
  node.addEventListener("click", act);
  return node;
}

/** Presses what the lesson shows, as a visitor could. */
function press() {
  for (const selector of lessons[at].presses) stage()?.querySelector(selector)?.click();
}

/** Asks for the scene of the sentence, or presses on it; one request at a time. */
function stageIt() {
  if (waiting) return;
  if (lessons[at].scene === asked) return press();
  waiting = true;
  asked = lessons[at].scene;
  trigger("scene", { number: at });
}

function tell(next) {
  if (next >= lessons.length) return leave();
  at = Math.max(0, next);
  const lesson = lessons[at];
  board.querySelector(".sentence").textContent = lesson.sentence;
  board.querySelector(".term").textContent = lesson.term;
  board.querySelector(".where").textContent = `${at + 1} of ${lessons.length}`;
  // not `disabled`, which would drop the focus and with it the keys
  board.querySelector(".teach-back").setAttribute("aria-disabled", String(at === 0));
  board.querySelector(".teach-next").textContent = at + 1 < lessons.length ? "Next" : "Finish";
  stageIt();
}

/** Arrows and Space belong to the stage while it has the focus; a presenter's keys do not. */
function key(event) {
  const { target } = event;
  const free = target === document.body || board.contains(target);
  const space = event.key === " " && target.tagName !== "BUTTON"; // a button has its own
  const step = space ? 1 : STEPS[event.key];
  if (event.key === "Escape") leave();
  else if (step && (free || event.key.startsWith("Page"))) tell(at + step);
  else return;
  event.preventDefault();
}

/** The stage says by `data-ready` that it shows a new value. */
function follow(signal) {
  const arrivals = new MutationObserver(() => {
    waiting = false;
    stageIt();
  });
  arrivals.observe(stage(), { attributeFilter: ["data-ready"] });
  signal.addEventListener("abort", () => arrivals.disconnect());
}

function begin() {
  end = new AbortController();
  board = make("section", "teach-board");
  board.setAttribute("aria-label", "The story");
  const words = make("div", "words");
  words.setAttribute("role", "status");
  words.append(make("h1", "sentence"), make("p", "term"));
  const hand = make("div", "hand");
  hand.append(
    button("Back", "ArrowLeft", () => tell(at - 1)),
    button("Next", "ArrowRight Space", () => tell(at + 1)),
    button("Leave", "Escape", leave),
    make("span", "where"),
  );
  board.append(words, hand);
  document.querySelector("#tabs [role=tab]").click();
  // the page's style reaches only what is inside of it
  page.prepend(board);
  page.classList.add("teaching");
  document.addEventListener("keydown", key, { signal: end.signal });
  follow(end.signal);
  [asked, waiting] = ["", false];
  tell(0);
  scrollTo(0, 0);
  board.querySelector(".teach-next").focus();
}

function leave() {
  end.abort();
  board.remove();
  page.classList.remove("teaching");
  // the story ends on the first tab: from there one goes on by oneself
  document.querySelector("#tabs [role=tab][aria-selected=true]")?.focus();
}

start.addEventListener("click", begin);
