"""The files of a model of the Hub: in a folder, in the cache, or downloaded; data alone."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

__all__ = ["MAX_HUB_BYTES", "PREPROCESSOR", "WEIGHTS", "HubFiles", "Progress", "find_files"]

Progress = Callable[[int, int], None]
"""Told how many bytes of how many have come."""

MAX_HUB_BYTES = 600_000_000
"""Larger weights are refused, before they are downloaded."""

_CONFIG, PREPROCESSOR, WEIGHTS = "config.json", "preprocessor_config.json", "model.safetensors"
_FILES = (_CONFIG, PREPROCESSOR, WEIGHTS)
_PICKLES = (".bin", ".pt", ".pth", ".pkl", ".ckpt", ".h5", ".msgpack")
_PATIENCE = 10.0
"""Seconds until the network counts as away."""


@dataclass(frozen=True)
class HubFiles:
    """Where a model's files are.

    Attributes:
        name: of the Hub, or the folder's.
        folder: of its two small files; the weights may still have to come.
        revision: of the Hub, 40 hexadecimal digits; empty for a folder of the user's own.
        changed: when the files of such a folder were, nanoseconds.
    """

    name: str
    folder: Path
    revision: str = ""
    changed: tuple[int, ...] = ()

    @property
    def source(self) -> str:
        """Where it comes from, in words."""
        if not self.revision:
            return f"the folder {self.name}"
        return f"{self.name} of the Hugging Face Hub, revision {self.revision[:12]}"

    def fetch_weights(self, progress: Progress | None = None) -> None:
        """Downloads the weights, if they are not there yet; a `ValueError` if that breaks off."""
        if not (self.folder / WEIGHTS).is_file():
            _download(self.name, WEIGHTS, self.revision, progress)


def find_files(name: str, branch: str = "main") -> HubFiles:
    """Returns a model's files: of a folder, or of the Hub, whose small ones are downloaded.

    Without a network those of the cache serve.

    Raises:
        ValueError: in a sentence, there is no such model, it cannot be reached, it is too large,
            or its weights are not in one safetensors file.
    """
    folder = Path(name)
    if name and folder.is_dir():
        _refuse_unfit(name, {p.name: p.stat().st_size for p in folder.iterdir() if p.is_file()})
        return HubFiles(
            folder.resolve().name, folder, changed=(folder / WEIGHTS).stat().st_mtime_ns
        )
    if not re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*", name):
        raise ValueError(f"{name!r} is no folder, and no name of the Hub: write OWNER/MODEL")
    sizes = _listed(name, branch)
    if sizes is None:
        return _cached(name, branch)
    _refuse_unfit(name, sizes)
    # by the branch, so that the cache knows it; the others of the very same revision
    folder = _download(name, _CONFIG, branch).parent
    _download(name, PREPROCESSOR, folder.name)
    return HubFiles(name, folder, folder.name)


def _listed(name: str, branch: str) -> dict[str, int] | None:
    """Returns the sizes of the files on the Hub in bytes; None if it cannot be reached."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    try:
        found = HfApi().model_info(
            name, revision=branch, files_metadata=True, timeout=_PATIENCE, token=False
        )
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise ValueError(f"the Hub has no model {name} that is open to all") from error
    except Exception:  # its client's errors have no type that all its versions share
        return None
    return {file.rfilename: file.size or 0 for file in found.siblings or ()}


def _cached(name: str, branch: str) -> HubFiles:
    from huggingface_hub import try_to_load_from_cache

    paths = [try_to_load_from_cache(name, file, revision=branch) for file in _FILES]
    if not all(isinstance(path, str) for path in paths):
        raise ValueError(
            f"{name} was never downloaded to this computer, and the Hub cannot be reached: look "
            "at the network, or give the model's folder"
        )
    folder = Path(paths[0]).parent
    return HubFiles(name, folder, folder.name)


def _download(name: str, file: str, revision: str, progress: Progress | None = None) -> Path:
    from huggingface_hub import hf_hub_download

    bar = None if progress is None else _telling(progress)
    try:
        return Path(hf_hub_download(name, file, revision=revision, tqdm_class=bar, token=False))
    except Exception as error:  # as above
        raise ValueError(f"the download of {file} of {name} broke off: try again") from error


def _telling(progress: Progress) -> type[tqdm]:
    """Returns a progress bar that tells instead of being drawn."""

    class Bar(tqdm):
        def __init__(self, *args: object, **options: object) -> None:
            known = {k: options[k] for k in ("total", "initial") if k in options}
            self._nowhere = open(os.devnull, "w")  # noqa: SIM115, PTH123 (closed with the bar)
            super().__init__(**known, file=self._nowhere, mininterval=0)
            self._tell()

        def update(self, n: float | None = 1) -> bool | None:
            shown = super().update(n)
            self._tell()
            return shown

        def _tell(self) -> None:
            progress(int(self.n), int(self.total or 0))

        def close(self) -> None:
            super().close()
            self._nowhere.close()

    return Bar


def _refuse_unfit(name: str, sizes: Mapping[str, int]) -> None:
    """Raises a `ValueError` if files, by name with their bytes, are not what can be opened."""
    for file in (_CONFIG, PREPROCESSOR):
        if file not in sizes:
            raise ValueError(f"{name} has no {file}: it is no picture model of transformers")
    if f"{WEIGHTS}.index.json" in sizes:
        raise ValueError(f"{name} has its weights in several files: choose a smaller model")
    if WEIGHTS not in sizes:
        pickles = [file for file in sizes if file.endswith(_PICKLES)]
        kept = f"only {pickles[0]}, which could run code" if pickles else f"no {WEIGHTS}"
        raise ValueError(f"{name} has {kept}: save it by save_pretrained, as safetensors")
    if sizes[WEIGHTS] > MAX_HUB_BYTES:
        raise ValueError(
            f"{name} has weights of {sizes[WEIGHTS] / 1e6:,.0f} MB: "
            f"{MAX_HUB_BYTES / 1e6:.0f} MB are the limit"
        )
