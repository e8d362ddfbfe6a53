"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.views import VIEW_SETS, VIEWS

__all__ = ["DataFolder", "ViewNames", "WorldName"]

WorldName = Annotated[str, typer.Option(help=f"Model and classes: {', '.join(WORLDS)}.")]
ViewNames = Annotated[
    str,
    typer.Option(
        help=f"A set ({', '.join(VIEW_SETS)}) or names separated by commas: {', '.join(VIEWS)}."
    ),
]
DataFolder = Annotated[
    Path | None,
    typer.Option(help="Folder of BBBC038 with split.csv, for nuclei; weeds are generated."),
]
