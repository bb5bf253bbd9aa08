"""What wakes a poll from a thread or a signal handler."""

from __future__ import annotations

import os


def pipe() -> tuple[int, int]:
    """Return the two ends of a pipe, to read and to write; neither blocks, and no child inherits them."""
    ends = os.pipe()
    for end in ends:
        os.set_blocking(end, False)
    return ends
