"""The tab that tells whether looking again is worth it."""
