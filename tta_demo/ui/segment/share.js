// Writes the link to what is on screen into the address, and copies it; nothing is stored.
const button = element.querySelector(".copy");
const told = element.querySelector(".told");
const stage = document.querySelector("#stage .stage-grid");
let opened = null; // the link that the page opened with, until something else is chosen
let fading = 0;

/** Returns the link's parameters, with what the stage shows; empty if there is no link. */
function scene() {
  const query = new URLSearchParams(props.value?.query ?? "");
  const mode = stage.querySelector(".modes [aria-pressed=true]")?.dataset.mode;
  if (query.size && mode) query.set("mode", mode);
  return query;
}

const NAMES = [
  "world",
  "seed",
  "example",
  "difficulty",
  "damage",
  "views",
  "fusion",
  "mode",
  "models",
  "off",
];
const written = (query) =>
  query.toString().replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%2F", "/");

/** Keeps the address as it is until something is chosen; parameters of others stay. */
function write() {
  if (!props.value || stage.dataset.status === "playing") return;
  const query = scene();
  if (written(query) === opened) return;
  opened = "";
  const address = new URLSearchParams(location.search);
  for (const name of NAMES) address.delete(name);
  for (const [name, value] of query) address.append(name, value);
  const all = `?${written(address)}`;
  if (all !== location.search) history.replaceState(history.state, "", all + location.hash);
}

function say(text) {
  clearTimeout(fading);
  told.textContent = text;
}

async function copy() {
  const link = `${location.origin}${location.pathname}?${written(scene())}`;
  try {
    await navigator.clipboard.writeText(link);
  } catch {
    prompt("Copy this link:", link); // without https there is no clipboard
    return;
  }
  say(["Copied.", props.value.without].join(" "));
  fading = setTimeout(() => say(""), 6000);
}

function update() {
  const { query = "", without = "" } = props.value ?? {};
  button.disabled = !query;
  say(query ? "" : without);
  if (query && opened === null) {
    const first = new URLSearchParams(query);
    first.set("mode", new URLSearchParams(location.search).get("mode") ?? "changed");
    opened = written(first);
  }
  write();
}

button.addEventListener("click", copy);
const seen = new MutationObserver(() => (element.isConnected ? write() : seen.disconnect()));
seen.observe(stage, {
  subtree: true,
  attributes: true,
  attributeFilter: ["aria-pressed", "data-status"],
});
watch("value", update);
update();
