"""The time of day jumps by a day, either way, and nothing that lasts is shorter or longer for it (fault 24)."""

from __future__ import annotations

import ast
import json
import logging
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from failover.claude.registry import Registry
from failover.clock import ManualClock
from failover.config import Config, load
from failover.core.session import HookCall
from failover.core.tally import Tally
from failover.core.task import Task
from failover.host import process
from failover.http.entrance import Entrance
from failover.queue.scene import Lows, Scene
from failover.runtime import Host
from failover.store import hooks, sessions, swaps, usage
from failover.store.db import Store
from failover.store.sessions import Placement
from workers.janitor import Janitor
from workers.quota_monitor import QuotaMonitor
from workers.session_watcher import SessionWatcher

ROOT = Path(__file__).resolve().parents[2]
DAY = 86400.0
SAMPLES = ROOT / "tests" / "claude" / "data"
OWN = process.identify(os.getpid())
assert OWN is not None

#: Where the host's time of day is read other than through the clock that the shell hands out, and what for.
MEANT = {
    "failover/clock.py": "the clock itself",
    "failover/claude/registry.py": "the age of a file; a start of the binary's, as macOS shows it",
    "failover/claude/seed.py": "the age of a lock of the binary's, by its file's time",
    "failover/quota/child.py": "the age of a lock of the binary's, by its file's time",
    "failover/queue/scene.py": "the age of a transcript, by its file's time",
    "failover/cli/accounts.py": "shown: how long a login lasts",
    "failover/cli/account_check.py": "shown: how long a login lasts",
    "failover/cli/account_table.py": "shown: moments in UTC",
    "failover/cli/usage_chart.py": "shown: local time",
    "failover/cli/live.py": "shown: local time",
    "failover/cli/shared.py": "shown: how long ago, and local time",
    "failover/cli/simulate.py": "since when a demand is recorded",
    "failover/cli/status.py": "shown: how long until a reset",
    "failover/cli/backups.py": "the name of the store that a copy takes the place of",
    "failover/cli/notify.py": "shown: how long ago",
    "failover/cli/why.py": "shown: how long until a reset",
    "failover/top/app.py": "shown: how long until a reset",
    "failover/top/view.py": "shown: how long ago, and local time",
    "failover/host/kernel/macos.py": "the age of a process: the kernel knows no other time of its start",
    "failover/host/resources.py": "shown: when a process began",
    "failover/http/routes/usage.py": "since when history is asked for",
    "failover/janitor/finished.py": "the month of an archive, by its files' time",
    "failover/store/backup.py": "the names of copies, in UTC",
    "failover/mcp/tools.py": "shown: a reset in UTC",
    "failover/notify/intake.py": "shown: a reset in UTC",
}


class Desk:
    """A store with one session, that is this process, and the roles on a clock of the test's."""

    def __init__(self, folder: Path) -> None:
        file = folder / "config.yaml"
        file.write_text(
            "version: 1\nstate_dir: state\nshared_dir: shared\nprojects: [app]\n"
            "accounts:\n  - {name: a, config_dir: a}\n  - {name: b, config_dir: b}\n"
            "sessions: [{name: one, project: app}]\nfailover: {cooldown: 2m}\nusage: {poll: false}\n"
        )
        (folder / "app").mkdir()
        self.config: Config = load(file, {"HOME": str(folder)})
        self.config.paths.ensure()
        self.registry = self.config.shared_dir / "sessions"
        self.registry.mkdir(parents=True)
        self.clock = ManualClock(epoch=time.time())
        self.store = Store.open(self.config.paths.store, "test", "boot", self.clock)
        assert OWN is not None
        self.placement = Placement(
            session="one", account="a", conversation=str(uuid.uuid4()), cwd=str(folder / "app"), wanted="running",
            launch="l1", pid=OWN.pid, start=OWN.start,
        )  # fmt: skip
        with self.store.transaction() as tx:
            sessions.place(tx, self.placement)

    def host(self, source: str) -> Host:
        store = Store.open(self.config.paths.store, source, "boot", self.clock)
        return Host(
            self.config, self.config.paths, store, self.clock, "boot", cast(Any, OWN), logging.getLogger("test"),
            cast(Any, None),
        )  # fmt: skip

    def push(self, used: float, resets_in: float = 3600) -> None:
        """Let the session's statusline tell how much of a's window is used."""
        window = {"used_percentage": used, "resets_at": int(self.clock.epoch() + resets_in)}
        with self.store.transaction() as tx:
            usage.statuslines(self.store)
            line = usage.StatuslineRow(
                session="one", account="a", launch="l1", conversation=self.placement.conversation,
                at_ms=self.store.now_ms(), body=json.dumps({"rate_limits": {"five_hour": window}}),
            )  # fmt: skip
            hooks.record_statusline(tx, line)

    def call(self, hook: str, **fields: Any) -> None:
        """Let the session's binary call a hook."""
        call = HookCall(id=0, launch="l1", conversation=self.placement.conversation, hook=hook, **fields)
        with self.store.transaction() as tx:
            hooks.record_hook(self.store, tx, session="one", account="a", boot="boot", call=call, held=False)

    def register(self, status: str | None) -> None:
        """Write the registry entry of the session."""
        entry: dict[str, Any] = {
            "pid": self.placement.pid,
            "sessionId": self.placement.conversation,
            "procStart": str(self.placement.start),
        }
        if status:
            entry["status"] = status
        (self.registry / f"{self.placement.pid}.json").write_text(json.dumps(entry))

    def requests(self) -> int:
        return int(self.store.one("SELECT count(*) FROM swap_requests")[0])


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.store.close()


