"""A session that was stopped by order goes on where it was when it is started again, and is told so once."""

from __future__ import annotations

from contextlib import closing

import msgspec

from failover.sim.world import World
from failover.store import sessions
from failover.store.db import Store
from tests.swap.actors import assert_nothing_lost, order, requests, rest, result, say, started, work


def test_a_stopped_session_goes_on_where_it_was_and_is_told_once() -> None:
    with World(accounts=("a",), sessions={"one": "app"}) as world:
        world.api.control(chunk_delay=0.01)
        world.up()
        world.launch()
        say(world, "one")
        world.type("one", work(world, "build", 2, 0.1))
        world.wait(lambda: started(world, "build", 1), "the first tool")
        code, said = result(order(world, "sessions", "stop", "one"))
        assert code == 0, said
        world.wait(lambda: world.state_of("one") == "stopped", "the stop")
        assert not started(world, "build", 2)
        world.cli("sessions", "launch", "one")
        world.wait(lambda: started(world, "build", 2), "the second tool", 60)
        rest(world, "one")
        asked = len(requests(world, "one"))
        world.cli("sessions", "stop", "one")
        world.wait(lambda: world.state_of("one") == "stopped", "the second stop")
        world.launch("one")
        say(world, "one")
        assert len(requests(world, "one")) == asked + 1, "it was told again"
        assert_nothing_lost(world)


def test_a_session_whose_switcher_was_killed_right_after_its_start_is_known_by_its_mark() -> None:
    with World(accounts=("a",), sessions={"one": "app"}) as world:
        world.up()
        world.launch()
        was = world.placement("one")
        world.cli("down")
        # As the switcher leaves it that starts the binary and is killed before it can note the process.
        with closing(Store.open(world.config.paths.store, "test")) as store, store.transaction() as tx:
            sessions.place(tx, msgspec.structs.replace(was, pid=0, start=0, pane=""))
        world.up()
        world.wait(lambda: world.placement("one") == was, "the session to be taken in")
        assert "1 run already" in world.cli("sessions", "launch", "one").stdout
        say(world, "one")
