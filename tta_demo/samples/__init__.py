"""Picture sources: real and generated pictures with their truth."""
