"""How the page looks, and how it is served."""

from typing import Any

import gradio as gr

__all__ = ["CSS", "JS", "THEME", "launch_options"]

THEME = gr.themes.Soft(
    primary_hue="indigo",
    neutral_hue="slate",
    font=["system-ui", "sans-serif"],
    font_mono=["ui-monospace", "monospace"],
).set(
    body_text_color_subdued="*neutral_600",
    block_info_text_color="*neutral_600",
    block_label_text_color="*primary_800",
    block_title_text_color="*primary_800",
    button_primary_background_fill="*primary_600",
    button_primary_background_fill_hover="*primary_700",
    checkbox_label_background_fill_selected="*primary_600",
    link_text_color="*primary_700",
)

CSS = """
#page { max-width: 1280px; margin: 0 auto; }
#intro h1 { font-size: 1.9rem; margin: .2rem 0 .1rem; }
#intro p { font-size: 1.05rem; max-width: 46rem; margin: 0 0 .4rem; }
#results { transition: opacity .15s; }
#results.working { opacity: .35; pointer-events: none; }
#results .notes:empty { display: none; }
.three { flex-wrap: nowrap !important; gap: 8px !important; }
.three > * { min-width: 0 !important; }
.three p { font-size: .85rem; color: var(--body-text-color-subdued); }
#gallery, #gallery .grid-wrap { min-height: 0 !important; height: auto !important; }
#gallery .grid-wrap { max-height: none; }
#gallery .caption-label { white-space: normal; font-size: .8rem; padding: 2px 6px; }
#gallery .grid-container {
  grid-template-columns: repeat(auto-fill, minmax(130px, 1fr)) !important;
}
.numbers { display: grid; grid-template-columns: 1fr 1fr 1fr; gap: 12px; }
.numbers > div {
  border: 1px solid var(--border-color-primary); border-radius: 10px; padding: 10px 14px;
  background: var(--block-background-fill);
}
.numbers > div.main { border-color: var(--color-accent); }
.numbers .what { color: var(--body-text-color-subdued); font-size: .9rem; }
.numbers .value { font-size: 1.6rem; font-weight: 700; line-height: 1.3; white-space: nowrap; }
.numbers .unit { color: var(--body-text-color-subdued); font-size: .8rem; }
.better { color: var(--tta-better); }
.worse { color: var(--tta-worse); }
:root { --tta-better: #166534; --tta-worse: #9f1239; }
.dark { --tta-better: #6ee7a0; --tta-worse: #fda4af; }
.bars { display: flex; flex-direction: column; gap: 6px; }
.bars .bar {
  display: grid; grid-template-columns: 10.5rem 1fr 4.2rem; align-items: center; gap: 10px;
  text-align: left; padding: 7px 12px; border-radius: 8px;
  border: 1px solid var(--border-color-primary); background: var(--block-background-fill);
  color: var(--body-text-color); font: inherit;
}
.bars button.bar { cursor: pointer; }
.bars button:hover, .bars button:focus-visible { border-color: var(--color-accent); }
.bars .name small { display: block; color: var(--body-text-color-subdued); }
.bars .track { border-radius: 6px; background: var(--background-fill-secondary); }
.bars .track i {
  display: block; height: 12px; border-radius: 6px; background: var(--color-accent);
  min-width: 2px;
}
.bars .track i:not(:only-child) {
  height: 6px; box-sizing: border-box; border: 1px solid var(--body-text-color-subdued);
}
.bars .several { font-size: .8rem; }
.bars .share { text-align: right; font-weight: 600; font-variant-numeric: tabular-nums; }
.status p { margin: 0 0 .3rem; }
.status progress { width: 100%; height: 10px; accent-color: var(--color-accent); }
.verdict { font-size: 1.05rem; }
.small, .small p { font-size: .85rem; color: var(--body-text-color-subdued); }
.curve { width: 100%; max-width: 520px; height: auto; display: block; }
.curve polyline { fill: none; stroke: var(--color-accent); stroke-width: 2.5; }
.curve circle { fill: var(--color-accent); }
.curve line { stroke: var(--border-color-primary); }
.curve text { fill: var(--body-text-color-subdued); font-size: 13px; }
#classify-results, #detect-results { transition: opacity .15s; }
#classify-results.working, #detect-results.working { opacity: .35; pointer-events: none; }
.told { min-height: 3rem; }
.boxes { width: 100%; max-width: 640px; height: auto; display: block; margin: 0 auto; }
.boxes rect { fill: transparent; vector-effect: non-scaling-stroke; }
.boxes .box { stroke-width: 3; filter: drop-shadow(0 0 1px #fff); }
.boxes .member { visibility: hidden; stroke: #fde047; stroke-width: 1.2; pointer-events: none; }
.boxes .fused { outline: none; cursor: pointer; }
.boxes .fused:hover .member, .boxes .fused:focus .member { visibility: visible; }
.boxes .fused:hover .box, .boxes .fused:focus .box { stroke-width: 5; }
.answers .name { font-weight: 600; }
.looks { display: grid; grid-template-columns: repeat(auto-fill, minmax(250px, 1fr)); gap: 10px; }
.look {
  display: flex; gap: 10px; padding: 8px; border-radius: 8px; min-width: 0;
  border: 1px solid var(--border-color-primary); background: var(--block-background-fill);
}
.look img { width: 84px; height: 84px; border-radius: 6px; margin: 0; flex: none; }
.look > div { flex: 1; min-width: 0; }
.look .row {
  display: grid; grid-template-columns: 1fr 34px 2.4rem; gap: 6px; align-items: center;
  font-size: .75rem; color: var(--body-text-color-subdued);
}
.look .row span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.look .row span:last-child { text-align: right; font-variant-numeric: tabular-nums; }
.look .same { color: var(--body-text-color); font-weight: 600; }
.look .track { height: 6px; border-radius: 3px; background: var(--background-fill-secondary); }
.look .track i {
  display: block; height: 100%; border-radius: 3px; background: var(--color-accent);
}
#classify-examples img, #detect-examples img {
  object-fit: cover !important; width: 84px; height: 84px;
}
#detect-gallery .grid-container > * { aspect-ratio: 2 / 1; }
#detect-gallery, #detect-steps, #detect-gallery .grid-wrap, #detect-steps .grid-wrap {
  min-height: 0 !important; height: auto !important; max-height: none;
}
#detect-gallery .caption-label, #detect-steps .caption-label {
  white-space: normal; font-size: .75rem; padding: 2px 6px;
}
.scores { overflow-x: auto; }
.scores table {
  border: 0 !important; border-collapse: collapse; width: 100%;
  font-variant-numeric: tabular-nums;
}
.scores th, .scores td {
  padding: 6px 10px !important; text-align: right; border: 0 !important;
  border-bottom: 1px solid var(--border-color-primary) !important;
}
.scores tr { border: 0 !important; }
.scores td { white-space: nowrap; }
.scores th:first-child, .scores td:first-child { text-align: left; }
#note p { margin: .2rem 0; }
#note .classes span { white-space: nowrap; margin-right: .9em; }
#note .small { font-size: .8rem; color: var(--body-text-color-subdued); }
.swatch {
  display: inline-block; width: .8em; height: .8em; border-radius: 3px; margin-right: .45em;
  border: 1px solid var(--body-text-color-subdued); vertical-align: -.05em;
}
@media (max-width: 640px) {
  #results, #classify-results, #detect-results { order: -1; }
  .numbers { grid-template-columns: 1fr 1fr; gap: 8px; }
  .numbers > div { padding: 8px 10px; }
  .numbers > div:last-child { grid-column: 1 / -1; }
  .bars .bar { grid-template-columns: 7.5rem 1fr 3.6rem; padding: 7px 8px; }
  .scores th, .scores td { padding: 4px 5px !important; font-size: .75rem; white-space: normal; }
}
"""

JS = """
() => {
  const name = () => ['#examples', '#classify-examples', '#detect-examples'].forEach((strip) =>
    document.querySelectorAll(`${strip} button`).forEach((button, i) => {
      if (!button.ariaLabel) button.ariaLabel = `Example ${i + 1}`;
    }));
  name();
  new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
}
"""


def launch_options() -> dict[str, Any]:
    """Returns the keyword arguments of `Blocks.launch` for a public page."""
    return {
        "theme": THEME,
        "css": CSS,
        "js": JS,
        "max_file_size": "200mb",
        "allowed_paths": [],
        "show_error": False,
        "run_history": False,
        "enable_monitoring": False,
        "pwa": False,
        "ssr_mode": False,
        "footer_links": ["gradio", "settings"],
        "strict_cors": True,
        "state_session_capacity": 500,
    }
