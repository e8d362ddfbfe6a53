// The dial: eight ways to turn the input, and what became of both answers.

const find = (selector) => element.querySelector(selector);
const number = (n) => n.toLocaleString("en-US");
const pixels = (n) => `${number(n)} ${n === 1 ? "pixel" : "pixels"} changed`;

/** Shows one position; a number of changed pixels is "none" or "some" for the style. */
function show({ summary, label, transform, changed, answers, gap }, total) {
  find(".dial-shown .photo").style.transform = transform;
  [".dial-one", ".dial-all"].forEach((place, i) => {
    find(`${place} .answer`).src = answers[i];
    const count = find(`${place} .count`);
    count.textContent = pixels(changed[i]);
    count.dataset.changed = changed[i] ? "some" : "none";
  });
  const share = ((100 * changed[0]) / total).toFixed(1);
  find(".dial-said").textContent =
    `${label}: ${summary}. One look changed its mind on ${number(changed[0])} of ` +
    `${number(total)} pixels (${share} %; equivariance gap ${gap}), all eight on ` +
    `${number(changed[1])}. Changed pixels are white.`;
}

function tile({ label, transform }, chosen, choose) {
  const place = document.createElement("label");
  const input = document.createElement("input");
  const glyph = document.createElement("i");
  place.className = "tile";
  Object.assign(input, { type: "radio", name: "dial-turn", checked: chosen });
  input.setAttribute("aria-label", label);
  glyph.setAttribute("aria-hidden", "true");
  glyph.textContent = "R";
  glyph.style.transform = transform;
  input.addEventListener("change", choose);
  place.title = label;
  place.append(input, glyph);
  return place;
}

function fill() {
  if (!props.value || find(".tile")) return;
  const { picture, pixels: total, turns } = JSON.parse(props.value);
  element.querySelectorAll(".photo").forEach((photo) => (photo.src = picture));
  const tiles = turns.map((turn, i) => tile(turn, i === 0, () => show(turn, total)));
  find(".tiles").replaceChildren(...tiles);
  show(turns[0], total);
}

watch("value", fill);
if (props.value) fill();
else trigger("empty");
