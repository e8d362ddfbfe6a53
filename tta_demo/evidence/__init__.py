"""Does looking again help: which looks, how many, how sure, and when to leave it."""
