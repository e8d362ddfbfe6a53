"""Test-time augmentation itself: views, there and back, and fusions. Only torch and numpy."""
