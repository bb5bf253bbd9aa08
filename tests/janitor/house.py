"""A configuration, a store and two projects; nobody is at work. The janitor is the real one, and so is all it finds."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, cast

import msgspec

from failover.clock import ManualClock, SystemClock
from failover.config import Config, load
from failover.events import Envelope
from failover.janitor.ground import Finding, Ground
from failover.janitor.sweeping import Sweeper
from failover.queue.folder import Queue
from failover.runtime import Host
from failover.store import events
from failover.store.db import Store
from workers.janitor import Janitor

DAY = 86400.0


class House:
    """Everything that a janitor stands on. `later` lets time go by for it."""

    def __init__(self, folder: Path, **sections: Any) -> None:
        self.folder = folder
        self.project, self.other = folder / "app", folder / "other"
        self.queue = Queue(self.project)
        for project in (self.project, self.other):
            (project / ".agent-queue" / "inbox").mkdir(parents=True)
        file = folder / "config.yaml"
        more = "".join(f"{name}: {msgspec.json.encode(value).decode()}\n" for name, value in sections.items())
        file.write_text(
            "version: 1\nstate_dir: state\nshared_dir: shared\n"
            "accounts:\n  - {name: main, config_dir: a}\n  - {name: backup, config_dir: b}\n"
            f"projects: [app, other]\nsessions: [{{name: s, project: app}}]\n{more}"
        )
        file.chmod(0o600)
        self.config: Config = load(file, {"HOME": str(folder)})
        self.config.paths.ensure()
        self.store = Store.open(self.config.paths.store, "dispatcher", "test")
        self.clock = ManualClock(epoch=SystemClock().epoch())
        self.janitor = self.start()

    def start(self) -> Janitor:
        """Start the role, as after a restart."""
        store = Store.open(self.config.paths.store, "janitor", "boot", self.clock)
        log, nobody = logging.getLogger("janitor"), cast(Any, None)
        return Janitor(Host(self.config, self.config.paths, store, self.clock, "boot", nobody, log, nobody))

    def later(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def sweep(self) -> str:
        """Let the janitor sweep; return what it says."""
        return self.janitor.sweep().sentence

    def dry(self) -> list[Finding]:
        """Return what a dry run says, of a store that can only be read."""
        store = Store.read_only(self.config.paths.store)
        try:
            return Sweeper(Ground(self.config, store, self.clock)).find()[0]
        finally:
            store.close()

    def put(self, where: str, name: str, text: str = "x") -> Path:
        """Put a file into a folder of the project's queue."""
        path = self.project / ".agent-queue" / where / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def tree(self, where: str = "") -> set[str]:
        """Return the files of the project's queue."""
        root = self.project / ".agent-queue"
        return {str(path.relative_to(root)) for path in (root / where).rglob("*") if not path.is_dir()}

    def events(self) -> list[Envelope]:
        return events.latest(self.store, 1000, "janitor.")

    def month(self) -> str:
        """Return the month in which files are put away now (UTC)."""
        import time

        return time.strftime("%Y-%m", time.gmtime())
