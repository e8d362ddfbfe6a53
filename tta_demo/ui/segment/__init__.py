"""The tab that marks what is in a picture."""