def test_24_the_time_of_day_is_read_only_where_that_is_meant_and_local_time_only_to_show_it() -> None:
    wall = {("time", "time"), ("time", "localtime"), ("time", "gmtime"), ("time", "mktime"), ("time", "strptime"),
            ("datetime", "now"), ("datetime", "today"), ("datetime", "strptime"), ("date", "today")}  # fmt: skip
    found = set()
    for folder in ("failover", "workers"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            name = str(file.relative_to(ROOT))
            if name.startswith(("failover/sim/", "failover/bench/")):
                continue
            for node in ast.walk(ast.parse(file.read_text())):
                named = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
                if named and (node.value.id, node.attr) in wall:  # type: ignore[attr-defined]
                    found.add(name)
    assert found == set(MEANT)


@pytest.mark.parametrize("jump", [DAY, -DAY, 3600, -3600], ids=["day-on", "day-back", "dst-on", "dst-back"])
def test_24_a_cool_down_lasts_as_long_as_it_lasts(desk: Desk, jump: float) -> None:
    monitor = QuotaMonitor(desk.host("quota-monitor"))
    desk.push(95, resets_in=3 * DAY)
    monitor.cycle(())
    assert desk.requests() == 1
    with desk.store.transaction() as tx:
        swap = swaps.begin(
            tx, kind="swap", source="a", target="b", urgency="soft", reason="", order_id=0, request_id=1,
            started_ms=desk.store.now_ms(), started_mono=desk.clock.monotonic(), deadline_mono=0.0,
            host_boot=process.host_boot_id(),
        )  # fmt: skip
        swaps.finish(tx, swap, "partial", "", desk.store.now_ms())
    assert "cooling down for 120 s" in monitor.cycle(())
    desk.clock.jump(jump)
    desk.clock.advance(100)
    assert "cooling down for 20 s" in monitor.cycle(())
    desk.clock.advance(21)
    monitor.cycle(())
    assert desk.requests() == 2


@pytest.mark.parametrize("jump", [DAY, -DAY], ids=["on", "back"])
def test_24_readings_that_come_after_a_jump_count(desk: Desk, jump: float) -> None:
    monitor = QuotaMonitor(desk.host("quota-monitor"))
    desk.push(50, resets_in=3 * DAY)
    monitor.cycle(())
    desk.clock.jump(jump)
    desk.clock.advance(60)
    desk.push(95, resets_in=3 * DAY - jump)
    monitor.cycle(())
    assert desk.requests() == 1


@pytest.mark.parametrize("jump", [DAY, -DAY], ids=["on", "back"])
def test_24_a_request_that_a_jump_made_void_or_young_is_asked_again_or_served(desk: Desk, jump: float) -> None:
    monitor = QuotaMonitor(desk.host("quota-monitor"))
    desk.push(95, resets_in=3 * DAY)
    monitor.cycle(())
    desk.clock.jump(jump)
    monitor.cycle(())
    assert len(swaps.unserved_requests(desk.store)) == 1


@pytest.mark.parametrize("jump", [DAY, -DAY], ids=["on", "back"])
def test_24_a_hold_lasts_as_long_as_it_lasts(desk: Desk, jump: float) -> None:
    assert OWN is not None
    entrance = Entrance(desk.store, desk.clock, "boot", Tally())
    conversation = desk.placement.conversation
    with desk.store.transaction() as tx:
        swaps.set_hold(tx, conversation, 1, OWN.pid, OWN.start, desk.clock.monotonic() + 60)
    desk.clock.jump(jump)
    desk.clock.advance(59)
    assert entrance._stands(conversation)
    desk.clock.advance(2)
    assert not entrance._stands(conversation)


@pytest.mark.parametrize("jump", [DAY, -DAY], ids=["on", "back"])
def test_24_a_limit_that_is_met_after_a_jump_is_seen(desk: Desk, jump: float) -> None:
    """Its record bears the binary's time of day, which says nothing: it lies behind what was there at the launch."""
    watcher = SessionWatcher(desk.host("session-watcher"))
    desk.register("idle")
    desk.call("SessionStart", source="startup")
    watcher.cycle(())
    assert sessions.sightings(desk.store)["one"].state == "idle"
    desk.clock.jump(jump)
    path = desk.config.shared_dir / "projects" / "x" / f"{desk.placement.conversation}.jsonl"
    path.parent.mkdir(parents=True)
    shutil.copy(SAMPLES / "limit-five-hour.jsonl", path)
    desk.call("UserPromptSubmit", prompt="go on")
    desk.call("StopFailure", error="rate_limit")
    desk.clock.advance(1)
    watcher.cycle(())
    seen = sessions.sightings(desk.store)["one"]
    assert (seen.state, seen.limit_window) == ("limited", "five_hour")


@pytest.mark.parametrize("jump", [DAY, -DAY], ids=["on", "back"])
def test_24_a_session_whose_state_nobody_knows_is_called_starting_for_half_a_minute(desk: Desk, jump: float) -> None:
    watcher = SessionWatcher(desk.host("session-watcher"))
    desk.register(None)
    for seconds, word in ((0, "starting"), (29, "starting"), (2, "unknown")):
        desk.clock.advance(seconds)
        watcher.cycle(())
        assert sessions.sightings(desk.store)["one"].state == word
        desk.clock.jump(jump)
    desk.register("idle")
    desk.clock.advance(1)  # changes of the registry may rest for a tenth of a second
    watcher.cycle(())
    assert sessions.sightings(desk.store)["one"].state == "idle"


@pytest.mark.parametrize("jump", [DAY, -DAY], ids=["on", "back"])
def test_24_a_task_has_run_as_long_as_it_has_run_and_the_janitor_comes_when_it_is_time(desk: Desk, jump: float) -> None:
    janitor = Janitor(desk.host("janitor"))
    task = Task(
        id=1, name="t", project="app", started_ms=desk.store.now_ms(), started_mono=desk.clock.monotonic(),
        host_boot=process.host_boot_id(),
    )  # fmt: skip
    due = janitor.wake_after()
    desk.clock.jump(jump)
    desk.clock.advance(7)
    assert process.seconds_since(desk.clock, task) == 7
    assert janitor.wake_after() == due - 7


@pytest.mark.parametrize(("age", "quiet"), [(1, False), (60, True), (-DAY, True)])
def test_24_a_transcript_of_the_future_is_of_before_the_clock_was_set_back(desk: Desk, age: float, quiet: bool) -> None:
    desk.register("idle")
    path = desk.config.shared_dir / "projects" / "x" / f"{desk.placement.conversation}.jsonl"
    path.parent.mkdir(parents=True)
    shutil.copy(SAMPLES / "idle.jsonl", path)
    os.utime(path, (time.time() - age, time.time() - age))

    class NoTmux:
        def panes(self) -> dict[str, Any]:
            return {}

    registry, lows = Registry(desk.config.shared_dir / "sessions"), Lows(desk.config, desk.store, desk.clock)
    scene = Scene(desk.config, desk.store, cast(Any, NoTmux()), registry, lows)
    assert (scene.quiet(desk.placement) is not None) == quiet
