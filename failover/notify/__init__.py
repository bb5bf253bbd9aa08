"""Sinks: where notices go. One module per kind, each with `key`, `known` and `send`."""
