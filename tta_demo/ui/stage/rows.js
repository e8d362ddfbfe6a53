// One row for every look: its small picture, its name, and a switch that takes it out or in; where
// several models look, a heading over the rows of each.

import { called } from "./looks.js";
import { make } from "./tools.js";

/**
 * Returns the rows; what else stands in them is their owner's.
 *
 * @param show { cells(look, v): more nodes of a row, open(v): its name was clicked,
 *   switched(on): another set of looks takes part, never none; without it there is no switch }
 */
export function rowing(ui, show) {
  const all = () => ui.all(".rows li:not(.who)");
  let heads = []; // { head, rows }: of each model, its heading and its looks

  function row(look, v) {
    const line = make("li");
    const name = make("button", "name", look.label);
    name.type = "button";
    name.title = look.summary;
    name.addEventListener("click", () => show.open(v));
    const thumb = make("canvas", "thumb");
    thumb.width = thumb.height = 72;
    line.append(show.switched ? switchOf(look, v) : "", thumb, name, ...show.cells(look, v));
    return line;
  }

  function switchOf(look, v) {
    const check = make("input");
    check.type = "checkbox";
    check.setAttribute("aria-label", `Use the look ${called(look)}`);
    check.addEventListener("change", () => toggle(v, check.checked));
    return check;
  }

  /** The last look stays. */
  function toggle(v, on) {
    const next = ui.state.on.map((flag, other) => (other === v ? on : flag));
    if (next.some(Boolean)) show.switched(next);
    mark();
  }

  /** Shows which looks take part, and which one is open. */
  function mark() {
    all().forEach((line, v) => {
      line.classList.toggle("off", !ui.state.on[v]);
      line.classList.toggle("open", v === ui.state.open);
      const check = line.querySelector("input");
      if (check) check.checked = ui.state.on[v];
    });
  }

  /** Returns the heading over the rows of a model, with a place for what they count together. */
  function headOf(model) {
    const head = make("li", "who");
    head.append(make("span", "", model), make("span", "weight"));
    heads.push({ head, rows: [] });
    return head;
  }

  function build() {
    heads = [];
    const lines = ui.scene.looks.flatMap((look, v) => {
      const first = look.model && look.model !== ui.scene.looks[v - 1]?.model;
      const above = first ? [headOf(look.model)] : [];
      heads.at(-1)?.rows.push(v);
      return [...above, row(look, v)];
    });
    // in a list that scrolls, headings further down stay in sight, one below the other
    heads.forEach(({ head }, at) => head.style.setProperty("--below", heads.length - 1 - at));
    ui.find(".rows").replaceChildren(...lines);
    ui.find(".votes").classList.toggle("many", ui.scene.looks.length > 8);
    mark();
  }

  return {
    all,
    build,
    mark,
    /** Says over the rows of each model what `told(rows)` tells of them. */
    total(told) {
      for (const { head, rows } of heads) head.querySelector(".weight").textContent = told(rows);
    },
    /** Marks the row of the look that plays; -1 for none. */
    now: (v) => all().forEach((line, other) => line.classList.toggle("now", other === v)),
    /** Empties the rows whose answers are yet to come; none fills all. */
    wait: (waiting) =>
      all().forEach((line, v) => line.classList.toggle("wait", waiting.includes(v))),
    /** The answer flies from the stage to its row as a small picture. */
    land(v, duration) {
      const line = all()[v];
      const thumb = line.querySelector(".thumb");
      const to = thumb.getBoundingClientRect();
      line.classList.remove("wait");
      if (!to.width || ui.still.matches) return;
      const from = ui.find(".stand").getBoundingClientRect();
      const right = from.left + from.width / 2 - to.left - to.width / 2;
      const down = from.top + from.height / 2 - to.top - to.height / 2;
      const away = `translate(${right}px,${down}px) scale(${(0.55 * from.width) / to.width})`;
      thumb.animate([{ transform: away, opacity: 0.2 }, { opacity: 1 }], {
        duration,
        easing: "cubic-bezier(.5,0,.2,1)",
        composite: "replace",
      });
    },
  };
}
