"""How much visitors may bring and keep: every limit in bytes or heads that the page has.

Only that of loaded models is where they are kept: `tta_demo.models.registry.LOADED`.
"""

__all__ = ["FILE", "FREE", "GUESTS", "HELD", "OWN", "REQUEST", "STORED", "VISITORS"]

FILE = 200 * 2**20
"""Bytes of one uploaded file, and of all files of one upload."""
REQUEST = 2**20
"""Bytes of any other request: names of files, what the controls say, a painted mask."""

STORED = 4 * 2**30
"""Bytes on the disk for everybody: uploads, unpacked zips, models, what the page draws."""
OWN = 600 * 2**20
"""Bytes on the disk that one visitor's files may have; the oldest ones make room."""
FREE = 500 * 2**20
"""Bytes that stay free on the disk in any case."""
HELD = 2**30
"""Bytes of what all visitors look at together: who was idle longest gives theirs back."""

VISITORS = 400
"""Open pages of which none loses what it shows to those who come later."""
GUESTS = 100
"""Other sessions that are remembered: closed pages, scripts, and open pages beyond the limit."""
