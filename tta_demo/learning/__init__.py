"""Weights of views, learned on labelled pictures."""
