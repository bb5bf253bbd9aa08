"""Kill each process at each step of a swap and look whether the swap recovers (docs/testing.md)."""
