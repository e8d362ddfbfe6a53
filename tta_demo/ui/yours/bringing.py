"""What a visitor can do with a model of their own, on any tab: bring, correct, name, stop it."""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

from tta_demo.samples.names_file import read_names
from tta_demo.samples.palette_file import read_palette, read_swap
from tta_demo.ui.kit.events import LOADING, OPENING, STOP
from tta_demo.ui.kit.files import uploaded
from tta_demo.ui.kit.screen import Action, Screen, Updates
from tta_demo.ui.yours.classes import names_of, pairs_of, palette_of
from tta_demo.ui.yours.hub import fetched
from tta_demo.ui.yours.model import Own, Reading
from tta_demo.ui.yours.owner import Owner, Wanted
from tta_demo.ui.yours.panel import panel_of, refused, under_way

__all__ = ["OwnActions"]

Made = Callable[[Wanted], Generator[Updates, None, Own]]
"""Makes a model, telling how far it is."""


@dataclass(frozen=True)
class OwnActions:
    """What a visitor can do with a model of their own; the screen needs the parts of the panel.

    Attributes:
        task: what the tab's models do.
        look: looks with the visitor's own model, after it came or changed, at what is on screen.
            It gets the visitor, whether that is still wanted, what the controls say, and whether
            it is the visitor's first model.
    """

    task: str
    look: Callable[[Any, Wanted, Any, bool], Iterator[Updates]]

    def wire(self, screen: Screen, restore: Action, heavy: dict[str, Any]) -> None:
        """Wires the parts of the panel; `restore` puts all back after a stop."""
        opening = heavy | OPENING
        screen.act(screen["own_file"].upload, self.open_file, opening)
        screen.act(screen["own_load"].click, self.load, opening | LOADING)
        for name in ("pixels", "order", "scores", "fit"):
            screen.act(screen[name].input, self.correct, heavy)
        screen.act(screen["rename"].click, self.rename, heavy)
        screen.act(screen["own_classes"].upload, self.rename_from, heavy)
        screen.act(screen["exchange"].click, self.exchange, heavy)
        stopped = screen.on(screen["own_stop"].click, self.stop, STOP)
        screen.on(stopped.success, restore)

    def open_file(
        self, visitor: Owner, own_file: dict[str, Any], settings: object
    ) -> Iterator[Updates]:
        """Reads an uploaded model, says what it is, and looks with it at the picture on stage."""

        def made(wanted: Wanted) -> Generator[Updates, None, Own]:
            yield {"own_told": under_way("Reading the file, and trying it once …")}
            return Own.read(uploaded(own_file), self.task, visitor.hold)

        yield from self._adopt(visitor, settings, made)

    def load(self, visitor: Owner, hub_name: str | None, settings: object) -> Iterator[Updates]:
        """Takes a model of the Hub by its name, and looks with it."""
        name = (hub_name or "").strip()
        yield from self._adopt(visitor, settings, lambda wanted: fetched(name, self.task, wanted))

    def correct(self, visitor: Owner, reading: Reading, settings: object) -> Iterator[Updates]:
        """Reads the model in another way, and looks again."""
        yield from self._change(visitor, settings, lambda own: own.corrected(reading))

    def rename(self, visitor: Owner, class_names: str, settings: object) -> Iterator[Updates]:
        """Gives the classes other names and colours; no forward pass."""

        def changed(own: Own) -> Own:
            palette = own.record.palette
            if palette is None:
                return own.called(names_of(class_names, own.record.classes))
            return own.called(palette_of(class_names, palette))

        yield from self._change(visitor, settings, changed)

    def rename_from(
        self, visitor: Owner, own_classes: dict[str, Any], settings: object
    ) -> Iterator[Updates]:
        """Takes the classes' names, colours and pairs from a file."""

        def changed(own: Own) -> Own:
            path = uploaded(own_classes)
            if own.record.palette is None:
                return own.called(names_of("\n".join(read_names(path)), own.record.classes))
            own, pairs = own.called(read_palette(path)), read_swap(path)
            return own.swapping(pairs) if pairs else own

        yield from self._change(visitor, settings, changed)

    def exchange(self, visitor: Owner, swap_pairs: str, settings: object) -> Iterator[Updates]:
        """Exchanges pairs of classes in mirrored looks, and looks again."""

        def changed(own: Own) -> Own:
            return own.swapping(pairs_of(swap_pairs, own.record.classes))

        yield from self._change(visitor, settings, changed)

    def stop(self, visitor: Owner) -> None:
        """Ends what is under way; does not wait for its turn."""
        visitor.stop()

    def _change(
        self, visitor: Owner, settings: object, changed: Callable[[Own], Own]
    ) -> Iterator[Updates]:
        def made(wanted: Wanted) -> Generator[Updates, None, Own]:
            yield {"own_told": under_way("Reading it again …")}
            return changed(visitor.mine)

        yield from self._adopt(visitor, settings, made)

    def _adopt(self, visitor: Owner, settings: object, made: Made) -> Iterator[Updates]:
        """Makes a model the visitor's, and looks; if it is refused, all stays as it was."""
        with visitor.looking() as wanted:
            try:
                own = yield from made(wanted)
            except (ValueError, OSError) as error:
                yield panel_of(visitor.own) | {"own_told": refused(error)}
                return
            if not wanted():
                yield panel_of(visitor.own)
                return
            first = visitor.own is None
            visitor.adopt(own)
            yield from self.look(visitor, wanted, settings, first)
