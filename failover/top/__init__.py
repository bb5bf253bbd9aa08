"""The live view: what `claude-failover top` shows and does. Only the app itself needs textual."""
