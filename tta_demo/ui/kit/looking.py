"""A tab that answers about one picture: how it goes from one result to the next."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from tta_demo.pictures.reading import read_picture
from tta_demo.ui.kit.damage_panel import damage_title, wire_damage
from tta_demo.ui.kit.files import uploaded
from tta_demo.ui.kit.parts import Presets
from tta_demo.ui.kit.screen import Action, Screen, Trigger, Updates
from tta_demo.ui.kit.theme import scroll_to
from tta_demo.ui.kit.visitor import Case, Viewer

__all__ = ["READY", "WORKING", "PictureActions", "looked", "open_with", "wire"]

WORKING: Updates = {"box": gr.Column(elem_classes=["working"])}
"""The result is dimmed: it does not belong to what was chosen."""
READY: Updates = {"box": gr.Column(elem_classes=[])}


def looked(
    viewer: Viewer, case: Case, show: Callable[[Case], Updates], **at_once: object
) -> Iterator[Updates]:
    """Dims the old result, then shows the new one, and makes the case the visitor's.

    Args:
        viewer: who looks, and has the turn.
        case: the new picture or settings; the viewer prepares it.
        show: returns the result of a case; may run the model, and may fail.
        at_once: what changes before the result is there; a new picture does in any case.
    """
    case = viewer.prepared(case)
    if viewer.case is None or viewer.case.picture is not case.picture:
        at_once["picture"] = case.picture.rgb
    yield WORKING | at_once
    result = show(case)
    viewer.case = case
    yield READY | damage_title(case) | result


@dataclass(frozen=True)
class PictureActions:
    """What a visitor can do on a tab with a picture, settings and a result.

    The screen needs the parts `box`, `example`, `picture`, `settings` and those of the damage.

    Attributes:
        case: makes a case of a picture that a visitor brings, and settings.
        example: makes a case of settings and the number of an example.
        show: returns the result of a case.
        empty: the result without a picture.
    """

    case: Callable[..., Case]
    example: Callable[[Any, int], Case]
    show: Callable[[Case], Updates]
    empty: Updates

    def open_example(self, visitor: Viewer, example: int, settings: object) -> Iterator[Updates]:
        """Opens an example, and looks."""
        yield from self.opening(visitor, settings, lambda now: self.example(now, example))

    def open_first(self, visitor: Viewer, settings: object) -> Iterator[Updates]:
        """Opens the first example when the tab is opened for the first time."""
        if visitor.case is None:
            yield from self.open_example(visitor, 0, settings)

    def open_picture(
        self, visitor: Viewer, picture: dict[str, Any], settings: object
    ) -> Iterator[Updates]:
        """Opens an uploaded picture, and looks."""
        path = uploaded(picture)
        yield from self.opening(
            visitor, settings, lambda now: self.case(picture=read_picture(path), settings=now)
        )

    def opening(
        self, visitor: Viewer, settings: object, make: Callable[[Any], Case]
    ) -> Iterator[Updates]:
        """Makes a case of the settings as they stand by now, and looks, if it is waited for."""
        with visitor.looking() as wanted:
            if wanted():
                yield from looked(visitor, make(visitor.latest(settings)), self.show)

    def change(self, visitor: Viewer, settings: object) -> Iterator[Updates]:
        """Looks in other ways, or shows otherwise; only new looks run the model."""
        with visitor.turn:
            case = self.changed(visitor.present, visitor.latest(settings))
            yield from looked(visitor, case, self.show)

    def changed(self, case: Case, settings: Any) -> Case:  # noqa: ANN401 (the tab's own)
        """Returns the case with other settings."""
        return replace(case, settings=settings)

    def clear(self, visitor: Viewer) -> Updates:
        """Empties the tab: no old result without its picture."""
        with visitor.turn:
            visitor.case = None
            return READY | {"picture": None} | self.empty

    def restore(self, visitor: Viewer) -> Updates:
        """Puts the inputs back to what belongs to the result on screen, after an error."""
        with visitor.turn:
            case = visitor.case
            return READY | {"picture": None} if case is None else self.inputs_of(case)

    def inputs_of(self, case: Case) -> Updates:
        """Returns how all inputs stand for a case whose result is on screen."""
        inputs = {"picture": case.picture.rgb, "settings": case.settings}
        return READY | damage_title(case) | inputs


def wire(
    screen: Screen, tab: gr.Tab, actions: PictureActions, presets: Presets, heavy: dict[str, Any]
) -> None:
    """Wires what every tab of this kind has; it looks when it is first opened."""
    screen.act(tab.select, actions.open_first, heavy)
    open_with(screen, screen["example"].click, actions.open_example, heavy)
    open_with(screen, screen["picture"].upload, actions.open_picture, heavy)
    screen.on(screen["picture"].clear, actions.clear)
    for trigger in (presets.wire(screen).success, screen["views"].input, screen["fusion"].input):
        screen.act(trigger, actions.change, heavy)
    wire_damage(screen, actions.change, heavy)


def open_with(screen: Screen, trigger: Trigger, action: Action, how: dict[str, Any]) -> None:
    """As `Screen.act`, for an action that opens a picture: a phone scrolls to the result."""
    screen.act(trigger, action, how).success(None, js=scroll_to(screen["box"].elem_id))
