"""Measurements: a file each."""
