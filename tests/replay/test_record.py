"""The demand of a running pool is taken from its store, without a word of what was said in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from failover.config import Account, Config, Thresholds
from failover.core.session import HookCall
from failover.core.usage import Reading
from failover.errors import FailoverError
from failover.replay.demand import TOKENS_PER_PERCENT, Turn
from failover.replay.record import record
from failover.replay.trace import read, write
from failover.store import checkpoints, hooks, usage
from failover.store.checkpoints import Checkpoint
from failover.store.db import Store

CANARY = "the secret plan"
NOW = 1_800_000_000


class At:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.now = float(NOW)

    def epoch(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock() -> At:
    return At()


@pytest.fixture
def store(tmp_path: Path, clock: At) -> Store:
    return Store.open(tmp_path / "state.db", "test", clock=clock)


CONFIG = Config(
    file=Path("c"), version=1, state_dir=Path("/s"), shared_dir=Path("/h"),
    accounts=(Account(name="main", config_dir=Path("/m"), priority=1, thresholds=Thresholds()),),
)  # fmt: skip


def told(store: Store, hook: str, at: int, session: str = "s-0", agent: str = "") -> None:
    call = HookCall(
        id=0, launch="l", conversation=session, hook=hook, at_ms=(NOW + at) * 1000, prompt=CANARY, agent=agent,
        tool_input=CANARY, message=CANARY,
    )  # fmt: skip
    with store.transaction() as tx:
        hooks.record_hook(store, tx, session=session, account="main", boot="b", call=call, held=False)


def rose(store: Store, used: float, at: int, resets: int = NOW + 9000) -> None:
    with store.transaction() as tx:
        usage.note(tx, Reading(
            account="main", window="five_hour", used=used, resets_at=resets, observed_ms=(NOW + at) * 1000, source="t",
        ))  # fmt: skip


def test_turns_batches_use_and_context_are_found(store: Store, clock: At, tmp_path: Path) -> None:
    rose(store, 10, 0)
    told(store, "UserPromptSubmit", 10)
    told(store, "PostToolBatch", 20)
    told(store, "PostToolBatch", 25, agent="a1")
    told(store, "UserPromptSubmit", 30, session="s-1")
    told(store, "Stop", 40)
    rose(store, 14, 50)
    told(store, "StopFailure", 60, session="s-1")
    told(store, "UserPromptSubmit", 70)
    with store.transaction() as tx:
        for at, tokens in ((5, 1000), (41, 2000)):
            noted = Checkpoint(state="idle", account="main", cwd="/x", context_tokens=tokens, prompt=CANARY)
            checkpoints.add(
                tx, session="s-0", conversation="c", at_ms=(NOW + at) * 1000, occasion="stop", checkpoint=noted
            )
    clock.now = NOW + 100.0
    found = record(CONFIG, store, NOW * 1000)
    # Four points: 30 s of the first turn and 20 s of the second lie before the reading that shows them.
    assert found.turns == (
        Turn(session="s-0", at=0, seconds=30, tokens=round(2.4 * TOKENS_PER_PERCENT), context=2000, batches=2),
        Turn(session="s-1", at=20, seconds=30, tokens=round(1.6 * TOKENS_PER_PERCENT), context=0, batches=1),
    )
    assert (found.start, found.seconds, [one.name for one in found.accounts]) == (NOW + 10, 90, ["main"])
    write(found, tmp_path / "trace.jsonl")
    assert read(tmp_path / "trace.jsonl") == found
    assert CANARY not in (tmp_path / "trace.jsonl").read_text()


def test_a_window_that_opened_anew_counts_from_nothing(store: Store) -> None:
    rose(store, 90, 0, resets=NOW + 20)
    told(store, "UserPromptSubmit", 30)
    told(store, "Stop", 60)
    rose(store, 5, 55)
    assert record(CONFIG, store, 0).turns[0].tokens == 5 * TOKENS_PER_PERCENT


def test_where_nothing_was_noted_there_is_no_demand(store: Store) -> None:
    told(store, "UserPromptSubmit", 30)
    with pytest.raises(FailoverError, match=r"retention\.hook_calls"):
        record(CONFIG, store, 0)
