"""A visitor's own model as Python code that makes it again."""

from tta_demo.ui.yours.model import File, Own

__all__ = ["code_of"]


def code_of(own: Own) -> str:
    """Returns lines that make `record`, the model as the visitor has it.

    Of names of files and classes, only those of this model are in it, as quoted text.
    """
    classes, given = _classes(own)
    if own.file is None:
        source = ascii(own.record.source)[1:-1]  # nothing in it can end the comment
        name = f"    {own.record.name!a},\n    {own.record.task!a}{given},\n"
        made = f"# when this was written:\n# {source}\nrecord = hub_model(\n{name})\n"
    else:
        how, more = _reading(own.file)
        call = f"own_model(Path({own.file.path.name!a}){given}{more})"
        beside = "# the file of your own model has to lie next to this script\n"
        made = f"{how}{beside}record = {call}.record\n"
    return classes + made + _swap(own)


def _classes(own: Own) -> tuple[str, str]:
    """Returns the classes, where the visitor changed them, and the argument that takes them."""
    palette = own.record.palette
    if palette == own.found.palette:
        return "", ""
    pairs = zip(palette.names, palette.colors, strict=True)
    lines = "".join(f"    ({name!a}, {color}),\n" for name, color in pairs)
    code, given = f"classes = [\n{lines}]\n", "*zip(*classes)"
    if palette.also:
        lines = "".join(f"    {pair},\n" for pair in palette.also)
        code += f"also = (\n{lines})\n"
        given += ", also=also"
    return code, f", palette=Palette({given})"


def _reading(file: File) -> tuple[str, str]:
    """Returns how a file is read, and the argument that takes it."""
    if file.model.facts is None:
        return f"feed = {file.model.feed!a}\n", ", feed=feed"
    told = {name: value for name, value in vars(file.model.facts).items() if name != "seconds"}
    lines = "".join(f"    {name}={value!a},\n" for name, value in told.items())
    return f"facts = OnnxFacts(\n{lines})\n", ", facts=facts"


def _swap(own: Own) -> str:
    if not own.record.swap:
        return ""
    lines = "".join(f"    ({one!a}, {other!a}),\n" for one, other in own.record.swap)
    return f"swap = (  # what a mirror exchanges\n{lines})\nrecord = replace(record, swap=swap)\n"
