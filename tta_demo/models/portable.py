"""A model that travels to another process as its record, and is loaded there."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from tta_demo.models.ensemble import Ensemble
from tta_demo.models.record import ModelRecord
from tta_demo.models.registry import load_model
from tta_demo.tta.predict import for_picture

__all__ = ["Portable", "portable"]


class Portable:
    """Stands where a loaded model does; pickled, it becomes one where it is unpacked.

    Args:
        record: of the model; its file must be found there, at the same path.
    """

    def __init__(self, record: ModelRecord) -> None:
        self._record, self._model = record, load_model(record)
        self.swap = record.swap_ids

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[ModelRecord]]:
        return load_model, (self._record,)

    def for_picture(self, size: tuple[int, int]) -> Callable[..., Any]:
        """Returns the model for views of a picture of `(H, W)` pixels."""
        return for_picture(self._model, size)

    def __call__(self, images: Tensor) -> Any:  # noqa: ANN401 (whatever the model answers)
        """Returns the model's own answer to pictures `(B, 3, H, W)`."""
        return self._model(images)


def portable(model: ModelRecord | Ensemble) -> Portable | dict[str, Portable]:
    """Returns what `load_model` does, a model or those of an ensemble by name, fit for pickle."""
    if isinstance(model, Ensemble):
        return {one.name: Portable(one) for one in model.members}
    return Portable(model)
