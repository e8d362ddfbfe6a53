"""Loaded models, as many as there is room for."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

__all__ = ["Kept"]

Model = Callable[..., Any]


class Kept:
    """Keeps what was loaded, each model once; who was used longest ago makes room for others.

    Safe to share between threads: one that loads a model keeps none from another model.

    Args:
        most: bytes of all models' files together; one model alone may have more.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._models: OrderedDict[Hashable, tuple[Model, int]] = OrderedDict()
        self._loading: WeakValueDictionary[Hashable, threading.Lock] = WeakValueDictionary()
        self._guard = threading.Lock()

    def get(
        self, key: Hashable, weights: Callable[[], Path], load: Callable[[Path], Model]
    ) -> Model:
        """Returns the model of a key; loads it from where its weights are if it is not here."""
        with self._guard:
            loading = self._loading.setdefault(key, threading.Lock())
        with loading:
            with self._guard:
                if key in self._models:
                    self._models.move_to_end(key)
                    return self._models[key][0]
            path = weights()
            size = path.stat().st_size  # a visitor's file may be gone once it is loaded
            model = load(path)
            with self._guard:
                self._models[key] = model, size
                while len(self._models) > 1 and self._bytes() > self.most:
                    self._models.popitem(last=False)
            return model

    def _bytes(self) -> int:
        return sum(size for _, size in self._models.values())
