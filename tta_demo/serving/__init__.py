"""Serving the page to strangers: what a request may ask, send and leave behind."""
