"""Tensors by name out of a file that a stranger wrote: `.safetensors`, or a `.pth` of PyTorch.

Nothing but tensors is unpickled, and a small file takes little: what it says about its tensors is
short, nothing in it is compressed, and no tensor has more numbers than the file holds.
"""

import pickle
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from tta_demo.samples.archives import MAX_ENTRIES, entries_of

__all__ = ["read_tensors", "some"]

_MOST_WORDS = 1 << 20
"""Bytes that names and shapes may take; those of our networks take 30 kB."""
_DTYPES = {torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int64, torch.int32}
_WRAPPERS = ("model_state_dict", "state_dict")
_PARALLEL = "module."
"""What `torch.nn.DataParallel` writes before every name."""
_AGAIN = "save `model.state_dict()`"


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Returns the tensors of a file by name, unwrapped.

    Raises:
        ValueError: in a sentence, the file is damaged, holds more than tensors or none, or would
            take more memory than its own size.
    """
    stored = _stored(path)
    for wrapper in _WRAPPERS:
        if isinstance(stored, Mapping) and isinstance(stored.get(wrapper), Mapping):
            stored = stored[wrapper]
    if not isinstance(stored, Mapping) or not stored:
        raise ValueError(f"{path.name} holds {_kind(stored)}: {_AGAIN}")
    others = [name for name, value in stored.items() if not _is_plain(value)]
    if others:
        listed = some(others)
        raise ValueError(f"{path.name} holds more than weights ({listed}): save only the weights")
    if sum(tensor.nbytes for tensor in stored.values()) > path.stat().st_size:
        raise ValueError(f"{path.name} has tensors that are larger than the file: {_AGAIN}")
    return {str(name).removeprefix(_PARALLEL): value for name, value in stored.items()}


def some(names: Iterable[object]) -> str:
    """Returns the first of some names, shortened, as they are shown."""
    names = [str(name) for name in names]
    shown = (name if len(name) <= 60 else f"{name[:59]}…" for name in names[:3])
    return ", ".join(shown) + (", ..." if len(names) > 3 else "")


def _is_plain(value: object) -> bool:
    """Returns whether something is a tensor of ordinary numbers that are really there."""
    known = isinstance(value, Tensor) and value.dtype in _DTYPES
    return known and value.layout == torch.strided and value.device.type == "cpu"


def _stored(path: Path) -> Any:  # noqa: ANN401 (whatever stands in the file)
    try:
        if path.suffix.lower() == ".safetensors":
            _refuse_costly_header(path)
            return load_file(path)
        _refuse_costly_archive(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except _Costly as error:
        raise ValueError(f"{path.name} {error}: {_AGAIN}") from None
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"{path.name} is no checkpoint of weights alone, and nothing else is opened: {_AGAIN}"
        ) from error
    except Exception as error:  # both libraries let damage surface in many ways
        raise ValueError(f"{path.name} is damaged or no checkpoint: save it again") from error


class _Costly(Exception):
    """Says why a file is not opened at all."""


def _refuse_costly_header(path: Path) -> None:
    """Raises `_Costly` where a safetensors file says too much about its tensors."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
    if length > _MOST_WORDS:
        raise _Costly(f"has a header of {length:,} bytes, {_MOST_WORDS:,} are the limit")


def _refuse_costly_archive(path: Path) -> None:
    """Raises `_Costly` where an archive is larger inside than outside, or says too much."""
    if not zipfile.is_zipfile(path):
        raise _Costly("is no checkpoint that PyTorch 1.6 or a later one wrote")
    if entries_of(path) > MAX_ENTRIES:
        raise _Costly(f"holds more than {MAX_ENTRIES:,} things")
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except Exception as error:  # zipfile lets damage surface in many ways
        raise ValueError("no whole archive") from error
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise _Costly("is compressed, which PyTorch never does")
    if sum(entry.file_size for entry in entries) > path.stat().st_size:
        raise _Costly("has parts that are larger than the file")
    words = sum(entry.file_size for entry in entries if "/data/" not in entry.filename)
    if words > _MOST_WORDS:
        raise _Costly(f"has {words:,} bytes beside its tensors, {_MOST_WORDS:,} are the limit")


def _kind(stored: object) -> str:
    return "nothing" if isinstance(stored, Mapping) else f"a {type(stored).__name__}"
