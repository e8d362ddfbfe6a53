"""A visitor who may bring a model of their own."""

from collections.abc import Callable
from dataclasses import replace

from tta_demo.models.onnx_session import OnnxSession
from tta_demo.models.registry import load_model
from tta_demo.ui.kit.visitor import Viewer
from tta_demo.ui.yours.model import NO_MODEL, Own

__all__ = ["Owner", "Wanted"]

Wanted = Callable[[], bool]
"""Asks whether the visitor still waits for what is being made."""


class Owner(Viewer):
    """A visitor of a tab that takes models.

    Attributes:
        own: the visitor's own model, if there is one.
        session: of the ONNX file that was read last, to stop it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.own: Own | None = None
        self.session: OnnxSession | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of what is on screen, and of the model's file."""
        file = None if self.own is None else self.own.file
        return super().nbytes + (0 if file is None else file.path.stat().st_size)

    def lighten(self) -> None:
        """Forgets the case and the model."""
        super().lighten()
        self.own = None

    @property
    def mine(self) -> Own:
        """The visitor's own model; a `ValueError` if there is none."""
        if self.own is None:
            raise ValueError(NO_MODEL)
        return self.own

    def hold(self, session: OnnxSession) -> None:
        """Keeps a session at hand, to be stopped."""
        self.session = session

    def adopt(self, own: Own) -> None:
        """Makes a model the visitor's."""
        self.own = own

    def stop(self) -> None:
        """Ends what is under way, in the middle of an ONNX file's pass; waits for no turn."""
        self.call_off()
        running = [self.session]
        if self.own is not None:
            running.append(load_model(replace(self.own.record, swap=())))
        for one in running:
            if hasattr(one, "stop"):  # a network's pass cannot be stopped, only the next one
                one.stop()
