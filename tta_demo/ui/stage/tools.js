// Small tools that every part of the stage uses.

/** What became of things, in colours that colour-blind people tell apart. */
export const INK = {
  fixed: [56, 189, 248],
  broken: [255, 138, 61],
  changed: [196, 181, 253],
  still: [226, 232, 240],
};

const WORDS =
  "No One Two Three Four Five Six Seven Eight Nine Ten Eleven Twelve Thirteen Fourteen Fifteen";

export const number = (n) => n.toLocaleString("en-US");

/** Returns a whole number at the start of a sentence. */
export const word = (n) => WORDS.split(" ")[n] ?? number(n);

export const clamp = (x, low, high) => Math.min(high, Math.max(low, x));
export const ease = (p) => (p < 0.5 ? 4 * p ** 3 : 1 - (2 - 2 * p) ** 3 / 2);
export const rgb = (color, alpha = 1) => `rgba(${color.join(",")},${alpha})`;

export function make(tag, className = "", text = null) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== null) node.textContent = text;
  return node;
}

export function canvasOf(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas;
}

/** An entry of a legend: a sign in a colour, and words that are only text. */
export function legendItem(text, color = null, shape = "") {
  const span = make("span");
  if (color) {
    const sign = make("i", shape);
    sign.style.background = sign.style.color = rgb(color);
    span.append(sign);
  }
  span.append(make("span", "", text));
  span.title = text;
  return span;
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Returns the pixel that an arrow key goes to, ten further with Shift; null for other keys. */
export function arrowed(event, at, { width, height }) {
  if (!ARROWS[event.key]) return null;
  event.preventDefault();
  const [right, down] = ARROWS[event.key].map((step) => step * (event.shiftKey ? 10 : 1));
  return { x: clamp(at.x + right, 0, width - 1), y: clamp(at.y + down, 0, height - 1) };
}

/** Returns the pixel of a picture of this size under a pointer. */
export function pixelAt(event, { width, height }) {
  const place = event.currentTarget.getBoundingClientRect();
  const x = Math.floor(((event.clientX - place.left) / place.width) * width);
  const y = Math.floor(((event.clientY - place.top) / place.height) * height);
  return { x: clamp(x, 0, width - 1), y: clamp(y, 0, height - 1) };
}

/** Returns an action that is done once in the next frame, however often it is asked for. */
export function oncePerFrame(act) {
  let waiting = 0;
  return () => {
    waiting ||= requestAnimationFrame(() => {
      waiting = 0;
      act();
    });
  };
}
