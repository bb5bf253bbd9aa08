"""What a point costs is learned from statuslines and readings; what was decided, and why, is kept in the store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from failover.clock import ManualClock
from failover.core.choice import Stay, Swap, Verdict
from failover.core.cost import Cost
from failover.quota.costs import CostMeter
from failover.store import choices
from failover.store.db import Store
from failover.store.usage import StatuslineRow
from tests.core.pool import account


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "state.db", "tester", "boot", ManualClock())
    yield opened
    opened.close()


def push(requests: int, written: int = 1000, launch: str = "l1", **fields: Any) -> StatuslineRow:
    body = {
        "context_window": {"current_usage": {"cache_creation_input_tokens": written}},
        "prompt_cache": {"requests": requests},
    }
    base: dict[str, Any] = {"session": "s", "account": "a", "conversation": "c", "at_ms": requests}
    return StatuslineRow(launch=launch, body=fields.pop("body", json.dumps(body)), **{**base, **fields})


def learned(meter: CostMeter, used: float, **fields: Any) -> list[tuple[float, float]]:
    return [(one.tokens, one.points) for one in meter.settle([account("a", used, **fields)], {})]


def test_tokens_of_the_requests_in_between_are_set_against_the_rise() -> None:
    meter = CostMeter()
    meter.count([push(5)])
    assert learned(meter, 10) == [], "how it came to 10 % nobody saw"
    meter.count([push(6)])
    meter.count([push(6)])
    meter.count([push(8, 500), push(3, session="t")])
    assert learned(meter, 14) == [(2000.0, 4.0)]
    assert learned(meter, 14) == []
    meter.count([push(4, session="t")])
    assert learned(meter, 15) == [(1000.0, 1.0)]


def test_a_new_period_a_fall_and_a_new_process_teach_nothing() -> None:
    meter = CostMeter()
    meter.count([push(1)])
    learned(meter, 90)
    meter.count([push(2)])
    assert learned(meter, 95, resets=9000) == []
    assert learned(meter, 40, resets=9000) == []
    meter.count([push(9, launch="l2"), push(7, session="t", body="{"), push(8, session="u", body="{}")])
    assert learned(meter, 41, resets=9000) == [(0.0, 1.0)]


def test_a_decision_stands_until_another_is_made(store: Store) -> None:
    def keep(decision: Stay | Swap, at_ms: int) -> None:
        with store.transaction() as tx:
            choices.keep(tx, choices.latest(store), decision, at_ms)

    assert choices.latest(store) is None
    keep(Stay("at 40 %", verdicts=(Verdict("a", "kept", "at 40 %"),)), 1000)
    keep(Stay("at 41 %", verdicts=(Verdict("a", "kept", "at 41 %"),)), 2000)
    standing = choices.latest(store)
    assert standing is not None
    assert (standing.since_ms, standing.at_ms, standing.reason) == (1000, 2000, "at 41 %")
    assert standing.verdicts == (Verdict("a", "kept", "at 41 %"),)
    keep(Swap("a", "b", "soft", "at 90 %", verdicts=(Verdict("a", "left", "at 90 %"),)), 3000)
    keep(Stay("at 41 %", verdicts=(Verdict("a", "refused", "at 91 %"),)), 4000)
    keep(Stay("at 41 %", verdicts=(Verdict("a", "kept", "at 41 %"),)), 5000)
    assert [(row["kind"], row["since_ms"]) for row in store.query("SELECT * FROM decisions ORDER BY id")] == [
        ("stay", 1000), ("swap", 3000), ("stay", 4000), ("stay", 5000),
    ]  # fmt: skip


def test_a_cost_is_kept_by_account_and_window(store: Store) -> None:
    for tokens in (1.0, 2.0):
        with store.transaction() as tx:
            choices.save_cost(tx, Cost(account="a", window="five_hour", tokens=tokens, points=3))
    assert choices.costs(store) == {("a", "five_hour"): Cost(account="a", window="five_hour", tokens=2, points=3)}
