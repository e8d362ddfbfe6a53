"""The tab that says what is in a picture."""
