"""The host loses its power: nothing lives, and its next boot counts its seconds anew. `up` brings all back."""

from __future__ import annotations

import json
import signal
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from failover.host import daemon, process
from failover.host.process import ProcessId
from failover.sim import audit, real_cli
from failover.sim.demo import finished
from failover.sim.world import World
from tests.faults.pool import PATIENCE, tmux_server
from tests.swap.actors import ended, hold_stands, order, pids, requests, rest, say, swaps, texts

STEPS = 3
#: Two sessions of each project, a task for each.
POOLS = {
    "simulated": {f"ccl-{number}": f"app-{number % 3}" for number in range(6)},
    "real": {f"ccl-{number}": f"app-{number}" for number in range(3)},
}
#: What the kernel would call a boot that is over; its monotonic clock had come far.
_BOOT_BEFORE, _FAR = "00000000-0000-4000-8000-000000000000", 1e7


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.real)])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    binary: Path | None = real_cli.real_claude() if request.param == "real" else None
    with World(real=binary, accounts=("a", "b"), sessions=POOLS[request.param]) as made:
        made.api.control(chunk_delay=0.01)
        made.up()
        made.launch(account="a")
        yield made


def begin(world: World) -> dict[str, str]:
    """Give each session a task whose second tool does not end before the gate is open; return task → project."""
    gate = f"while [ {{step}} -eq 2 ] && [ ! -e {world.root}/gate ]; do sleep 0.05; done"
    tasks = {f"task-of-{name}": project for name, project in world.sessions.items()}
    for task, project in tasks.items():
        plan = f'PLAN{{name={task} steps={STEPS} command="{world.step} {task} {{step}} 0.2; {gate}"}}'
        (world.projects[project] / ".agent-queue" / "inbox" / f"{task}.md").write_text(plan)
    world.wait(lambda: all((task, 2) in ended(world) for task in tasks), "the second tool of each task at work", 120)
    return tasks


def assert_done_once(world: World, task: str) -> None:
    """See that a task came to its end as one attempt; only the tool that was cut off may have been begun again, by who
    was told that its outcome is unknown."""
    queue = world.projects[world.sessions[task.removeprefix("task-of-")]] / ".agent-queue"
    found = json.loads((queue / "done" / f"{task}.result.json").read_text())
    assert (found["outcome"], found["attempts"]) == ("done", 1)
    assert not list((queue / "inbox").glob(f"{task}*"))
    steps = Counter(step for name, step in ended(world) if name == task)
    assert sorted(steps) == list(range(1, STEPS + 1))
    assert all(steps[step] == 1 for step in steps if step != 2) and steps[2] <= 2


def lose_power(world: World) -> None:
    """End all that lives on the host at once, and let what it knew of time be of another boot."""
    supervisor, server = daemon.find(world.config.paths), tmux_server(world)
    assert supervisor is not None
    ours: set[ProcessId] = {supervisor, *process.children(supervisor.pid), server, *pids(world).values()}
    tools = {one for one in process.with_argument(f"{world.root}/gate") if one not in ours}
    for one in (supervisor, server, *ours, *tools):
        process.send_signal(one, signal.SIGKILL)
    world.wait(lambda: not any(process.alive(one) for one in (*ours, *tools)), "the end of everything", PATIENCE)
    (world.config.paths.run_dir / "store-checked").write_text(_BOOT_BEFORE)
    with closing(sqlite3.connect(world.config.paths.store)) as connection, connection:
        connection.execute(
            "UPDATE swaps SET host_boot = ?, started_mono = ?, deadline_mono = ?", (_BOOT_BEFORE, _FAR, _FAR)
        )
        changed = connection.execute(
            "UPDATE tasks SET body = json_set(body, '$.host_boot', ?, '$.started_mono', ?)"
            " WHERE json_extract(body, '$.host_boot') != ''",
            (_BOOT_BEFORE, _FAR),
        )
        assert changed.rowcount == len(world.sessions), "each task knew its boot"


def test_a_swap_that_was_open_at_the_loss_of_power_ends_and_its_session_works_on() -> None:
    failover = {"deadline": {"soft": "3m", "hard": "3s"}}
    with World(accounts=("a", "b"), sessions={"one": "app", "two": "app"}, failover=failover) as world:
        world.api.control(chunk_delay=0.01)
        world.up()
        world.launch(account="a")
        say(world, "one", "two")
        tasks = begin(world)
        was = world.placement("one")
        ordered = order(world, "swap", "--to", "b", "--session", "one")
        world.wait(lambda: hold_stands(world, "one"), "a hold", PATIENCE)
        ordered.kill()
        ordered.communicate()
        lose_power(world)
        (world.root / "gate").touch()
        world.up()
        world.wait(lambda: swaps(world)[0][0] != "open", "the end of the swap", 120)
        world.cli("sessions", "restore", timeout=300)
        world.wait(lambda: finished(world, list(tasks)) == set(tasks), "the tasks", 240)
        rest(world, "one", "two", timeout=120)
        say(world, "one", "two")
        assert world.placement("one").conversation == was.conversation
        assert [state for state, _ in swaps(world) if state == "open"] == []
        for task in tasks:
            assert_done_once(world, task)
        assert audit.double_processes(world.simulated()) == []


def test_after_a_loss_of_power_each_session_is_back_in_its_conversation_and_each_task_is_done_once(
    world: World,
) -> None:
    names = list(world.sessions)
    say(world, *names)
    tasks = begin(world)
    was = {name: world.placement(name) for name in names}
    rows = world.query("SELECT id, name, body FROM tasks")
    handed = {row["name"]: json.loads(row["body"])["session"] for row in rows}
    assert sorted(handed.values()) == names
    lose_power(world)
    (world.root / "gate").touch()

    world.up()
    said = world.cli("sessions", "restore", "--json", timeout=300)
    parts: list[dict[str, Any]] = json.loads(said.stdout)["detail"]["sessions"]
    assert {part["action"] for part in parts} <= {"restored", "left"}, parts
    world.wait(lambda: set(pids(world)) == set(names), "all sessions back", 120)
    world.wait(lambda: finished(world, list(tasks)) == set(tasks), "the tasks", 240)
    rest(world, *names, timeout=120)
    say(world, *names)

    now = {name: world.placement(name) for name in names}
    assert {name: one.conversation for name, one in now.items()} == {
        name: one.conversation for name, one in was.items()
    }
    assert not {(one.pid, one.start) for one in now.values()} & {(one.pid, one.start) for one in was.values()}
    assert Counter(row["kind"] for row in world.query("SELECT kind FROM swaps"))["restore"] >= 1
    assert world.query("SELECT count(*) FROM swaps WHERE state = 'open'")[0][0] == 0
    prompts = [row[0] for row in world.query("SELECT body FROM hook_calls WHERE hook = 'UserPromptSubmit'")]
    assert not any("attempt 2" in one for one in prompts)
    for number, task in ((row["id"], row["name"]) for row in rows):
        assert_done_once(world, task)
        assert sum(f"[task {number}, attempt 1]" in one for one in prompts) == 1
        asked = texts(requests(world, handed[task])[-1])
        assert asked.count("was brought back") == 1 and "outcome is unknown" in asked
    assert audit.double_processes(world.simulated()) == []
    # A session that was told of its tool's command has that in its arguments.
    assert set(process.with_argument(f"{world.root}/gate")) <= set(pids(world).values()), "no tool was left behind"
