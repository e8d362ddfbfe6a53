"""The large picture at its full size: looked at tile by tile, and shown through a window."""
