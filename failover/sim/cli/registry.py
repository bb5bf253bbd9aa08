"""The session's own file in sessions/: pid, conversation and what it is doing."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from failover.clock import SystemClock
from failover.host.kernel import kernel


class Registry:
    """`sessions/<pid>.json`, rewritten whole at each change, removed at a clean exit."""

    def __init__(self, config_dir: Path, conversation: str, cwd: Path, version: str) -> None:
        self.path = config_dir / "sessions" / f"{os.getpid()}.json"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        now = _now_ms()
        self._gone = False
        self._entry: dict[str, Any] = {
            "pid": os.getpid(), "sessionId": conversation, "cwd": str(cwd), "startedAt": now,
            "procStart": _start(), "version": version, "peerProtocol": 1,
            "kind": "interactive", "entrypoint": "cli", "name": f"{cwd.name}-{conversation[:2]}",
            "nameSource": "derived", "nameSince": now,
        }  # fmt: skip
        self._write()

    @property
    def status(self) -> str | None:
        """Return the status last written; None before the first."""
        found = self._entry.get("status")
        return None if found is None else str(found)

    def set(self, status: str, waiting_for: str | None = None) -> None:
        """Write a status (idle, busy, waiting, shell) where it differs from the last."""
        if self._gone or (status, waiting_for) == (self.status, self._entry.get("waitingFor")):
            return
        self._entry.update(status=status, updatedAt=_now_ms(), statusUpdatedAt=_now_ms())
        self._entry.pop("waitingFor", None)
        if waiting_for is not None:
            self._entry["waitingFor"] = waiting_for
        self._write()

    def turn_to(self, conversation: str) -> None:
        """Write another conversation of the same process."""
        self._entry.update(sessionId=conversation, updatedAt=_now_ms())
        self._write()

    def remove(self) -> None:
        """Remove the file and write no more."""
        self._gone = True
        self.path.unlink(missing_ok=True)

    def _write(self) -> None:
        fresh = self.path.with_suffix(f".{os.getpid()}.tmp")
        fresh.write_text(json.dumps(self._entry, separators=(",", ":")))
        fresh.replace(self.path)


def _now_ms() -> int:
    return int(SystemClock().epoch() * 1000)


def _start() -> str:
    seen = kernel.look(os.getpid())
    start = seen.start if seen else 0
    return time.strftime("%a %b %e %H:%M:%S %Y", time.gmtime(start)) if sys.platform == "darwin" else str(start)
