"""What the tests of this folder do to a made-up host, and ask of it, again and again."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from failover.host import daemon, process
from failover.host.process import ProcessId
from failover.sim import audit
from failover.sim.world import World

_spoken = itertools.count(1)


def roles(world: World) -> dict[str, tuple[str, ProcessId]]:
    """Return boot and process of each role that lives."""
    found = {}
    for row in world.query("SELECT role, boot, pid, start FROM roles"):
        one = ProcessId(row["pid"], row["start"])
        if process.alive(one):
            found[row["role"]] = (row["boot"], one)
    return found


def kill(world: World, role: str) -> str:
    """End a role as nothing can be caught; return the boot that died."""
    boot, one = roles(world)[role]
    assert process.send_signal(one, signal.SIGKILL)
    # Until the kernel has closed its sockets, an order could still be handed to the dead.
    world.wait(lambda: not process.alive(one), f"{role} dead")
    return boot


def back(world: World, role: str, boot: str) -> bool:
    """Say whether a role works again: a new boot, alive."""
    now = roles(world).get(role)
    return now is not None and now[0] != boot


def order(world: World, *arguments: str) -> subprocess.Popen[str]:
    """Begin a `claude-failover ...` and do not wait for it."""
    return subprocess.Popen(
        [sys.executable, "-c", "from failover.cli import main; main()", *arguments],
        env=world.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def result(ordered: subprocess.Popen[str], timeout: float = 240) -> tuple[int, str]:
    """Return how an ordered command ended: its exit code and what it said."""
    out, err = ordered.communicate(timeout=timeout)
    return ordered.returncode, out + err


def status(world: World) -> str:
    """Return what `supervisorctl status` prints."""
    command = [sys.executable, "-m", "supervisor.supervisorctl", "-c", str(daemon.conf_file(world.config.paths))]
    return subprocess.run([*command, "status"], capture_output=True, text=True, timeout=30).stdout


def pids(world: World) -> dict[str, ProcessId]:
    """Return the process of each session that lives, and is its pane's."""
    panes = world.tmux.panes()
    placed = {name: world.placement(name) for name in world.sessions}
    return {
        name: ProcessId(one.pid, one.start)
        for name, one in placed.items()
        if process.alive(ProcessId(one.pid, one.start)) and panes[name].pid == one.pid
    }


def texts(request: Mapping[str, Any]) -> str:
    """Return all that is said in a request."""
    blocks = [block for message in request["messages"] for block in message["blocks"]]
    return "\n".join(str(block.get("head") or block.get("text") or "") for block in blocks)


def requests(world: World, name: str) -> list[dict[str, Any]]:
    """Return the main requests of a session's conversation."""
    return world.api.requests(world.placement(name).conversation)


def started(world: World, task: str, step: int) -> bool:
    """Say whether a tool has begun."""
    return any((n["task"], n["step"], n["event"]) == (task, step, "start") for n in world.steps())


def ended(world: World) -> list[tuple[str, int]]:
    """Return the tools that ended, each as often as it did."""
    return sorted((note["task"], note["step"]) for note in world.steps() if note["event"] == "end")


def work(world: World, task: str, *seconds: float) -> str:
    """Return a prompt that asks for one tool after another, each of so many seconds."""
    calls = [f"MARK_BASH{{{world.step} {task} {step} {length}}}" for step, length in enumerate(seconds, 1)]
    return " then ".join(calls)


def rest(world: World, *names: str, timeout: float = 90) -> None:
    """Wait until sessions are idle and each has a whole answer to the last thing that it asked."""
    for name in names:

        def over(name: str = name) -> bool:
            asked = requests(world, name)
            whole = audit.completed(world.api.records())
            last = asked[-1] if asked else None
            done = last is None or (last["n"] in whole and all(b["type"] != "tool_use" for b in last["response"]))
            return done and world.state_of(name) == "idle"

        world.wait(over, f"{name} at rest", timeout)


def say(world: World, *names: str) -> dict[str, str]:
    """Ask each session something never asked before, wait for its answer, and return what each was asked."""
    words = {name: f"words {next(_spoken)} to {name}" for name in names}
    for name, text in words.items():
        world.type(name, text)
    for name, text in words.items():
        world.wait(
            lambda name=name, text=text: text in texts((requests(world, name) or [{"messages": []}])[-1]),  # type: ignore[misc]
            f"{text} at the API",
            60,
        )
    rest(world, *names)
    return words


def assert_nothing_lost(world: World) -> None:
    """Count in the logs of the API and of the tools."""
    found = audit.audit(world.api.records(), world.steps())
    assert (found.lost_turns, found.lost_tool_results, found.tools_run_twice) == (0, 0, 0), found.losses
    assert found.started_twice == [], "a tool was cut off and done again"
    assert audit.double_processes(world.simulated()) == []


def swaps(world: World) -> list[tuple[str, str]]:
    """Return state and target of every swap, oldest first."""
    return [(row["state"], row["target"]) for row in world.query("SELECT state, target FROM swaps ORDER BY id")]


def moves(world: World) -> dict[str, tuple[str, str]]:
    """Return state and reason of each move of the newest swap, by session."""
    rows = world.query("SELECT session, state, body FROM moves WHERE swap = (SELECT max(id) FROM swaps)")
    return {row["session"]: (row["state"], json.loads(row["body"])["why"]) for row in rows}


def journal(world: World) -> list[tuple[str, str]]:
    """Return (session, state) of every step of the newest swap, in order."""
    sql = (
        "SELECT m.session, j.state FROM journal j JOIN moves m ON m.id = j.move"
        " WHERE m.swap = (SELECT max(id) FROM swaps) ORDER BY j.id"
    )
    return [(row["session"], row["state"]) for row in world.query(sql)]


def held(world: World, name: str) -> str:
    """Return at which hook a session is held by the living control plane, empty for none."""
    rows = world.query("SELECT json_extract(body, '$.held') AS held, json_extract(body, '$.held_hook') AS hook"
                       " FROM activities WHERE session = ?", name)  # fmt: skip
    return str(rows[0]["hook"]) if rows and rows[0]["held"] else ""


def hold_stands(world: World, name: str) -> bool:
    """Say whether the switcher has set a hold on a session's conversation."""
    return bool(world.query("SELECT 1 FROM holds WHERE conversation = ?", world.placement(name).conversation))
