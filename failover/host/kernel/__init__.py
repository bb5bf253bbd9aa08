"""What is asked of the host's kernel about processes: one module each for Linux and macOS, with the same functions.

Nothing here follows who had a number before: that is host/process.py, which compares start times.
"""

import sys

if sys.platform == "darwin":
    from failover.host.kernel import macos as kernel
else:
    from failover.host.kernel import linux as kernel

__all__ = ["kernel"]
