"""Which action each part of the panel starts."""

from typing import Any

from tta_demo.ui.kit.events import LOADING, OPENING, STOP
from tta_demo.ui.kit.screen import Action, Screen
from tta_demo.ui.yours.bringing import OwnActions

__all__ = ["wire_panel"]


def wire_panel(
    screen: Screen, actions: OwnActions, restore: Action, heavy: dict[str, Any]
) -> None:
    """Wires the parts of the panel; `restore` puts all back after a stop."""
    opening = heavy | OPENING
    screen.act(screen["own_file"].upload, actions.open_file, opening)
    screen.act(screen["own_load"].click, actions.load, opening | LOADING)
    for name in ("pixels", "order", "scores", "fit"):
        screen.act(screen[name].input, actions.correct, heavy)
    screen.act(screen["rename"].click, actions.rename, heavy)
    screen.act(screen["own_classes"].upload, actions.rename_from, heavy)
    screen.act(screen["exchange"].click, actions.exchange, heavy)
    stopped = screen.on(screen["own_stop"].click, actions.stop, STOP)
    screen.on(stopped.success, restore)
