"""The Guide tab: what looking again is, in five steps, and a story for a projector."""
