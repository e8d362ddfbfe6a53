"""Networks of `transformers` made ready to answer: maps, scores or boxes of any picture."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import torch
from torch import Tensor, nn

from tta_demo.models.feed import Fed, Feed
from tta_demo.models.framing import Frame, Placed, resized
from tta_demo.models.preprocessor import Size
from tta_demo.models.runner import Runner
from tta_demo.tta.boxes import Boxes

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

__all__ = ["HubClassifier", "HubDetector", "HubSegmenter", "Sight", "load_hub", "read_config"]

LEAST = 32
"""Pixels that a side has at least: most networks halve them five times."""

_KINDS = {
    "segment": ("SEMANTIC_SEGMENTATION", "AutoModelForSemanticSegmentation"),
    "classify": ("IMAGE_CLASSIFICATION", "AutoModelForImageClassification"),
    "detect": ("OBJECT_DETECTION", "AutoModelForObjectDetection"),
}
_PROBE = (97, 131)
"""Size of the picture that finds out whether a network takes any."""
_ONLY_ITS_OWN = 0
"""The stride of a network that takes pictures of one size alone."""
_MOST_BOXES, _LOWEST_SCORE = 100, 0.05
"""What a detector tells of one picture at most."""


def read_config(folder: Path, name: str, task: str) -> "PreTrainedConfig":
    """Returns what a model is, if it can be run for a task.

    Raises:
        ValueError: in a sentence, it is made for another task, or cannot be run.
    """
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except Exception as error:  # a config may break any rule
        raise ValueError(
            f"{name} has a config.json that cannot be used: {_short(error)}"
        ) from error
    if "timm" in str(getattr(config, "backbone_config", "")) or "timm" in config.model_type:
        raise ValueError(f"{name} needs the package timm: choose one whose backbone is its own")
    architectures = config.architectures or []
    made = [other for other in _KINDS if _architectures(other).intersection(architectures)]
    if task not in made:
        told = f"made to {made[0]}" if made else "made for something else"
        raise ValueError(f"{name} is {told} ({', '.join(architectures)}), not to {task}")
    return config


def _architectures(task: str) -> set[str]:
    """Returns the names of all networks for a task."""
    from transformers.models.auto import modeling_auto

    known = getattr(modeling_auto, f"MODEL_FOR_{_KINDS[task][0]}_MAPPING_NAMES").values()
    return {one for names in known for one in ([names] if isinstance(names, str) else names)}


@dataclass(frozen=True)
class Sight:
    """How a network is shown pictures.

    Attributes:
        size: how large it wants them.
        stride: what their sides must be multiples of; 0 if it takes its own size alone.
        frame: for the views of one picture; else every picture gets its own.
    """

    size: Size
    stride: int
    frame: Frame | None = None

    def for_picture(self, size: tuple[int, int]) -> "Sight":
        """Returns the sight of the views of a picture of `(H, W)` pixels."""
        return replace(self, frame=self._framed(size))

    def place(self, image: Tensor) -> Placed:
        """Returns how an image `(1, 3, H, W)` is shown."""
        return (self.frame or self._framed(image.shape[-2:])).place(image)

    def _framed(self, size: tuple[int, int]) -> Frame:
        if self.stride == _ONLY_ITS_OWN:
            return Frame(self.size.frame).for_picture(size)
        return Frame(stride=self.stride, least=LEAST, scale=self.size.scale(size))


class HubSegmenter:
    """Marks what is in pictures of any size; safe to share between threads.

    Args:
        run: from pictures `(1, 3, h, w)` in 0..1 to logits `(1, C, h', w')`.
        sight: how it is shown pictures.
    """

    def __init__(self, run: Callable[[Tensor], Tensor], sight: Sight) -> None:
        self._run, self._sight = run, sight

    @property
    def own_size(self) -> tuple[int, int]:
        """`(H, W)` of pictures that it is shown as they are."""
        return self._sight.size.frame

    def for_picture(self, size: tuple[int, int]) -> Self:
        """Returns the model for views of a picture of `(H, W)` pixels.

        A view that shows the picture smaller or larger stays so in front of the network.
        """
        return type(self)(self._run, self._sight.for_picture(size))

    def __call__(self, images: Tensor) -> Tensor:
        """Returns logits `(B, C, H, W)` of pictures `(B, 3, H, W)` in 0..1."""
        placed = [self._sight.place(image[None]) for image in images]
        return torch.cat([one.undo(self._run(one.shown)) for one in placed])


class HubDetector(HubSegmenter):
    """Finds things in pictures of any size; safe to share between threads.

    Args:
        run: from pictures `(1, 3, h, w)` in 0..1 to logits and boxes `(1, N, C + 4)`; boxes are
            centre, width and height in shares of what was shown.
        sight: how it is shown pictures.
        classes: C without "no object", which comes last if the network has it.
    """

    def __init__(self, run: Callable[[Tensor], Tensor], sight: Sight, classes: int) -> None:
        super().__init__(run, sight)
        self._classes = classes

    def for_picture(self, size: tuple[int, int]) -> Self:
        """Returns the model for views of a picture, as `HubSegmenter`."""
        return type(self)(self._run, self._sight.for_picture(size), self._classes)

    def __call__(self, images: Tensor) -> list[Boxes]:
        """Returns the boxes in each picture of `(B, 3, H, W)`, 0..1; labels 1..C."""
        return [self._boxes(self._sight.place(image[None])) for image in images]

    def _boxes(self, placed: Placed) -> Boxes:
        found = self._run(placed.shown)[0].cpu()
        logits, boxes = found[:, :-4], found[:, -4:].double().numpy()
        if logits.shape[1] > self._classes:  # "no object" is one of them
            scores, labels = (x.numpy() for x in logits.double().softmax(1)[:, :-1].max(1))
            rows = np.arange(len(boxes))
        else:  # every class for itself: a box may have several
            scores = logits.double().sigmoid().flatten().numpy()
            rows, labels = np.divmod(np.arange(len(scores)), self._classes)
        best = np.argsort(-scores, kind="stable")[: min(_MOST_BOXES, len(boxes))]
        best = best[scores[best] >= _LOWEST_SCORE]
        height, width = placed.shown.shape[-2:]
        middle, half = boxes[rows[best], :2], boxes[rows[best], 2:] / 2
        xyxy = np.hstack([middle - half, middle + half]) * np.tile((width, height), 2)
        told = Boxes(placed.undo_boxes(xyxy), scores[best], labels[best] + 1)
        return told.take(told.areas > 0)


class HubClassifier:
    """Tells what is in crops; safe to share between threads.

    Args:
        run: from crops `(B, 3, h, w)` in 0..1 to logits `(B, C)`.
        side: `(h, w)`; crops of another size are resized.
    """

    def __init__(self, run: Callable[[Tensor], Tensor], side: tuple[int, int]) -> None:
        self._run, self._side = run, side

    def __call__(self, crops: Tensor) -> Tensor:
        """Returns logits `(B, C)` of crops `(B, 3, H, W)` in 0..1."""
        return self._run(resized(crops, self._side))


class _Answering(Fed):
    """Feeds a network as its training did, and picks the tensor out of its answer."""

    def __init__(self, network: nn.Module, feed: Feed, task: str) -> None:
        super().__init__(network, feed)
        self.task = task

    def forward(self, x: Tensor) -> Tensor:
        answer = super().forward(x)
        if self.task == "detect":
            return torch.cat([answer.logits, answer.pred_boxes], -1)
        return answer.logits


class _Careful:
    """Tells in a sentence when a network fails or answers with NaN."""

    def __init__(self, run: Callable[[Tensor], Tensor], name: str) -> None:
        self._run, self._name = run, name

    def __call__(self, images: Tensor) -> Tensor:
        told = f"{self._name}, shown {images.shape[-1]}x{images.shape[-2]} pixels,"
        try:
            answer = self._run(images)
        except Exception as error:  # networks refuse by whatever they like
            raise ValueError(f"{told} fails: {_short(error)}") from error
        if not answer.isfinite().all():
            raise ValueError(f"{told} answers with NaN or infinity: its weights are damaged")
        return answer


def load_hub(
    path: Path,
    device: str = "cpu",
    dtype: torch.dtype | None = None,
    *,
    name: str,
    task: str,
    feed: Feed,
    size: Size,
) -> HubSegmenter | HubDetector | HubClassifier:
    """Returns the model of a safetensors file and the config beside it; float32 if left out.

    Raises:
        ValueError: in a sentence, the file is damaged, or lacks weights.
    """
    network = _network(path.parent, name, task)
    patch = getattr(network.config, "patch_size", 1)
    runner = Runner(_Answering(network, feed, task), 1, device, dtype or torch.float32)
    run = _Careful(runner, name)
    if task == "classify":
        return HubClassifier(run, size.frame)
    sight = Sight(size, _stride(run, patch if isinstance(patch, int) else 1))
    if task == "segment":
        return HubSegmenter(run, sight)
    return HubDetector(run, sight, network.config.num_labels)


def _network(folder: Path, name: str, task: str) -> nn.Module:
    import transformers

    transformers.logging.disable_progress_bar()
    transformers.logging.set_verbosity_error()  # what matters is told below
    try:
        network, told = getattr(transformers, _KINDS[task][1]).from_pretrained(
            folder,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            output_loading_info=True,
            dtype=torch.float32,
        )
    except Exception as error:  # of the file, the network, or a package that is missing
        raise ValueError(f"{name} cannot be loaded: {_short(error)}") from error
    missing = sorted(told["missing_keys"])
    if missing:
        raise ValueError(f"{name} lacks {len(missing)} of its weights, {missing[0]} for instance")
    return network


def _stride(run: Callable[[Tensor], Tensor], patch: int) -> int:
    """Returns what sides must be multiples of, tried out; 0 for a network of one size."""
    for stride in (patch, 32):
        height, width = (-(-side // stride) * stride for side in _PROBE)
        try:
            run(torch.zeros(1, 3, height, width))
        except ValueError:
            continue
        return stride
    return _ONLY_ITS_OWN


def _short(error: Exception) -> str:
    """Returns the first words of what an error says, on one line."""
    return " ".join(str(error).split())[:200]
