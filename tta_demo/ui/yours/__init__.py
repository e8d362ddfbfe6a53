"""The visitor's own model: a file, what was understood of it, and its corrections."""
