"""Pictures from a zip archive that a stranger packed.

All of its directory is checked before a byte is unpacked, and no entry may unpack to more than
it declared there.
"""

import stat
import zipfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path, PurePosixPath, PureWindowsPath

from tta_demo.samples.folders import folded, is_clutter, is_picture

__all__ = ["MAX_BYTES", "MAX_ENTRIES", "MAX_FILES", "MAX_FOLDERS", "entries_of", "unpack"]

MAX_FILES = 400
"""Most files that are unpacked from one archive, pictures and masks."""

MAX_BYTES = 200_000_000
"""Most bytes that they may have in sum, unpacked."""

MAX_FOLDERS = 1000
"""Most folders that they may lie in, inner ones counted: each takes time to make and to remove."""

MAX_ENTRIES = 10_000  # of any kind: each costs memory before it can be looked at
MAX_RATIO, ALWAYS_FINE = 200, 50_000_000  # times the size of the archive; bytes of any ratio
CHUNK = 1 << 20
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ENCRYPTED, UTF8 = 0x41, 0x800  # bits of an entry's flags
PACK_AGAIN = "pack the pictures again as a plain zip"
DAMAGED = f"is not a zip file, or cut off or damaged: {PACK_AGAIN}"


def unpack(path: Path, into: Path) -> list[Path]:
    """Unpacks the picture files of a zip archive, and returns where they are.

    What is no picture by its ending, hidden or made by the system is left in the archive. Names
    keep their folders; characters that some system does not allow become `_`. The folder `into`
    must be empty; after an error it may hold a part of the files.

    Raises:
        ValueError: not a zip, damaged, over a limit, encrypted, or an entry has a dangerous or
            repeated name, is a link, or lies about its size.
    """
    with _opened(path) as archive:
        chosen = _chosen(archive, path)
        for name, entry in chosen.items():
            _write(archive, entry, into / name, path.name)
    return [into / name for name in chosen]


def entries_of(path: Path) -> int:
    """Returns how many entries an archive has, or looks as if it had; reads nothing of them."""
    with path.open("rb") as file:
        return sum(chunk.count(b"PK\1\2") for chunk in iter(lambda: file.read(CHUNK), b""))


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        entries = entries_of(path)
        if entries <= MAX_ENTRIES:
            return zipfile.ZipFile(path)  # reads the directory
    except OSError as error:
        raise ValueError(f"{path.name} cannot be opened: choose the file again") from error
    except Exception as error:  # zipfile lets damage surface in many ways
        raise ValueError(f"{path.name} {DAMAGED}") from error
    raise ValueError(f"{path.name} has {entries} entries, over the limit of {MAX_ENTRIES}")


def _chosen(archive: zipfile.ZipFile, path: Path) -> dict[PurePosixPath, zipfile.ZipInfo]:
    """Returns the pictures of an archive by the names to write them under."""
    seen: set[str] = set()
    chosen = {}
    for entry in archive.infolist():
        as_given = _name(entry)
        if as_given.endswith("/"):
            continue
        if reason := _danger(entry, as_given):
            raise ValueError(f"{path.name}: {_short(as_given)} {reason}: {PACK_AGAIN}")
        name = _harmless(as_given)
        key = folded(str(name))
        if key in seen:
            raise ValueError(
                f"{path.name} has two files named {_short(str(name))}: rename one of them"
            )
        seen.add(key)
        if is_picture(name) and not is_clutter(name):
            chosen[name] = entry
    _check_amount(chosen, path)
    return chosen


def _check_amount(chosen: dict[PurePosixPath, zipfile.ZipInfo], path: Path) -> None:
    """Raises ValueError where the pictures of an archive are too many or too large."""
    sizes = [entry.file_size for entry in chosen.values()]
    total, folders = sum(sizes), _folders(chosen)
    ratio = total / path.stat().st_size
    if len(sizes) > MAX_FILES:
        told = f"has {len(sizes)} pictures and masks, over the limit of {MAX_FILES}"
    elif folders > MAX_FOLDERS:
        told = f"has {folders:,} folders or more, over the limit of {MAX_FOLDERS:,}: {PACK_AGAIN}"
    elif total > MAX_BYTES:
        told = f"unpacks to {total / 1e6:.1f} MB, over the limit of {MAX_BYTES / 1e6:.0f} MB"
    elif total > ALWAYS_FINE and ratio > MAX_RATIO:
        told = f"unpacks to {ratio:.0f} times its own size, over the limit of {MAX_RATIO} times"
    else:
        return
    raise ValueError(f"{path.name} {told}")


def _folders(names: Iterable[PurePosixPath]) -> int:
    """Returns how many folders files lie in, counted no further than just past the limit."""
    found: set[PurePosixPath] = set()
    for name in names:
        for folder in name.parents:
            if folder in found or len(found) > MAX_FOLDERS + 1:  # the first is the archive itself
                break
            found.add(folder)
    return len(found) - 1


def _danger(entry: zipfile.ZipInfo, name: str) -> str:
    """Returns why an entry must not be unpacked, or an empty string."""
    as_windows = PureWindowsPath(name)  # knows drive letters too, and both kinds of slash
    if as_windows.anchor or ".." in as_windows.parts or "\\" in name:
        return "is no plain name inside the archive"
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
        return "is a link or a device instead of a file"
    if entry.flag_bits & ENCRYPTED:
        return "is encrypted"
    if entry.compress_type not in METHODS:  # others may fill the memory with one small read
        return f"is compressed by method {entry.compress_type} instead of 0 or 8"
    return ""


def _name(entry: zipfile.ZipInfo) -> str:
    """Returns an entry's name; Macs write UTF-8 without saying so."""
    name = entry.orig_filename
    if not entry.flag_bits & UTF8:
        with suppress(UnicodeError):
            return name.encode("cp437").decode("utf-8")
    return name


def _short(name: str) -> str:
    """Returns a name to show; it may have 65,535 characters."""
    return repr(name if len(name) <= 80 else f"{name[:79]}…")


def _harmless(name: str) -> PurePosixPath:
    """Returns a relative name that every system can write.

    Example:
        >>> str(_harmless("./day: 1/a?.png "))
        'day_ 1/a_.png'
    """
    clean = "".join(c if c.isprintable() and c not in '<>:"|?*' else "_" for c in name)
    parts = [part for part in clean.split("/") if part not in ("", ".")]
    return PurePosixPath(*(part.rstrip(". ") or "_" for part in parts))


def _write(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, name: str) -> None:
    """Writes one entry, and never more of it than one byte past its declared size."""
    left = entry.file_size + 1
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(entry) as source, target.open("xb") as file:
            while chunk := source.read(min(CHUNK, left)):
                left -= file.write(chunk)
    except OSError as error:
        raise ValueError(
            f"{name}: {_short(target.name)} cannot be written: is the disk full?"
        ) from error
    except Exception as error:  # zipfile lets damage surface in many ways
        raise ValueError(f"{name} {DAMAGED}") from error
    if left != 1:
        told = f"does not have the {entry.file_size} bytes that it declares: {PACK_AGAIN}"
        raise ValueError(f"{name}: {_short(target.name)} {told}")
