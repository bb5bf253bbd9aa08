"""A conversation of a task's own, and a session that works for several projects: with the whole daemon."""

from __future__ import annotations

import json
from typing import Any

from failover.sim.demo import drop_task
from failover.sim.world import World
from tests.swap.actors import assert_nothing_lost, kill, rest, say


def drop(world: World, project: str, name: str, front: str = "", steps: int = 2, seconds: float = 0.1) -> None:
    """Put a task with front matter into a project's inbox."""
    inbox = world.projects[project] / ".agent-queue" / "inbox"
    plan = f'PLAN{{name={name} steps={steps} command="{world.step} {name} {{step}} {seconds}"}}'
    part = inbox / f".{name}.part"
    part.write_text((f"---\n{front}\n---\n" if front else "") + plan + "\n")
    part.rename(inbox / f"{name}.md")


def done(world: World, project: str, name: str) -> dict[str, Any]:
    """Wait for a task's end and return its result."""
    file = world.projects[project] / ".agent-queue" / "done" / f"{name}.result.json"
    world.wait(file.exists, f"{name} done", 60)
    result: dict[str, Any] = json.loads(file.read_text())
    return result


def steps(world: World, name: str) -> list[int]:
    return [note["step"] for note in world.steps() if note["task"] == name and note["event"] == "end"]


def test_a_fresh_task_gets_a_conversation_of_its_own_and_the_old_one_stays_whole() -> None:
    with World(accounts=("a",), sessions={"one": "app"}) as world:
        world.api.control(chunk_delay=0.0)
        world.up()
        world.launch()
        say(world, "one")
        rest(world, "one")
        old = world.placement("one")
        drop(world, "app", "t1", "conversation: fresh")
        result = done(world, "app", "t1")
        new = world.placement("one")
        assert new.conversation != old.conversation and new.cwd == str(world.projects["app"])
        assert (result["session"], result["attempts"], steps(world, "t1")) == ("one", 1, [1, 2])
        assert world.api.requests(new.conversation)
        assert not any("t1.md" in json.dumps(r) for r in world.api.requests(old.conversation))
        drop(world, "app", "t2")
        done(world, "app", "t2")
        assert world.placement("one").launch == new.launch, "the next one goes on in the conversation that is there"
        assert [row["kind"] for row in world.query("SELECT kind FROM swaps")] == ["fresh"]
        assert_nothing_lost(world)


def test_a_floating_session_does_another_project_s_task_in_that_project_s_folder() -> None:
    with World(accounts=("a",), sessions={"one": "app", "tied": "other"}) as world:
        world.sessions.pop("tied")
        config = {"sessions": [{"name": "one", "project": str(world.projects["app"]), "serves": "all"}]}
        world._extra = config
        world.write_config()
        world.api.control(chunk_delay=0.0)
        world.up()
        world.launch()
        home = world.placement("one")
        drop_task(world, "other", "t1", 1, 0.1)
        assert done(world, "other", "t1")["session"] == "one"
        there = world.placement("one")
        assert there.cwd == str(world.projects["other"]) and there.conversation != home.conversation
        drop_task(world, "other", "t2", 1, 0.1)
        done(world, "other", "t2")
        assert world.placement("one").launch == there.launch
        world.cli("sessions", "stop", "one")
        world.launch("one")
        assert world.placement("one").conversation == there.conversation, "it goes on where it was"
        assert (steps(world, "t1"), steps(world, "t2")) == ([1], [1])
        assert_nothing_lost(world)


def test_a_fresh_task_survives_the_death_of_either_role_while_its_session_is_started_anew() -> None:
    with World(accounts=("a",), sessions={"one": "app", "two": "app"}) as world:
        world.api.control(chunk_delay=0.0)
        world.up()
        world.launch()
        for number, role in enumerate(("account-switcher", "dispatcher", "account-switcher", "dispatcher"), start=1):
            drop(world, "app", f"t{number}", "conversation: fresh", steps=2, seconds=0.2)
            world.wait(
                lambda number=number: len(world.query("SELECT 1 FROM swaps WHERE kind = 'fresh'")) >= number,  # type: ignore[misc]
                "the new start",
            )
            kill(world, role)
            done(world, "app", f"t{number}")
            assert steps(world, f"t{number}") == [1, 2], f"a step of t{number} was done twice or not at all"
        assert_nothing_lost(world)


def test_a_task_is_cancelled_shown_and_tried_again_from_the_command_line() -> None:
    with World(accounts=("a",), sessions={"one": "app"}) as world:
        world.api.control(chunk_delay=0.0)
        world.up()  # nobody is launched, so the task waits
        drop(world, "app", "t1", steps=1)
        world.wait(lambda: world.query("SELECT 1 FROM tasks"), "the task")
        assert world.cli("tasks", "cancel", "1").stdout == "task 1 (t1) is cancelled\n"
        assert world.cli("tasks", "cancel", "1").returncode == 0, "so it is"
        shown = world.cli("tasks", "show", "1").stdout
        assert "failed" in shown and "cancelled by" in shown and ".agent-queue/failed/t1.md" in shown
        assert world.cli("tasks", "retry", "99", check=False).returncode == 2
        world.cli("pause")
        assert world.cli("tasks", "retry", "1").stdout == "task 1 (t1) is queued again\n", "that starts nothing"
        world.cli("resume")
        world.launch()
        assert done(world, "app", "t1")["earlier"][0]["finish"]["reason"].startswith("cancelled by")
        assert "before that" in world.cli("tasks", "show", "1").stdout and steps(world, "t1") == [1]
