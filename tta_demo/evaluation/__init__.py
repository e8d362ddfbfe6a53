"""Long runs over labelled pictures."""
