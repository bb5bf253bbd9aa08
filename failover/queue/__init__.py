"""Task files: how they are found whole, read, marked, put away. What to do is decided in core/dispatch."""
