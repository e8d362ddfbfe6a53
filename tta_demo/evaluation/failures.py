"""What could not be read: one broken file shall not end a long run."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

__all__ = ["Failures"]


class Failures(dict[str, str]):
    """Why pictures were left out, by their names, in the order in which it happened.

    Example:
        >>> failures = Failures()
        >>> for name, digits in {"a": "12", "b": "no number"}.items():
        ...     with failures.of(name):
        ...         print(int(digits))
        12
        >>> list(failures)
        ['b']
    """

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Notes a `ValueError` or `OSError` about one picture, and goes on behind the block."""
        try:
            yield
        except (ValueError, OSError) as error:
            self[name] = str(error)

    def refuse_if_nothing_read(self, names: Collection[str]) -> None:
        """Raises a `ValueError` with the first reasons if all pictures asked for failed."""
        if all(name in self for name in names):
            told = "".join(f"; {self[name]}" for name in list(names)[:3])
            raise ValueError(f"none of {len(names)} pictures could be read{told}")
