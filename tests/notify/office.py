"""A store with events, a notifier on it with a clock that the test sets, and real sinks."""

from __future__ import annotations

import json
import logging
import os
import select
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from failover.clock import ManualClock
from failover.config import Config, load
from failover.events import AnyEvent, RolesPaused
from failover.host.process import identify
from failover.runtime import Host
from failover.store.db import Store
from workers.notifier import Notifier

SECRET = "canary-webhook-secret-0123456789"


class Office:
    """Everything that a notifier stands on. notify: the YAML of its sinks, one a line."""

    def __init__(self, folder: Path, *notify: str, more: str = "") -> None:
        self.folder = folder
        self.file = folder / "config.yaml"
        self.file.write_text(
            "version: 1\nstate_dir: state\naccounts: [{name: a, config_dir: a}, {name: b, config_dir: b}]\n"
            "projects: [app]\nsessions: [{name: 's-{0..2}', project: app}]\n"
            + ("notify:\n" + "".join(f"  - {line}\n" for line in notify) if notify else "")
            + more
        )
        self.file.chmod(0o600)
        self.config: Config = load(self.file, {"HOME": str(folder)})
        self.config.paths.ensure()
        self.clock = ManualClock()
        self.store = Store.open(self.config.paths.store, "test", "boot", self.clock)
        self.emit(RolesPaused(by="long ago"))
        self.open: list[Notifier] = []

    def start(self) -> Notifier:
        """Start a notifier, as after a restart of the role, and let it have its first look."""
        own = identify(os.getpid())
        assert own is not None
        store = Store.open(self.config.paths.store, "notifier", "boot", self.clock)
        host = Host(
            self.config, self.config.paths, store, self.clock, "boot", own, logging.getLogger("test"), cast(Any, None)
        )
        notifier = Notifier(host)
        notifier._deliveries = [_steady(one) for one in notifier._deliveries]
        self.open.append(notifier)
        notifier.cycle(())
        return notifier

    def emit(self, *events: AnyEvent) -> int:
        """Report events; return the last one's id."""
        with self.store.transaction() as tx:
            for event in events:
                tx.emit(event)
        return int(self.store.one("SELECT max(id) FROM events")[0])

    def pass_time(self, notifier: Notifier, seconds: float, step: float = 30.0) -> None:
        """Let time pass, with the looks that the role would take."""
        while seconds > 0:
            self.clock.advance(min(step, seconds))
            seconds -= step
            settle(notifier)

    def sinks(self) -> dict[str, Any]:
        return {row["name"]: dict(row) for row in self.store.query("SELECT * FROM sinks")}

    def waiting(self, sink: str) -> int:
        return int(self.store.one("SELECT count(*) FROM outbox WHERE sink = ?", (sink,))[0])


def _steady(delivery: Any) -> Any:
    """Let a sink be tried again exactly when it is due at the latest."""
    delivery._draw = lambda: 1.0
    return delivery


def until(notifier: Notifier, condition: Callable[[], object], what: str, timeout: float = 15.0) -> list[str]:
    """Call the notifier as its shell would until the condition holds; return what it said."""
    said, deadline = [], time.monotonic() + timeout
    while True:
        said.append(notifier.cycle(()))
        if condition():
            return [one for one in said if one]
        assert time.monotonic() < deadline, f"waited {timeout:g} s for {what}; {said[-1]}"
        select.select(notifier.descriptors(), (), (), 0.02)


def settle(notifier: Notifier, *hanging: str) -> list[str]:
    """Call the notifier until nothing is under way but with those that hang, and nothing is due."""

    def quiet() -> bool:
        return not any(one.is_busy for one in notifier._deliveries if one.spec.name not in hanging)

    said: list[str] = []
    while True:  # what was noted may have made room for the next
        more = [one for one in until(notifier, quiet, "the sinks") if not one.startswith("not in order")]
        if not more:
            return said
        said += more


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def texts(path: Path) -> list[str]:
    return [line["text"] for line in lines(path)]


def pause(name: object) -> RolesPaused:
    return RolesPaused(by=str(name))


def names(found: list[Any]) -> list[str]:
    """Return who paused, by the texts of messages."""
    return [one["text"].removeprefix("Paused by ").split(":")[0] for one in found]
