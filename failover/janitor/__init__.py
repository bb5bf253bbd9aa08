"""The sweeps: one module per kind. Each finds what may go and why, and does away with just that."""
