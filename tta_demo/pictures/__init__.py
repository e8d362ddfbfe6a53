"""Pictures and masks: read safely, written exactly, drawn."""
