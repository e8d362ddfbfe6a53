"""The tab that learns weights."""
