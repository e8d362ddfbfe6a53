"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from tta_demo.views import VIEW_SETS, VIEWS
from tta_demo.worlds import WORLDS

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
