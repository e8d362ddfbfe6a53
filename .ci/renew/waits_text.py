"""The generated parts on how long people wait, and on other engines."""

from markdown_parts import stored, table

DONE = {
    "open": "the page opens: first result on screen",
    "example": "an example is clicked: first answer",
    "row": "a look is switched off on the stage",
    "look": "a look is unticked beside it",
    "upload": "a photograph of 3 megapixels is sent: first answer",
    "apart": "of that, because strangers' files are decoded in a process of their own",
}
ASKED = {
    "fields": "an example field, looked at in eight ways",
    "uploads": "a picture that nobody has seen, looked at in eight ways",
    "photographs": "a photograph to classify",
    "boxes": "a field's boxes, looked for in eight ways",
}


def waits() -> str:
    """What one visitor waits in a browser, and what many wait for whole answers."""
    alone = stored("waits")
    rows = [
        [
            DONE[name],
            f"{row['seconds']:.3f}",
            f"{row['worst']:.3f}",
            f"{row['forward_passes']:.0f}",
        ]
        for name, row in alone["waits"].items()
    ]
    head = ["one visitor, in a browser", "seconds, median", "worst", "in forward passes"]
    return (
        f"{table(head, rows)}\n\n`{alone['command']}`, {alone['date'][:10]}, {alone['machine']}, "
        f"seed {alone['seed']}, browser and page on the same machine.\n\n{_crowd('load')}"
        f"\n\n{_crowd('load-learners')}"
    )


def _crowd(name: str) -> str:
    load = stored(name)
    rows = [
        [ASKED[kind], row["count"],
         *(f"{one['median']:.1f} / {one['p95']:.1f}" for one in (load["first"][kind], row)),
         f"{load['alone'][kind]['median']:.2f}"]
        for kind, row in load["seconds"].items()
    ]  # fmt: skip
    learners = load["learners"]
    who = f"{load['visitors']} visitors at once for {load['minutes']:g} minutes"
    who += f", beside {learners} who learn on 200 pictures" if learners else ""
    head = [who, "times", "first answer: seconds, median / 95 % within", "last look", "alone"]
    memory = [at["mb"] for at in load["memory"]]
    parts = [memory[len(memory) * i // 4 : len(memory) * (i + 1) // 4] for i in range(4)]
    quarters = ", ".join(f"{min(part):,} to {max(part):,}" for part in parts)
    wrong = ", ".join(f"{count} x {what}" for what, count in load["wrong"].items())
    return (
        f"{table(head, rows)}\n\nFrom the click on; alone, to the last look. Wrong or refused: "
        f"{wrong or 'nothing'}. Memory in each quarter of the time: {quarters} MB. "
        f"`{load['command']}`, {load['date']}, {load['machine']}."
    )


def engines() -> str:
    """What other engines would bring, on all of this processor and on an older one's part."""
    found = [stored(name) for name in ("engines", "engines-avx2")]
    both = [{(row["world"], row["engine"]): row for row in one["rows"]} for one in found]
    rows = []
    for world, engine in both[0]:
        here = [one.get((world, engine)) for one in both]
        cells = [f"{row['faster']:.2f}" if row else "" for row in here]
        rows.append([world, engine, *cells, f"{here[0]['changed']:.3%}"])
    head = ["world", "engine", "times as fast as torch in float32",
            "as on a processor with AVX2 alone", "labels changed"]  # fmt: skip
    return (
        f"{table(head, rows)}\n\n`{found[0]['command']}` and `{found[1]['command']}`, "
        f"{found[0]['date']}, {found[0]['machine']}; one look at an example."
    )
