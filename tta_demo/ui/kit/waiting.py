"""Waiting for what takes minutes: a few at once, the others in the order in which they came."""

import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager

from tta_demo.pictures.words import several

__all__ = ["LESSONS", "Place", "Room"]

TICK = 0.3
"""Seconds between two looks at whose turn it is."""


class Place:
    """A visitor's place in a room."""

    def __init__(self, room: "Room") -> None:
        self._room = room

    @property
    def before(self) -> int:
        """How many are waited for; 0 if it is this one's turn."""
        return self._room.before(self)

    def wait(self, stopped: threading.Event) -> Generator[str, None, None]:
        """Waits for the turn, or until it is stopped; tells how many come first, in a sentence."""
        told = None
        while (before := self.before) and not stopped.is_set():
            if before != told:
                told = before
                yield f"Others are learning: {several(before, 'visitor')} before you."
            stopped.wait(TICK)


class Room:
    """So many work in it at once, and so many may wait."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self.at_once, self.most = at_once, at_once + waiting
        self.order: list[Place] = []
        self._lock = threading.Lock()

    def before(self, place: Place) -> int:
        """Returns how many have to leave until it is this place's turn."""
        with self._lock:
            return max(0, self.order.index(place) - self.at_once + 1)

    @contextmanager
    def place(self) -> Iterator[Place]:
        """Gives a place, at the end of those that are there.

        Raises:
            ValueError: there is none left.
        """
        mine = Place(self)
        with self._lock:
            if len(self.order) >= self.most:
                raise ValueError(
                    f"{several(len(self.order), 'visitor')} are learning or waiting for it "
                    "already: try again in a few minutes."
                )
            self.order.append(mine)
        try:
            yield mine
        finally:
            with self._lock:
                self.order.remove(mine)


LESSONS = Room(at_once=2, waiting=8)
"""For lessons and trials of everybody: more at once would only slow each other down."""
