"""A made-up week of three accounts in a store: for the picture in the docs, and for tests of what is shown of usage."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

from failover.clock import ManualClock
from failover.core.move import Move
from failover.core.usage import Reading
from failover.store import swaps, usage
from failover.store.db import Store, Transaction

_STEP = 600.0
_FIVE_HOURS, _WEEK = 5 * 3600.0, 7 * 86400.0
_THRESHOLDS = {"five_hour": 90.0, "seven_day": 95.0}


class _Meter:
    """One account's two windows."""

    def __init__(self, week_ends: float) -> None:
        self.used = {"five_hour": 0.0, "seven_day": 0.0}
        self.resets = {"five_hour": 0.0, "seven_day": week_ends}

    def roll(self, at: float) -> None:
        for window, length in (("five_hour", _FIVE_HOURS), ("seven_day", _WEEK)):
            if at >= self.resets[window]:
                self.used[window], self.resets[window] = 0.0, at + length

    def full(self) -> bool:
        return any(self.used[window] >= limit for window, limit in _THRESHOLDS.items())


def fill(store: Store, names: tuple[str, ...], now: float, seed: int = 4) -> None:
    """Write the week before `now` (epoch seconds): readings each ten minutes of work, and the swaps."""
    chance = random.Random(seed)
    start = now - _WEEK
    meters = {name: _Meter(start + (2 + 2 * place) * 86400 + 5400) for place, name in enumerate(names)}
    current = names[0]
    at = start
    with store.transaction() as tx:
        while at < now:
            for meter in meters.values():
                meter.roll(at)
            hour = at % 86400 / 3600
            pace = 0.3 if hour < 6 else 1.4 if hour < 9 else 4.2
            free = next((name for name in names if not meters[name].full()), None)
            if free and free != current and (meters[current].full() or meters[free].used["five_hour"] == 0):
                _swap(tx, current, free, at)
                current = free
            meter = meters[current]
            if not meter.full():
                meter.used["five_hour"] += pace * chance.uniform(0.6, 1.4)
                meter.used["seven_day"] += pace * chance.uniform(0.06, 0.12)
                for window in meter.used:
                    usage.note(tx, _reading(current, window, meter, at))
            at += _STEP


def _reading(account: str, window: str, meter: _Meter, at: float) -> Reading:
    return Reading(
        account=account,
        window=window,
        used=round(min(100.0, meter.used[window]), 1),
        resets_at=int(meter.resets[window]),
        observed_ms=int(at * 1000),
        source="statusline",
    )


def _swap(tx: Transaction, source: str, target: str, at: float) -> None:
    number = swaps.begin(
        tx, kind="swap", source=source, target=target, urgency="soft", reason="a made-up week", order_id=0,
        request_id=0, started_ms=int(at * 1000), started_mono=0.0, deadline_mono=0.0, host_boot="",
    )  # fmt: skip
    for session in ("ccl-0", "ccl-1", "ccl-2"):
        swaps.add_move(tx, Move(
            id=0, swap=number, session=session, conversation="", cwd="/", source=source, target=target, kind="swap",
            state="verified",
        ))  # fmt: skip
    swaps.finish(tx, number, "done", "moved 3 of 3 sessions", int(at * 1000) + 9000)


def picture(path: Path) -> None:
    """Draw the made-up week to `path`; the same each time."""
    from failover.cli.usage_plot import draw
    from failover.config import load
    from failover.http.usage_views import usage_view

    now = 1_800_000_000.0
    with tempfile.TemporaryDirectory(prefix="cf-") as folder:
        names = ("main", "backup", "spare")
        lines = "".join(f"  - {{name: {name}, config_dir: {name}}}\n" for name in names)
        file = Path(folder) / "config.yaml"
        file.write_text(f"version: 1\nstate_dir: s\nshared_dir: shared\naccounts:\n{lines}")
        config = load(file)
        config.paths.ensure()
        store = Store.open(config.paths.store, "quota-monitor", "week", ManualClock(epoch=now))
        try:
            fill(store, names, now)
            draw(usage_view(config, store, _WEEK), path)
        finally:
            store.close()
