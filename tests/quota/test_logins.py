"""A login that ends in some days is told of once, days before; the simulated binary is asked for real."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from failover.clock import ManualClock
from failover.config import Config, load
from failover.events import LoginExpires
from failover.quota.logins import LoginWatch
from failover.sim import real_cli
from failover.store import events, logins
from failover.store.db import Store
from tests.cli.test_ordering import accounts
from tests.waiting import wait_for

NOW = time.time()


def ends(folder: Path, name: str, at: float | None) -> None:
    """Let the made-up login of an account end at a moment (epoch seconds)."""
    file = folder / name / ".sim-token"
    shown = None if at is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
    file.write_text(json.dumps({**json.loads(file.read_text()), "loginExpiresAt": shown}))


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load(
        accounts(tmp_path, {"soon": "soon", "late": "late", "open": "open", "empty": ""}), {"HOME": str(tmp_path)}
    )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(epoch=NOW)


@pytest.fixture
def store(config: Config, clock: ManualClock) -> Iterator[Store]:
    config.paths.ensure()
    made = Store.open(config.paths.store, "quota-monitor", "boot", clock)
    yield made
    made.close()


def told(store: Store) -> list[LoginExpires]:
    return [one.event for one in events.latest(store, 100) if isinstance(one.event, LoginExpires)]


def looked(watch: LoginWatch) -> str:
    """Begin a look and wait for what it tells."""
    assert watch.look() == ""
    return wait_for(lambda: watch.look() or ("nothing" if not watch.is_looking else ""), 20, "the look")


def test_it_is_told_once_for_each_account_and_end(
    tmp_path: Path, config: Config, clock: ManualClock, store: Store
) -> None:
    ends(tmp_path, "soon", NOW + 3 * 86400)
    ends(tmp_path, "late", NOW + 30 * 86400)
    watch = LoginWatch(config, store, clock, first=30)
    assert watch.look() == "" and not watch.is_looking, "the first look waits"
    clock.advance(31)
    assert looked(watch) == "the login of soon expires soon"
    assert told(store) == [LoginExpires(account="soon", expires_at=int(NOW + 3 * 86400))]
    assert watch.look() == "" and not watch.is_looking, "the next one is hours away"
    clock.advance(6 * 3600 + 1)
    assert looked(watch) == "nothing"
    again = LoginWatch(config, store, clock, first=0)
    assert looked(again) == "nothing", "a restart tells nothing twice"
    ends(tmp_path, "soon", NOW + 5 * 86400)
    clock.advance(6 * 3600 + 1)
    assert looked(again) == "the login of soon expires soon", "another end"
    assert len(told(store)) == 2


def test_a_binary_that_is_gone_is_no_end(tmp_path: Path, config: Config, clock: ManualClock, store: Store) -> None:
    ends(tmp_path, "soon", NOW + 86400)
    (tmp_path / "bin" / "claude").unlink()
    assert looked(LoginWatch(config, store, clock, first=0)) == "nothing"
    real_cli.sim_claude(tmp_path / "bin")
    assert looked(LoginWatch(config, store, clock, first=0)) == "the login of soon expires soon"


def test_what_the_last_look_found_is_kept_of_every_account(
    tmp_path: Path, config: Config, clock: ManualClock, store: Store
) -> None:
    ends(tmp_path, "soon", NOW + 3 * 86400)
    ends(tmp_path, "late", NOW + 30 * 86400)
    watch = LoginWatch(config, store, clock, first=0)
    looked(watch)
    assert logins.ends(store) == {"soon": int(NOW + 3 * 86400), "late": int(NOW + 30 * 86400)}
    ends(tmp_path, "soon", None)
    clock.advance(6 * 3600 + 1)
    looked(watch)
    assert logins.ends(store) == {"late": int(NOW + 30 * 86400)}, "what is not known any more is not told"
