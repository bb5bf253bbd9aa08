"""Twenty working sessions at once: how long each is away, and the whole swap against what one would do without it."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from failover.bench.bare import Bare
from failover.bench.effort import Effort
from failover.bench.result import Row, row
from failover.sim.demo import drop_task
from failover.sim.world import World

SESSIONS = 20
#: The tools of a task take so long (seconds). A session at work takes 8 % of a core for its spinner alone (measured on
#: 2.1.330), so twenty with shorter tools would leave two cores nothing to start anybody with.
_STEP_SECONDS, _STEP_SECONDS_REAL = 1.0, 10.0
_PATIENCE = 600.0


def pool(effort: Effort) -> list[Row]:
    """Swap a pool of working sessions; then stop the daemon and relaunch the same sessions bare: all at once, and one
    after another by a shell script (`naive.sh`).

    A session's blackout: from the end of its last tool before it moved, by the tool's own note, to its first request
    under the other account, by the API's log; bare: from the signal on. Their tasks go on through all three.
    """
    count = effort.size(SESSIONS, 2)
    step = effort.size(_STEP_SECONDS_REAL if effort.real else _STEP_SECONDS, 0.2)
    names = [f"ccl-{number}" for number in range(count)]
    with World(real=effort.real, accounts=("a", "b", "c", "d"), sessions=dict.fromkeys(names, "app"),
               failover={"deadline": {"soft": "10m"}}) as world:  # fmt: skip
        world.api.control(chunk_delay=0)
        world.up()
        for first in range(0, count, 5):
            world.launch(*names[first : first + 5], account="a")
        for name in names:
            drop_task(world, "app", f"task-{name}", 400, step)
        world.wait(lambda: len({note["task"] for note in world.steps()}) == count, "all at work", _PATIENCE)
        began = time.monotonic()
        world.cli("swap", "--to", "b", timeout=_PATIENCE)
        whole = time.monotonic() - began
        away = _blackouts(world, "b", count)
        world.cli("down")
        bare = [Bare(world, name, world.placement(name).conversation) for name in names]
        stampede = _away(world, _all_at_once, bare, "c")
        one_by_one = _away(world, _by_script, bare, "d")
    pool_ = f"{count} sessions"
    mean, at_once = statistics.mean(away), statistics.mean(stampede)
    return [
        row(f"{pool_}, blackout of each, mean", mean, "s", None, 1.5, note=f"of {len(away)}"),
        row(f"{pool_}, blackout of each, mean, against all relaunched at once", mean, "s", at_once, 1.0),
        row(f"{pool_}, the whole swap against all relaunched at once", whole, "s", max(stampede), 1.25),
        row(f"{pool_}, the whole swap against a script, one after another", whole, "s", max(one_by_one), 1.0),
    ]


def _blackouts(world: World, target: str, count: int) -> list[float]:
    ends: dict[str, list[float]] = {}
    for note in world.steps():
        if note["event"] == "end":
            ends.setdefault(note["task"], []).append(note["t"])
    found = []
    for row_ in world.query("SELECT name, json_extract(body, '$.session') AS session FROM tasks"):
        conversation = world.placement(row_["session"]).conversation
        first = next((r["t"] for r in world.api.requests(conversation) if r["account"] == target), None)
        before = [end for end in ends.get(row_["name"].removesuffix(".md"), []) if first is not None and end < first]
        if first is not None and before:
            found.append(first - before[-1])
    assert len(found) >= count * 0.8, f"only {len(found)} sessions moved at the end of a tool"
    return found


def _away(
    world: World, relaunch: Callable[[World, Sequence[Bare], str], None], sessions: Sequence[Bare], account: str
) -> list[float]:
    """Return the seconds until each session has asked the API under the account."""
    began = time.time()
    relaunch(world, sessions, account)

    def first() -> list[float | None]:
        return [next((r["t"] for r in one.requests() if r["account"] == account), None) for one in sessions]

    world.wait(lambda: None not in first(), "all at work again", _PATIENCE)
    return [at - began for at in first() if at is not None]


def _all_at_once(_: World, sessions: Sequence[Bare], account: str) -> None:
    for one in sessions:
        one.kill()
    waiting = list(sessions)
    while waiting:
        for one in [one for one in waiting if one.dead]:
            one.launch(account, "Continue.", resume=True)
            waiting.remove(one)
        time.sleep(0.005)


def _by_script(world: World, sessions: Sequence[Bare], account: str) -> None:
    lines = [f"{one.name} {one.script(account, 'Continue.', resume=True)}\n" for one in sessions]
    subprocess.run(
        ["sh", str(Path(__file__).with_name("naive.sh")), world.socket], input="".join(lines), text=True, check=True,
        timeout=_PATIENCE, stdout=subprocess.DEVNULL,
    )  # fmt: skip
