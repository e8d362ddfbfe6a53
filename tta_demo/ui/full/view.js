// A window on a large picture: it is moved by dragging, by scrolling, and by pointing at the stage.
const figure = element.querySelector(".viewer");
const view = element.querySelector(".window");
const image = element.querySelector("img");
const save = element.querySelector(".save");
const buttons = [...element.querySelectorAll("[data-zoom]")];
const stage = document.querySelector("#stage");
let zoom = 1;
let drag = null;

/** Brings a place of the picture, shares of its width and height, to the middle of the window. */
function go({ x, y }) {
  view.scrollLeft = x * view.scrollWidth - view.clientWidth / 2;
  view.scrollTop = y * view.scrollHeight - view.clientHeight / 2;
}

/** The place in the middle of the window. */
const middle = () => ({
  x: (view.scrollLeft + view.clientWidth / 2) / view.scrollWidth,
  y: (view.scrollTop + view.clientHeight / 2) / view.scrollHeight,
});

function resize(wanted, place = middle()) {
  zoom = wanted;
  image.style.width = zoom ? `${zoom * image.naturalWidth}px` : "100%";
  view.classList.toggle("whole", !zoom);
  for (const button of buttons) button.setAttribute("aria-pressed", button.dataset.zoom == zoom);
  go(place);
}

/** Where an event is within a rectangle, as shares of its sides. */
function within(event, node) {
  const { left, top, width, height } = node.getBoundingClientRect();
  return { x: (event.clientX - left) / width, y: (event.clientY - top) / height };
}

function follow(event) {
  if (figure.hidden || !zoom || stage.querySelector("[data-status=playing]")) return;
  const card = event.target.closest?.(".picture")?.querySelector(".card");
  if (card) go(within(event, card));
}

for (const kind of ["pointermove", "pointerdown"]) stage.addEventListener(kind, follow);
for (const button of buttons)
  button.addEventListener("click", () => resize(Number(button.dataset.zoom)));
view.addEventListener("pointerdown", (event) => {
  if (event.pointerType !== "mouse" || event.button) return; // a finger scrolls by itself
  if (!zoom) {
    resize(1, within(event, image));
    return;
  }
  drag = { x: event.clientX, y: event.clientY, left: view.scrollLeft, top: view.scrollTop };
  view.setPointerCapture(event.pointerId);
});
view.addEventListener("pointermove", (event) => {
  if (!drag) return;
  view.scrollLeft = drag.left + drag.x - event.clientX;
  view.scrollTop = drag.top + drag.y - event.clientY;
});
for (const kind of ["pointerup", "pointercancel"])
  view.addEventListener(kind, () => (drag = null));
image.addEventListener("dragstart", (event) => event.preventDefault());
image.addEventListener("load", () => resize(1, { x: 0.5, y: 0.5 }));

function update() {
  const { picture, told } = props.value ?? {};
  figure.hidden = !picture;
  image.alt = told ?? "";
  image.src = save.href = picture?.url ?? "";
  if (!picture) image.removeAttribute("src");
  else save.download = picture.orig_name;
}

watch("value", update);
update();
