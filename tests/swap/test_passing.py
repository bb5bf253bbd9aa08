"""In an open swap who works on, and is not held, is no reason for a look; who was moved and works again is one."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from failover.clock import ManualClock
from failover.config import load
from failover.events import AnyEvent, Envelope, HookReceived, SessionStateChanged
from failover.host import process
from failover.runtime import Host
from failover.store import swaps
from failover.store.db import Store
from workers.account_switcher import AccountSwitcher

PASSES = HookReceived(call=1, session="s", conversation="c", hook="PostToolBatch")


class Switcher:
    """The role with an open swap; its looks at that are counted instead of done."""

    def __init__(self, folder: Path) -> None:
        file = folder / "config.yaml"
        file.write_text("version: 1\nstate_dir: state\nshared_dir: shared\naccounts: [{name: a, config_dir: a}]\n")
        file.chmod(0o600)
        config = load(file, {"HOME": str(folder)})
        config.paths.ensure()
        config.shared_dir.mkdir(exist_ok=True)
        self.store, self.clock, self.looks = (
            Store.open(config.paths.store, "account-switcher", "boot"),
            ManualClock(),
            0,
        )
        own = process.identify(os.getpid())
        assert own is not None
        log, nobody = logging.getLogger("test"), cast(Any, None)
        self.role = AccountSwitcher(Host(config, config.paths, self.store, self.clock, "boot", own, log, nobody))
        with self.store.transaction() as tx:
            swaps.begin(
                tx, kind="swap", source="a", target="b", urgency="soft", reason="", order_id=0, request_id=0,
                started_ms=0, started_mono=0.0, deadline_mono=600.0, host_boot=process.host_boot_id(),
            )  # fmt: skip
        self.role._drive = self._look  # type: ignore[method-assign]
        self.hear()
        self.clock.advance(1)  # the first half second each hook is a reason
        self.hear()

    def _look(self, row: object, paused: bool) -> str:
        self.looks += 1
        return "looked"

    def hear(self, *events: AnyEvent) -> bool:
        """Let the role hear something; say whether it looked at the swap."""
        before = self.looks
        told = [Envelope(id=1, source="x", boot="b", seq=n, at_ms=0, event=one) for n, one in enumerate(events)]
        self.role.cycle(told)
        return self.looks > before


@pytest.fixture
def switcher(tmp_path: Path) -> Iterator[Switcher]:
    made = Switcher(tmp_path)
    yield made
    made.role.close()
    made.store.close()


def test_who_passes_is_no_reason_for_a_look(switcher: Switcher) -> None:
    assert not switcher.hear(PASSES)
    assert switcher.role.wake_after() == pytest.approx(0.25), "and does not put the next one off"
    switcher.clock.advance(0.15)
    assert not switcher.hear(PASSES, msgspec.structs.replace(PASSES, hook="PreToolUse"))
    assert switcher.role.wake_after() == pytest.approx(0.1)
    switcher.clock.advance(0.15)
    assert switcher.hear(PASSES)


@pytest.mark.parametrize(
    "event",
    [
        HookReceived(call=1, session="s", conversation="c", hook="PostToolBatch", held=True),
        HookReceived(call=1, session="s", conversation="c", hook="Stop"),
        SessionStateChanged(session="s", state="exited", was="working"),
    ],
)
def test_who_is_held_or_ends_is_looked_at_at_once(switcher: Switcher, event: AnyEvent) -> None:
    assert switcher.hear(PASSES, event)


@pytest.mark.parametrize("hook", ["PreToolUse", "PostToolBatch"])
def test_the_first_step_of_one_that_was_moved_is_looked_at_at_once(switcher: Switcher, hook: str) -> None:
    switcher.role._engine.returning = {"other": "go on"}
    assert not switcher.hear(msgspec.structs.replace(PASSES, hook=hook))
    assert switcher.hear(msgspec.structs.replace(PASSES, hook=hook, session="other"))


@pytest.mark.parametrize(("prompt", "looked"), [("go on", False), ("", True)])
def test_that_one_that_was_moved_has_started_is_looked_at_where_it_is_not_to_take_a_prompt_next(
    switcher: Switcher, prompt: str, looked: bool
) -> None:
    switcher.role._engine.returning = {"s": prompt}
    assert switcher.hear(msgspec.structs.replace(PASSES, hook="SessionStart")) is looked
    assert switcher.hear(msgspec.structs.replace(PASSES, hook="UserPromptSubmit"))


def test_it_hears_each_step_while_a_swap_is_open(switcher: Switcher) -> None:
    assert {"hook.received/PostToolBatch", "hook.received/PreToolUse"} <= set(switcher.role.topics)
