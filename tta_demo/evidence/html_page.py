"""A page that is one file: for reports that are sent around and opened without a network."""

from html import escape
from pathlib import Path

__all__ = ["html_page"]

NOTHING_FROM_OUTSIDE = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""No report runs a script or fetches anything, whatever is in its texts."""


def html_page(title: str, main: str, css: str = "") -> str:
    """Returns a whole page, light or dark as its reader likes.

    Args:
        title: plain text.
        main: HTML of what it shows; strings in it are escaped already.
        css: more style.
    """
    style = (Path(__file__).parent / "page.css").read_text("utf-8") + css
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        f'<meta http-equiv="Content-Security-Policy" content="{NOTHING_FROM_OUTSIDE}">'
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        "<meta name='color-scheme' content='light dark'>"
        f"<title>{escape(title)}</title><style>{style}</style></head>"
        f"<body><main>{main}</main></body></html>\n"
    )
