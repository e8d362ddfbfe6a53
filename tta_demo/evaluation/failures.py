"""What could not be read: one broken file shall not end a long run."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from tta_demo.pictures.words import several

__all__ = ["Failures", "sentence"]


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
            self[name] = sentence(error)

    def refuse_if_nothing_read(self, names: Collection[str]) -> None:
        """Raises a `ValueError` with the first reasons if all pictures asked for failed."""
        if all(name in self for name in names):
            told = "".join(f"; {self[name]}" for name in list(names)[:3])
            raise ValueError(f"none of {several(len(names), 'picture')} could be read{told}")


_SYSTEM: dict[type[OSError], str] = {
    FileNotFoundError: "is not there",
    FileExistsError: "is there already",
    IsADirectoryError: "is a folder, not a file",
    NotADirectoryError: "is a file, not a folder",
    PermissionError: "may not be read or written by this user",
}


def sentence(error: Exception) -> str:
    """Returns what went wrong, with the file's path in words instead of the system's number.

    Example:
        >>> import errno
        >>> sentence(FileNotFoundError(errno.ENOENT, "No such file or directory", "a.png"))
        'a.png is not there'
    """
    if not isinstance(error, OSError) or error.filename is None:
        return str(error)
    return f"{error.filename} {_SYSTEM.get(type(error), 'cannot be read or written')}"
