// From the value that Python packs (pack.py says how) to a scene: words, numbers and planes.

/** Returns the bytes that a base64 string stands for. */
export const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

async function through(bytes, transform) {
  const stream = new Blob([bytes]).stream().pipeThrough(transform);
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

export const inflate = (bytes) => through(bytes, new DecompressionStream("deflate"));

/** Returns bytes deflated, as base64. */
export async function deflated(bytes) {
  const packed = await through(bytes, new CompressionStream("deflate"));
  return btoa(Array.from(packed, (byte) => String.fromCharCode(byte)).join(""));
}

/**
 * Returns the scene: all of `about`, and its planes as Uint8Array.
 *
 * labels [V], together [K], truth, seen [V] (or null each), answered [V] ({data, width, height}
 * or null each), probs (look by look the classes 1..C-1), sure [V].
 */
export function sceneOf(about, bytes) {
  const size = about.width * about.height;
  const looks = about.looks;
  let at = 0;
  const take = (length) => bytes.subarray(at, (at += length));
  const takeAll = (times) => Array.from({ length: times }, () => take(size));

  const labels = takeAll(looks.length);
  const together = takeAll(about.on.filter(Boolean).length);
  const truth = about.truth ? take(size) : null;
  const first = labels[0];
  for (const plane of [...labels.slice(1), ...together, ...(truth ? [truth] : [])])
    for (let i = 0; i < size; i++) plane[i] ^= first[i];
  const seen = looks.map((look) => (look.seen ? take(size) : null));
  const answered = looks.map(({ answered: shape }) =>
    shape ? { data: take(shape[0] * shape[1]), height: shape[0], width: shape[1] } : null,
  );
  const classes = about.names.length;
  const probs = about.answers === "probs" ? take(size * looks.length * (classes - 1)) : null;
  const sure = about.answers === "sure" ? takeAll(looks.length) : null;
  if (at !== bytes.length) throw new Error(`stage: ${bytes.length} bytes came, ${at} are known`);
  return { ...about, size, classes, labels, together, truth, seen, answered, probs, sure };
}

/** Returns the scene of a value. */
export async function unpack(value) {
  return sceneOf(JSON.parse(value.about), await inflate(bytesOf(value.data)));
}

/** Whether look `v` saw pixel `i`. */
export const sees = ({ seen }, v, i) => !seen[v] || seen[v][i] > 0;

/** Returns how probable look `v` finds class `c` at pixel `i`, 0..1; 0 where it saw nothing. */
export function probability(scene, v, c, i) {
  const { classes, size, probs, sure, labels } = scene;
  if (!sees(scene, v, i)) return 0;
  if (probs) {
    const from = v * (classes - 1);
    if (c) return probs[(from + c - 1) * size + i] / 255;
    let rest = 255;
    for (let other = 0; other < classes - 1; other++) rest -= probs[(from + other) * size + i];
    return Math.max(0, rest) / 255;
  }
  const own = sure[v][i] / 255;
  return labels[v][i] === c ? own : (1 - own) / Math.max(1, classes - 1);
}

/** Returns what look `v` counts for class `c`, not yet scaled to sum 1. */
export function weightOf(scene, v, c) {
  const weight = scene.weights ? scene.weights[v] : 1;
  return Array.isArray(weight) ? weight[c] : weight;
}

/** Returns the look's weight for a class among the looks in use, 0..1. */
export function shareOf(scene, used, v, c) {
  const total = used.reduce((sum, other) => sum + weightOf(scene, other, c), 0);
  if (!used.includes(v)) return 0;
  return total > 0 ? weightOf(scene, v, c) / total : 1 / used.length;
}
