"""The named parts of a tab, and the actions that read and change them by name."""

import inspect
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import fields
from typing import Any, get_type_hints

import gradio as gr
from gradio.blocks import Block
from gradio.events import Dependency

from tta_demo.ui.kit.budget import HOLDINGS
from tta_demo.ui.kit.events import LATEST, LIGHT
from tta_demo.ui.kit.failing import failing
from tta_demo.ui.kit.measured import measured
from tta_demo.ui.kit.visitor import Visitor

__all__ = ["Action", "Screen", "Trigger", "Updates"]

Updates = dict[str, Any]
"""What changes on a screen: new values, or gradio's updates, by the names of the parts."""

Action = Callable[..., Updates | Iterator[Updates] | None]
Part = Block | Sequence[Block] | type
Trigger = Callable[..., Dependency]
Values = dict[Block, Any]


class Screen:
    """The parts of a tab by name, and the actions that read and change them by name.

    A part is a component, a list of components, or a record: a dataclass whose fields are names
    of parts. An action is a function or a generator. Its parameters are names of parts, whose
    values it gets, and those that are annotated as gradio's data of an event or its request. What
    it returns or yields are `Updates`; all other parts stay as they are. An error becomes a
    message on the page, see `tta_demo.ui.kit.failing`.

    A name that no part has raises a `KeyError`: among fields and parameters when the page is
    built, among updates when the action returns.

    Args:
        visitor: the first value of the part `visitor`, fresh for everybody.
        restore: after an action failed, puts back what fits the result on screen.
        finish: does what can wait once a result is on screen; nothing if left out.
    """

    def __init__(self, visitor: Visitor, restore: Action, finish: Action | None = None) -> None:
        self._parts: dict[str, Part] = {}
        self._fixed: set[str] = set()
        self._offered: dict[str, frozenset[str]] = {}
        self._restore, self._finish = restore, finish
        self.add_fixed(visitor=gr.State(visitor))

    def __setitem__(self, name: str, part: Part) -> None:
        if name in self._parts:
            raise KeyError(f"there is a part {name!r} already")
        self._parts[name] = part
        self._blocks(name)

    def __getitem__(self, name: str) -> Part:
        if name not in self._parts:
            raise KeyError(f"no part {name!r}: there are {', '.join(self._parts)}")
        return self._parts[name]

    def add_fixed(self, **parts: Part) -> None:
        """Adds parts that no action changes."""
        for name, part in parts.items():
            self[name] = part
            self._fixed.add(name)

    def offers(self, name: str, choices: Collection[str]) -> None:
        """Tells what a part may offer in the end, if that is more than what it begins with."""
        self._offered[name] = frozenset(choices)

    def reaching(self, **parts: Part) -> "Screen":
        """Returns a screen that has parts of other tabs too, for actions across tabs."""
        screen = Screen(Visitor(), self._restore, self._finish)
        screen._parts, screen._fixed = dict(self._parts), set(self._fixed)
        screen._offered = dict(self._offered)
        for name, part in parts.items():
            screen[name] = part
        return screen

    def on(self, trigger: Trigger, action: Action, how: dict[str, Any] = LIGHT) -> Dependency:
        """Lets a trigger start an action, and returns the event; all parts must be there.

        Args:
            trigger: a listener of a part or of an event, such as `screen["start"].click`.
            action: see the class.
            how: keyword arguments for gradio, see `tta_demo.ui.kit.events`.
        """
        handler, reads = self._handler(action)
        # gradio would tell each part that may change how far an action is, and leave a clock
        # running for good in those that are hidden meanwhile, and "Error" over all after a failure
        how = {"show_progress_on": self["visitor"]} | how
        # gradio's own reading would open uploads, and fail without a word at what it cannot read
        return trigger(handler, reads, self._changeable, preprocess=False, **how)

    def act(self, trigger: Trigger, action: Action, how: dict[str, Any] = LIGHT) -> Dependency:
        """As `on`, for an action that changes the result: `finish` or `restore` follows."""
        event = self.on(trigger, action, how)
        # those after quick choices must not be dropped: the last one fits what is on screen
        # where the action's progress was shown, its error goes too
        shown = {name: how[name] for name in ("show_progress_on",) if name in how}
        restored = self.on(event.failure, self._restore, LATEST | shown)
        if self._finish:
            self.on(event.success, self._finish, LATEST)
            self.on(restored.success, self._finish, LATEST)
        return event

    def _handler(self, action: Action) -> tuple[Callable, set[Block]]:
        """Returns the action as gradio calls it, with the values of some parts, and those parts.

        Gradio reads from a function's signature whether to give an event's data or the request.
        """
        parameters, hints = inspect.signature(action).parameters, get_type_hints(action)
        data = [name for name in parameters if _is_given(hints.get(name))]
        names = [name for name in parameters if name not in data]

        def given(values: Values, event: tuple[gr.EventData, ...]) -> dict[str, Any]:
            read = {name: self._value(name, values) for name in names}
            return read | dict(zip(data, event, strict=True))

        def call(values: Values, *event: gr.EventData) -> Values:
            with failing(handler.__name__):
                read = given(values, event)
                changed = self._updates(action(**read) or {})
            _count(read)
            return changed

        def stream(values: Values, *event: gr.EventData) -> Iterator[Values]:
            # gradio blanks all that a silent generator may change, and closes one whose output it
            # cannot show only from the second on: what it holds, a turn, would be held for good
            yield self._updates({})
            with failing(handler.__name__):
                read = given(values, event)
                for changed in action(**read):
                    yield self._updates(changed)
            _count(read)

        handler = stream if inspect.isgeneratorfunction(action) else call
        values = inspect.Parameter("values", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        handler.__signature__ = inspect.Signature([values, *(parameters[name] for name in data)])
        handler.__annotations__ = {name: hints[name] for name in data}
        handler.__name__ = action.__name__
        return handler, {block for name in names for block in self._blocks(name)}

    @property
    def _changeable(self) -> list[Block]:
        records = {name for name, part in self._parts.items() if isinstance(part, type)}
        names = [name for name in self._parts if name not in records | self._fixed]
        return [block for name in names for block in self._blocks(name)]

    def _blocks(self, name: str) -> list[Block]:
        part = self[name]
        if isinstance(part, type):
            return [block for field in fields(part) for block in self._blocks(field.name)]
        return [part] if isinstance(part, Block) else list(part)

    def _value(self, name: str, values: Values) -> object:
        part = self[name]
        if isinstance(part, type):
            return part(**{field.name: self._value(field.name, values) for field in fields(part)})
        if isinstance(part, Block):
            return measured(part, values[part], self._offered.get(name))
        return [measured(block, values[block]) for block in part]

    def _updates(self, changed: Updates) -> Values:
        """Returns updates by component instead of by name."""
        each = (self._update(name, update) for name, update in changed.items())
        return {block: value for some in each for block, value in some.items()}

    def _update(self, name: str, update: object) -> Values:
        part = self[name]
        if name in self._fixed:
            raise KeyError(f"no action may change the part {name!r}")
        if isinstance(part, type):
            return self._updates(vars(update))
        return {part: update} if isinstance(part, Block) else dict(zip(part, update, strict=True))


def _is_given(kind: object) -> bool:
    """Returns whether gradio gives it: an event's data, or the request."""
    return isinstance(kind, type) and issubclass(kind, gr.EventData | gr.Request)


def _count(read: dict[str, Any]) -> None:
    """Counts what the visitors of an action hold by now."""
    for one in read.values():
        if isinstance(one, Visitor):
            HOLDINGS.acted(one)
