"""How much a model's answer depends on the way that the picture is shown."""

from tta_demo.tta.predict import ViewStack

__all__ = ["gaps"]


def gaps(stack: ViewStack, plain: str = "identity") -> dict[str, float]:
    """Returns each view's equivariance gap, 0..1: 0 for a view that changes nothing.

    The gap is the mean total-variation distance between the view's answer, turned back, and the
    plain view's, over the pixels that both saw; NaN if there are none.

    Args:
        stack: the views' answers `(V, C, ...)`, the plain one among them.
        plain: the view to compare with.

    Raises:
        ValueError: the plain view is not in the stack.

    Example:
        >>> import torch
        >>> answers = torch.tensor([[[0.9], [0.1]], [[0.6], [0.4]]]).log()
        >>> round(gaps(ViewStack(("identity", "hflip"), answers))["hflip"], 3)
        0.3
    """
    probs, base = stack.probs, stack.take((plain,))
    distance = (probs - base.probs).abs().sum(1) / 2
    if stack.seen is None:
        means = distance.flatten(1).mean(1)
    else:
        both = stack.seen & base.seen
        means = (distance * both).flatten(1).sum(1) / both.flatten(1).sum(1)
    return dict(zip(stack.views, means.tolist(), strict=True))
