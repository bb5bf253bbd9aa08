"""What a hook of ours costs the agent that waits for it."""

from __future__ import annotations

import json
import statistics
import subprocess
import time
import uuid
from urllib.parse import urlencode

from failover.bench.bare import Bare
from failover.bench.effort import Effort
from failover.bench.result import Row, row
from failover.claude import launch
from failover.sim.world import World

_EACH = 40


def hook(effort: Effort) -> list[Row]:
    """Measure a hook as the binary runs it, against one that reads its input and does nothing; they take turns.

    Then a whole step of an agent (answer, tool, next request; two hooks), of a session of ours against one whose hooks
    find nobody: what the control plane itself costs.
    """
    with World(real=effort.real, accounts=("a",), sessions={"ccl-0": "app"}) as world:
        world.api.control(chunk_delay=0)
        world.up()
        world.launch()
        ours, bare = _single(world, effort.size(_EACH, 4))
        steps_ours, steps_bare = _steps(world, effort.trials)
    cost = (statistics.median(ours) - statistics.median(bare)) * 1000
    each = (statistics.median(steps_ours) - statistics.median(steps_bare)) * 1000 / 2
    return [
        row("hook, p50, with what an empty hook costs", statistics.median(ours) * 1000, "ms", None, 60.0),
        row("hook, p50, beyond an empty one", cost, "ms", None, 60.0),
        row("hook, p50, in a step of the agent, beyond one that finds nobody", max(0.0, each), "ms", None, 60.0),
    ]


def _single(world: World, each: int) -> tuple[list[float], list[float]]:
    """Return seconds of a hook of ours, and of an empty one."""
    folder = world.config.paths.launch_dir
    script = next(folder.rglob("hook.sh"))
    # A session that nobody knows: the real one's state is not touched.
    query = urlencode({"session": "bench", "account": "a", "launch": launch.__name__.rpartition(".")[2]})
    body = json.dumps(
        {
            "session_id": str(uuid.uuid4()), "hook_event_name": "PreToolUse", "cwd": str(world.root),
            "tool_name": "Bash", "tool_use_id": "toolu_bench", "tool_input": {"command": "true " * 200},
        }
    ).encode()  # fmt: skip
    command = f"exec sh {script} {world.config.paths.control_socket} '{query}' 2"
    ours, bare = [], []
    for _ in range(each + 1):
        bare.append(_took("cat >/dev/null", body))
        ours.append(_took(command, body))
    arrived = world.query("SELECT count(*) FROM hook_calls WHERE session = 'bench'")[0][0]
    assert arrived == each + 1, f"{arrived} of {each + 1} hooks arrived"
    return ours[1:], bare[1:]


def _took(command: str, body: bytes) -> float:
    began = time.perf_counter()
    subprocess.run(["/bin/sh", "-c", command], input=body, check=True)
    return time.perf_counter() - began


def _steps(world: World, trials: int) -> tuple[list[float], list[float]]:
    """Return seconds from a request whose answer asks for a tool to the request with its result."""
    bare = Bare(world, "bare", str(uuid.uuid4()))
    bare.launch("a", "MARK_BASH{true}", resume=False)
    world.wait(lambda: len(bare.requests()) >= 2, "the bare session's first turn")
    ours: list[float] = []
    theirs: list[float] = []
    managed = world.placement("ccl-0").conversation
    for _ in range(trials + 1):
        for name, conversation, found in (("ccl-0", managed, ours), ("bare", bare.conversation, theirs)):
            known = len(world.api.requests(conversation))
            world.wait(lambda name=name: _idle(world, name), f"{name} idle")  # type: ignore[misc]
            world.type(name, "MARK_BASH{true}")
            world.wait(
                lambda conversation=conversation, known=known: len(world.api.requests(conversation)) >= known + 2,  # type: ignore[misc]
                f"the turn of {name}",
            )
            first, second = world.api.requests(conversation)[known : known + 2]
            found.append(second["t"] - first["t"])
    return ours[1:], theirs[1:]


def _idle(world: World, name: str) -> bool:
    pane = world.tmux.panes()[name]
    files = (world.shared / "sessions").glob("*.json")
    entries = [json.loads(file.read_text() or "{}") for file in files]
    return any(entry.get("pid") == pane.pid and entry.get("status") == "idle" for entry in entries)
