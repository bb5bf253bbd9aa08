"""What users of similar tools ran into with queues and typing, and what does not happen here."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from failover.core.attempt import prompt
from failover.host import process
from tests.queue.floor import Floor
from tests.waiting import wait_for

Make = Callable[..., Floor]


def test_a_dead_worker_s_task_does_not_stay_ready_for_ever(make_floor: Make) -> None:
    """orca#8984."""
    floor = make_floor(2)
    floor.sight("s-1", "working")
    floor.hand("t1")
    floor.sight("s-0", "exited")
    floor.sight("s-1", "idle")
    floor.turn(lambda: floor.submitted("s-1"))
    assert floor.begin_turn("s-1").startswith("[task 1, attempt 2] ")
    floor.until("t1", "running")
    floor.end_turn("s-1")
    floor.until("t1", "done")


def test_a_restart_does_not_run_a_running_task_again(floor: Floor) -> None:
    """AI-Employee#695: a restart ran a running task again and doubled the cost."""
    floor.hand("t1")
    for _ in range(3):
        floor.restart()
        floor.dispatcher.cycle(())
    assert (floor.state("t1"), floor.rows()["t1"]["attempt"], len(floor.submitted("s-0"))) == ("running", 1, 1)
    floor.end_turn("s-0")
    floor.until("t1", "done")


def test_many_daemons_at_once_hand_a_task_out_once(floor: Floor) -> None:
    """agi-cli#2333: 78 daemons at once fired each routine eight to ten times."""
    floor.dispatcher.close()
    environment = {**os.environ, "FAILOVER_CONFIG": str(floor.config.file), "HOME": str(floor.folder)}
    floor.config.file.chmod(0o600)
    command = [sys.executable, "-m", "workers.dispatcher"]
    root = Path(__file__).parents[2]
    many = [
        subprocess.Popen(command, env=environment, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(6)
    ]
    try:
        floor.drop("t1")
        wait_for(lambda: floor.submitted("s-0"), timeout=60, what="the prompt")
        floor.begin_turn("s-0")
        wait_for(lambda: floor.state("t1") == "running", timeout=30, what="the task at work")
        wait_for(lambda: sum(one.poll() is None for one in many) == 1, timeout=60, what="all but one to end")
        assert len(floor.submitted("s-0")) == 1
        assert {one.returncode for one in many if one.poll() is not None} == {1}
    finally:
        for one in many:
            one.kill()
            one.wait()
        floor.dispatcher = floor.start()


def test_what_was_pasted_and_not_submitted_is_not_reported_as_delivered(floor: Floor) -> None:
    """agent-orchestrator#564."""
    (floor.at("s-0") / "deaf").touch()
    floor.drop("t1")
    floor.turn(lambda: "[task 1, attempt 1]" in floor.tmux.capture(floor.placement("s-0").pane).replace("\n", ""))
    floor.until("t1", "queued")
    assert [type(one.event).__name__ for one in floor.events()] == ["TaskQueued"]
    assert not list(floor.inbox.glob("*.dispatched"))


def test_a_prompt_arrives_from_its_first_to_its_last_character(floor: Floor) -> None:
    """agentchattr#102: it arrived as its last 182 characters."""
    name = "a long name, " * 15 + "é"
    floor.hand(name)
    path = str(floor.inbox / f"{name}.md")
    assert floor.submitted("s-0") == [prompt(1, 1, path)] and len(prompt(1, 1, path)) > 182


def test_a_spinner_and_a_title_do_not_make_a_busy_session_idle(floor: Floor) -> None:
    """gascity#3062, ntm#156, ccmux#205: what a pane shows was taken for the session's state."""
    pane = floor.placement("s-0").pane
    subprocess.run(
        ["tmux", "-L", floor.tmux.socket_name, "select-pane", "-t", pane, "-T", "✳ ready"], check=True, timeout=20
    )
    assert floor.tmux.capture(pane).strip() == ">" and floor.tmux.panes()["s-0"].title == "✳ ready"
    floor.drop("t1")
    for state in ("working", "waiting", "unknown"):
        floor.sight("s-0", state)
        for _ in range(3):
            floor.dispatcher.cycle(())
        assert (floor.state("t1"), floor.tmux.capture(pane).strip()) == ("queued", ">"), state
    found = process.identify(floor.placement("s-0").pid)
    assert found is not None, "the pane looks as idle as can be, and its process lives"
