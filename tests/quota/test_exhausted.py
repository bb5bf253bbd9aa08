"""That no account is left is told once, and so is that it is over."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from failover.clock import ManualClock
from failover.config import load
from failover.core.choice import Stay
from failover.events import AllExhausted, AvailableAgain
from failover.quota.decider import Decider
from failover.runtime import Host
from failover.store import events
from failover.store.db import Store

SPENT = Stay("no account can take its sessions", "a", exhausted=True, until=9)
ANY: Any = None


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    file = tmp_path / "config.yaml"
    file.write_text("version: 1\nstate_dir: s\naccounts: [{name: a, config_dir: a}, {name: b, config_dir: b}]\n")
    config = load(file, {"HOME": str(tmp_path)})
    config.paths.ensure()
    store = Store.open(config.paths.store, "quota-monitor", "boot", ManualClock())
    yield Host(config, config.paths, store, ManualClock(), "boot", ANY, logging.getLogger("x"), cast(Any, None))
    store.close()


def told(host: Host) -> list[str]:
    kinds = {AllExhausted: "spent", AvailableAgain: "again"}
    return [kinds[type(one.event)] for one in events.latest(host.store, 100, "usage.")]


def test_each_is_told_once_and_a_restart_remembers(host: Host) -> None:
    decider = Decider(host)
    decider._tell_exhausted(SPENT)
    decider._tell_exhausted(SPENT)
    again = Decider(host)
    again._tell_exhausted(SPENT)
    again._tell_exhausted(Stay("cooling down", "a"))
    assert told(host) == ["spent"], "who cools down has nowhere to go yet"
    again.cycle()
    assert told(host) == ["spent", "again"]
    Decider(host).cycle()
    assert told(host) == ["spent", "again"]
    Decider(host)._tell_exhausted(SPENT)
    assert told(host)[2:] == ["spent"]
