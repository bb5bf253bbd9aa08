"""The user's own statusline command, run behind ours: when did a session show what?"""

from __future__ import annotations

import json
import os
from typing import Any

from failover.sim.world import World


class StatuslineWitness:
    """Notes each statusline of a world whose sessions are not launched yet."""

    def __init__(self, world: World) -> None:
        self._file = world.root / "statusline.jsonl"
        self._file.touch()
        script = world.root / "statusline"
        script.write_text(
            '#!/bin/sh\nread -r line\nprintf \'{"t": %s, "line": %s}\\n\' "$(date +%s.%3N)" "$line" >>"'
            + str(self._file)
            + '"\n'
        )
        script.chmod(0o755)
        settings = json.loads((world.shared / "settings.json").read_text())
        settings["statusLine"] = {"type": "command", "command": str(script)}
        (world.shared / "settings.json").write_text(json.dumps(settings))

    def lines(self, known: int = 0) -> list[dict[str, Any]]:
        """Return what was noted after the first `known` lines; one that is being written is left out."""
        text = self._file.read_text()
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()[known:]]

    def shown(self, percent: float, known: int = 0) -> list[float]:
        """Return when (epoch seconds) the five-hour window was shown with at least so much used."""
        return [note["t"] for note in self.lines(known) if used(note["line"]) >= percent]

    def forget(self) -> None:
        """Begin anew."""
        os.truncate(self._file, 0)  # it is written with O_APPEND


def used(line: dict[str, Any]) -> float:
    """Return how much of the five-hour window a statusline shows as used (percent)."""
    window = (line.get("rate_limits") or {}).get("five_hour") or {}
    return float(window.get("used_percentage") or 0)
