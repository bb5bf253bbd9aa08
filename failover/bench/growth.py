"""How what a role does grows with the sessions, the accounts, the projects and the past: curves, not points."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from failover.bench.effort import Effort
from failover.bench.queue_hall import taken, took
from failover.bench.result import Row, row
from failover.candidates import candidates
from failover.clock import SystemClock
from failover.config import Config, load
from failover.core.move import Move
from failover.core.usage import Reading
from failover.events import HookReceived
from failover.host import process
from failover.host.process import ProcessId
from failover.http import views
from failover.runtime import Host, Role
from failover.store import hooks, sessions, swaps, usage
from failover.store.db import Store, Transaction
from failover.store.sessions import Placement

SESSIONS = (1, 5, 20, 100, 400)
ACCOUNTS = (1, 5, 20, 50)
#: Events in the store: what happened should cost a cycle nothing.
PAST = (1_000, 10_000, 100_000)
#: Among so many of them a swap, and so long after the one before it (milliseconds).
_EVENTS_OF_A_SWAP, _BETWEEN_SWAPS_MS = 1000, 600_000
PROJECTS = (10, 100, 1_000, 10_000)
#: So many task files wait while the projects grow; those of the tasks grow in the benchmark of the queue.
_FILES = 100
#: The roles that look at every session or account in a cycle.
_ROLES = {
    "session-watcher": ("workers.session_watcher", "SessionWatcher"),
    "checkpoint": ("workers.checkpoint", "CheckpointRole"),
    "quota-monitor": ("workers.quota_monitor", "QuotaMonitor"),
    "account-switcher": ("workers.account_switcher", "AccountSwitcher"),
    "notifier": ("workers.notifier", "Notifier"),
    "dispatcher": ("workers.dispatcher", "Dispatcher"),
}


def growth(effort: Effort) -> list[Row]:
    """Measure a cycle of each role that looks at all sessions, and the status, with 1 to 400 sessions, with 1 to 50
    accounts and with 1,000 to 100,000 events of the past and their swaps, and what the dispatcher does with 10 to
    10,000 projects. A session here is a sleeping process with a registry entry, a placement and a statusline: what is
    measured is our own looking, not a binary at work.
    """
    twenty = effort.size(20, 2)
    by_sessions = {size: _taken(size, 2) for size in effort.size(SESSIONS, (1, 4))}
    by_accounts = {size: _taken(twenty, size) for size in effort.size(ACCOUNTS, (1, 3))}
    by_past = {size: _taken(twenty, 2, size) for size in effort.size(PAST, (10, 100))}
    by_projects = {size: taken(effort.size(_FILES, 4), size) for size in effort.size(PROJECTS, (2, 8))}
    return [
        *_rows(by_sessions, "sessions"),
        *_rows(by_accounts, "accounts"),
        *_rows(by_past, "events of the past", flat=True),
        *_rows(by_projects, "projects"),
    ]


def _rows(found: dict[int, dict[str, float]], what: str, flat: bool = False) -> list[Row]:
    """Hold the largest size against the one before it, times how many more there are: steeper than that is worse than
    linear. flat: it should not grow at all."""
    small, largest = list(found)[-2:]
    rows = []
    for step in found[largest]:
        # Below a few milliseconds it is the clock and the machine that are measured.
        limit = max(found[small][step], 2.0) * (1 if flat else largest / small)
        curve = {size: took[step] for size, took in found.items()}
        rows.append(
            row(f"{step}, by {what} (CPU)", found[largest][step], "ms", limit, 1.5 if flat else 1.2, curve=curve)
        )
    return rows


def _taken(size: int, accounts: int, past: int = 0) -> dict[str, float]:
    root = Path(tempfile.mkdtemp(prefix="cb-"))
    hall = Hall(root, size, accounts)
    try:
        return hall.steps(past)
    finally:
        hall.close()
        shutil.rmtree(root, ignore_errors=True)


class Hall:
    """A store, a registry and so many sleeping processes, each the process of a session."""

    def __init__(self, root: Path, size: int, accounts: int) -> None:
        self._root, self._size = root, size
        self._accounts = [f"a{number}" for number in range(accounts)]
        (root / "app" / ".agent-queue" / "inbox").mkdir(parents=True)
        file = root / "config.yaml"
        file.write_text(json.dumps({
            "version": 1, "state_dir": f"{root}/s", "shared_dir": f"{root}/claude",
            "accounts": [{"name": name, "config_dir": f"{root}/{name}"} for name in self._accounts],
            "sessions": [{"name": f"s{{0..{size - 1}}}", "project": f"{root}/app"}],
            "projects": [f"{root}/app"], "usage": {"poll": False}, "tmux": {"socket": f"cb-{root.name}"},
        }))  # fmt: skip
        file.chmod(0o600)
        self._config: Config = load(file)
        self._config.paths.ensure()
        self._store = Store.open(self._config.paths.store, "bench", "bench")
        self.sleepers = [subprocess.Popen(["sleep", "3600"]) for _ in range(size)]
        registry = self._config.shared_dir / "sessions"
        registry.mkdir(parents=True)
        for number, sleeper in enumerate(self.sleepers):
            one = process.identify(sleeper.pid)
            assert one is not None
            self._place(registry, number, one)
        for name in self._accounts:
            for window, used in (("five_hour", 40.0), ("seven_day", 30.0)):
                self._read(name, window, used)

    def _place(self, registry: Path, number: int, one: ProcessId) -> None:
        conversation, account = str(uuid.uuid4()), self._accounts[number % len(self._accounts)]
        placement = Placement(
            session=f"s{number}", account=account, conversation=conversation, cwd=f"{self._root}/app",
            wanted="running", launch=f"l{number}", pid=one.pid, start=one.start,
        )  # fmt: skip
        entry = {
            "pid": one.pid, "procStart": str(one.start), "sessionId": conversation, "cwd": placement.cwd,
            "status": "busy", "updatedAt": int(time.time() * 1000), "version": "2.1.330",
        }  # fmt: skip
        (registry / f"{one.pid}.json").write_text(json.dumps(entry))
        shows = {"context_window": {"used": 1000}, "rate_limits": {}}
        with self._store.transaction() as tx:
            sessions.place(tx, placement)
            line = usage.StatuslineRow(
                session=placement.session, account=account, launch=placement.launch, conversation=conversation,
                at_ms=self._store.now_ms(), body=json.dumps(shows),
            )  # fmt: skip
            hooks.record_statusline(tx, line)

    def _remember(self, count: int) -> None:
        """Let so many events happen, and to each thousand of them a swap of all sessions, ten minutes apart."""
        with self._store.transaction() as tx:
            for number in range(count):
                tx.emit(HookReceived(call=number, session=f"s{number % self._size}", conversation="", hook="Stop"))
            for number in reversed(range(count // _EVENTS_OF_A_SWAP)):
                self._swap(tx, self._store.now_ms() - number * _BETWEEN_SWAPS_MS)

    def _swap(self, tx: Transaction, started_ms: int) -> None:
        source, target = self._accounts[0], self._accounts[-1]
        swap = swaps.begin(
            tx, kind="swap", source=source, target=target, urgency="soft", reason="", order_id=0, request_id=0,
            started_ms=started_ms, started_mono=0.0, deadline_mono=0.0, host_boot="of the past",
        )  # fmt: skip
        for number in range(self._size):
            swaps.add_move(
                tx,
                Move(
                    id=0, swap=swap, session=f"s{number}", conversation=f"of s{number}", cwd=f"{self._root}/app",
                    source=source, target=target, kind="swap", state="verified", bill=1000,
                ),
            )  # fmt: skip
        swaps.finish(tx, swap, "done", "", started_ms + 60_000)

    def _read(self, account: str, window: str, used: float) -> None:
        now = self._store.now_ms()
        with self._store.transaction() as tx:
            for number in range(60):
                usage.note(
                    tx,
                    Reading(
                        account=account, window=window, used=used + number / 100, resets_at=now // 1000 + 9000,
                        observed_ms=now - 600_000 + number, source="bench",
                    ),
                )  # fmt: skip

    def steps(self, past: int = 0) -> dict[str, float]:
        """Take each step and return its milliseconds. past: so many events happen while the roles are there."""
        roles = {name: self.role(name, getattr(import_module(module), kind)) for name, (module, kind) in _ROLES.items()}
        self._remember(past)
        found = {}
        for name, role in roles.items():
            found[f"a cycle of {name}"] = took(lambda role=role: role.cycle(()))  # type: ignore[misc]
            role.close()
        found["the accounts as the policy sees them"] = took(lambda: candidates(self._config, self._store, time.time()))
        found["status"] = took(lambda: views.status(self._config, self._store))
        return found

    def role(self, name: str, make: Callable[[Host], Role]) -> Role:
        """Return a role that looks at this, in this process."""
        own = process.identify(os.getpid())
        store = Store.open(self._config.paths.store, name, "bench")
        return make(
            Host(
                self._config, self._config.paths, store, SystemClock(), "bench", cast(Any, own),
                logging.getLogger("bench"), cast(Any, None),
            )
        )  # fmt: skip

    def close(self) -> None:
        """End the sleepers."""
        for sleeper in self.sleepers:
            sleeper.kill()
        for sleeper in self.sleepers:
            sleeper.wait()
        self._store.close()
