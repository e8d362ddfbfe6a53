"""Models made at run time, each from a weights file of its own."""

from uuid import uuid4

from tta_demo.models.record import ModelRecord
from tta_demo.pictures.palettes import Palette

COLORS = ((0, 0, 0), (128, 0, 0), (0, 128, 0), (0, 0, 128), (128, 128, 0), (0, 128, 128))


class Counting:
    """A model that counts its calls and the pictures that it was shown."""

    def __init__(self, model):
        self.model, self.calls, self.shown = model, 0, 0

    def __call__(self, images):
        self.calls += 1
        self.shown += len(images)
        return self.model(images)


def own_record(folder, task, model, classes=3, content=None):
    """The record of a model that nobody has seen before, unless the content of its file is given.

    Its classes are called `class 0` and so on; looking must load it from its own file.
    """
    path = folder / f"{uuid4().hex}.bin"
    path.write_bytes(content or uuid4().bytes)

    def load(where, device, dtype):
        assert (where, dtype) == (path, None)
        return model

    return ModelRecord(
        name="own",
        task=task,
        label="My own",
        summary="It knows what I taught it.",
        source="me",
        domain="natural",
        weights=lambda: path,
        load=load,
        palette=Palette(tuple(f"class {i}" for i in range(classes)), COLORS[:classes]),
    )
