"""What either CLI answers to `-p /usage`, scene by scene; run as a program in a network of its own.

    python -m tests.real.usage_scenes FOLDER COMMAND real|sim

Prints one JSON object: scene → what was printed (without its reset times), what our own reading of it is, and whom the
API was asked by.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from failover.claude import usage_command
from failover.core.usage import Reading
from failover.errors import HostError
from failover.sim.api import Api
from failover.sim.real_cli import config_dir, environment

_RESET = re.compile(r"resets [A-Z][a-z]{2} \d{1,2}, \d{1,2}(:\d\d)?(am|pm) \(UTC\)")


class Scenes:
    """One CLI, one API, one account per scene."""

    def __init__(self, folder: Path, command: str, api: Api, authority: Path, *, real: bool) -> None:
        self.folder, self.command, self.api, self.real = folder, command, api, real
        self.authority = authority

    def ask(self, account: str, **extra: str) -> dict[str, Any]:
        """Ask for the usage of an account as the quota-monitor does, and return what came of it."""
        place = self.place(account)
        env = environment(self.api.url, place, self.folder / "home", NODE_EXTRA_CA_CERTS=str(self.authority),
                          SSL_CERT_FILE=str(self.authority), TZ="UTC")  # fmt: skip
        del env["CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"]
        asked = len(self.questions(account))
        started = int(time.time() * 1000)
        command = [self.command, *usage_command.ARGUMENTS]
        done = subprocess.run(command, env={**env, **extra}, cwd=self.folder, capture_output=True, timeout=60)
        now = int(time.time() * 1000)
        try:
            found: Any = [self.shown(r) for r in usage_command.parse(
                done.stdout, usage_command.cached(place), account, started, now)]  # fmt: skip
        except HostError as error:
            found = re.sub(r"\d+ minutes", "N minutes", str(error))
        text = json.loads(done.stdout)["result"] if done.stdout else ""
        return {
            "exit": done.returncode,
            "printed": [_RESET.sub("resets WHEN", line) for line in text.splitlines() if "Current" in line],
            "read": found,
            "asked": len(self.questions(account)) - asked,
            "left": sorted(path.name for path in place.glob("projects/*/*.jsonl")) + sorted(
                path.name for path in place.glob("sessions/*")),
        }  # fmt: skip

    def place(self, account: str) -> Path:
        return config_dir(self.folder / f"account-{account}", account, real=self.real)

    def questions(self, account: str) -> list[dict[str, Any]]:
        return [r for r in self.api.records() if r.get("path") == "/api/oauth/usage" and r["account"] == account]

    def shown(self, reading: Reading) -> list[Any]:
        state = self.api.control()["accounts"][reading.account]
        ends = state["reset5_at"] if reading.window == "five_hour" else state["reset7_at"]
        exact = reading.resets_at is not None and abs(reading.resets_at - ends) <= 1
        return [reading.window, reading.used, "reset to the second" if exact else reading.resets_at, reading.source]

    def age(self, account: str, seconds: float) -> None:
        """Let what the CLI keeps of its last answer be older."""
        file = self.place(account) / ".claude.json"
        state = json.loads(file.read_text())
        state["cachedUsageUtilization"]["fetchedAtMs"] -= int(seconds * 1000)
        file.write_text(json.dumps(state))


def play(scenes: Scenes) -> dict[str, Any]:
    """Play every scene."""
    api, seen = scenes.api, {}
    for name in ("good", "again", "refused", "frozen", "forgotten", "silent", "hanging"):
        api.account(name, u5=0.426, u7=0.0799, models={"sonnet": 0.12, "opus": 0.34})
    seen["an answer"] = scenes.ask("good")
    scenes.ask("again")
    seen["asked again within the minute"] = scenes.ask("again")
    for mode in ("429", "403", "500", "empty"):
        api.account("refused", usage=mode)
        seen[f"refused with {mode}, nothing known"] = scenes.ask("refused")
    scenes.ask("frozen")
    api.account("frozen", usage="429", u5=0.99)
    scenes.age("frozen", 1700)
    seen["refused, with an answer of half an hour ago"] = scenes.ask("frozen")
    scenes.ask("forgotten")
    api.account("forgotten", usage="429")
    scenes.age("forgotten", 3700)
    seen["refused, with an answer of an hour ago"] = scenes.ask("forgotten")
    seen["told to ask nobody"] = scenes.ask("silent", CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC="1")
    api.account("hanging", usage="hang")
    seen["an answer that does not come"] = scenes.ask("hanging")
    return seen


def main() -> None:
    """Play the scenes and print what was seen."""
    folder, command, kind = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    authority, *leaf = (folder.parent / name for name in ("ca.crt", "leaf.crt", "leaf.key"))
    with Api(folder / "api.jsonl", tls=(leaf[0], leaf[1])) as api:
        print(json.dumps(play(Scenes(folder, command, api, authority, real=kind == "real"))))


if __name__ == "__main__":
    main()
