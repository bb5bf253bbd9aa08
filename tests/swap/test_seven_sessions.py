"""The swap, whole: seven sessions in seven states move from one account to another, and nothing of any is lost.

The same test runs on the simulated and on the real binary. What it asserts it reads from the API's log, from the notes
of the tools themselves and from the process table.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from failover.host import process
from failover.sim import audit, real_cli
from failover.sim.world import World
from tests.swap.actors import rest, say, texts

SESSIONS = ("idle", "tool", "stream", "agent", "typed", "limit5h", "weekly")
TYPED = "and tell me about PINEAPPLE too"


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.real)])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    binary: Path | None = real_cli.real_claude() if request.param == "real" else None
    # Nobody waits for a slot here: each boundary that comes is taken, so that each state is really met.
    failover = {"deadline": {"soft": "5m", "hard": "90s"}, "cooldown": "10s", "max_parallel": 8}
    with World(real=binary, accounts=("a", "b"), sessions=dict.fromkeys(SESSIONS, "app"), failover=failover) as made:
        yield made


class Twins:
    """Watches the process table for conversations with two processes at once."""

    def __init__(self, conversations: dict[str, str]) -> None:
        self.seen: list[tuple[str, list[int]]] = []
        self.samples = 0
        self._conversations, self._stop = conversations, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._stop.wait(0.02):
            self.samples += 1
            table = process.of_user()
            for session, conversation in self._conversations.items():
                pids = {one.pid for one, arguments in table.items() if conversation in arguments}
                # A child has its parent's arguments until it becomes another program.
                own = [pid for pid in pids if not pids.intersection(process.ancestors(pid))]
                if len(own) > 1 and all(process.alive(one) for one in table if one.pid in own):
                    self.seen.append((session, own))

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=5)


def test_seven_sessions_move_and_nothing_is_lost(world: World) -> None:
    world.api.control(chunk_delay=0.01)
    world.up()
    world.launch(account="a")
    conversation = {name: world.placement(name).conversation for name in SESSIONS}

    def requests(name: str) -> list[dict[str, Any]]:
        return world.api.requests(conversation[name])

    # Each has a first turn behind it, so that there is a history to carry over.
    first = say(world, *SESSIONS)

    # Two are stopped by limits, under a pause, so that no swap begins before all is in place.
    world.cli("pause")
    for name, mode in (("limit5h", "limit"), ("weekly", "limit7")):
        world.api.account("a", mode=mode)
        world.type(name, f"do what {name} has to do")
        world.wait(lambda name=name: world.state_of(name) == "limited", f"{name} limited", 30)  # type: ignore[misc]
    world.api.account("a", mode="ok")
    before = {name: world.placement(name).pid for name in SESSIONS}

    world.type("agent", "MARK_AGENT{7|" + f"{world.step} agent 1 0.1" + "}")
    world.type("tool", "MARK_BASH{" + f"{world.step} tool 1 15" + "}")
    world.type("typed", "MARK_BASH{" + f"{world.step} typed 1 16" + "}")
    world.wait(lambda: len([s for s in world.steps() if s["event"] == "start"]) >= 2, "both tools at work")
    world.type("stream", "MARK_SLOW{16}")
    world.wait(lambda: len(requests("stream")) >= 2, "the answer being streamed")

    twins = Twins(conversation)
    world.cli("resume")
    world.wait(lambda: world.query("SELECT 1 FROM swaps WHERE state = 'open'"), "a swap, as both limits demand")
    world.type("typed", TYPED)
    world.wait(lambda: world.query("SELECT 1 FROM swaps WHERE state != 'open'"), "the swap's end", 120)
    twins.stop()

    (swap,) = world.query("SELECT * FROM swaps")
    assert (swap["source"], swap["target"], swap["state"]) == ("a", "b", "done"), swap["sentence"]
    for name in SESSIONS:
        assert world.placement(name).account == "b"
        assert world.placement(name).pid != before[name]
        assert world.placement(name).conversation == conversation[name]

    # Everyone goes on under b; who had nothing in flight is asked something now.
    rest(world, *SESSIONS)
    say(world, *SESSIONS)

    for name in SESSIONS:
        under_b = [request for request in requests(name) if request["account"] == "b"]
        assert under_b, f"{name} never asked under b"
        assert first[name] in texts(under_b[0]), f"{name} came without its history"
        assert not [r for r in requests(name) if r["account"] == "a" and r["t"] > under_b[0]["t"]]
        screen = world.screen(name)
        assert "❯ 1." not in screen, f"a menu stands in {name}:\n{screen}"
        assert "Do you trust" not in screen
        assert "hook failed" not in screen
    for name in ("limit5h", "weekly"):
        under_b = [request for request in requests(name) if request["account"] == "b"]
        assert f"do what {name} has to do" in texts(under_b[0])
    assert TYPED in texts(requests("typed")[-1])
    ends = [(note["task"], note["step"]) for note in world.steps() if note["event"] == "end"]
    assert sorted(ends) == [("agent", 1), ("tool", 1), ("typed", 1)], "each tool ran once"
    assert any(block.get("task") for message in requests("agent")[-1]["messages"] for block in message["blocks"]), (
        "the sub-agent's result is in the conversation"
    )
    found = audit.audit(world.api.records(), world.steps())
    assert (found.lost_turns, found.lost_tool_results, found.tools_run_twice) == (0, 0, 0), found.losses
    assert twins.seen == []
    assert twins.samples > 20
    moves = {row["session"]: row["body"] for row in world.query("SELECT session, body FROM moves")}
    assert '"outcome":"tool"' in moves["tool"]
