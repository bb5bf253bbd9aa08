"""Move a pool of Claude Code sessions from one account to another; lose nothing in flight."""

__version__ = "0.1.0"
