"""The tab that draws boxes."""
