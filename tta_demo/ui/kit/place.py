"""Where the page runs: for everybody, or for those at this computer."""

import os

__all__ = ["is_public"]


def is_public() -> bool:
    """Tells whether anybody can come: on a Space of the Hugging Face Hub."""
    return "SPACE_ID" in os.environ
