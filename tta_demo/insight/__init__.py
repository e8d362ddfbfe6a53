"""What looking again did: pure functions over labels and stacks."""
