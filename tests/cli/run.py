"""The command line as its user runs it: a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
PROGRAM = [sys.executable, "-c", "from failover.cli import main; main()"]


class Answer:
    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def cli(file: Path | None, *arguments: str, stdin: str = "", cwd: Path = ROOT, **environ: str) -> Answer:
    given = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **environ}
    given.pop("FAILOVER_CONFIG", None)
    if file is not None:
        given["FAILOVER_CONFIG"] = str(file)
    done = subprocess.run(
        [*PROGRAM, *arguments], input=stdin, capture_output=True, text=True, timeout=30, env=given, cwd=cwd
    )
    return Answer(done)
