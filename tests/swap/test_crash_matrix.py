"""A few cells of the crash matrix: whatever is killed at whatever step, the swap comes to its end and loses nothing.

The whole of it is `scripts/crash-matrix`, which also holds the times against a limit.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator

import click
import pytest

from failover.host import process
from failover.host.process import ProcessId
from failover.sim.crash import audit, matrix
from failover.sim.crash.cell import Result
from failover.sim.crash.play import play
from failover.sim.crash.stage import Stage

CELLS = (
    "account-switcher:stopping:after",
    "account-switcher:relaunched:before",
    "bus:answering:after",
    "supervisord:holding:after",
    "supervisord:checkpointed:before",
    "supervisord:dead:after",
    "tmux:at_boundary:after",
    "tmux:dead:before",
)


@pytest.fixture
def stage() -> Iterator[Stage]:
    with Stage() as made:
        yield made


def test_a_swap_survives_the_kill_of_any_process_at_any_step() -> None:
    wanted = [cell for name in CELLS for cell in matrix.cells(name)]
    results: list[Result] = []
    matrix.run(wanted, None, results.append)
    assert [result.problems for result in results] == [[]] * len(results)
    played = [f"{result.victim}:{result.step}:{result.when}" for result in results if result.step]
    assert played == list(CELLS)
    assert all(result.recovery is not None and result.end is not None for result in results if result.step)


def test_a_cell_that_left_something_broken_is_no_success(stage: Stage) -> None:
    (cell,) = matrix.cells("bus:dead:after")
    assert play(stage, cell).problems == []
    (swap,) = stage.swaps().values()
    wanted = audit.Wanted(("verified",), "a", "c1", ())
    moved = {f"{name} is on b" for name in ("idle", "stream", "tools")}
    assert moved <= {*audit.after(stage, swap, wanted)}
    idle = stage.placed()["idle"]
    process.send_signal(ProcessId(idle.pid, idle.start), signal.SIGKILL)
    stage.wait(lambda: "idle" not in stage.living(), "the death of idle")
    assert "idle does not run" in audit.after(stage, swap, wanted)


def test_each_state_of_the_table_is_in_the_matrix() -> None:
    assert matrix.unreached() == []
    assert matrix.happy_path()[-1] == "verified"


def test_a_state_that_no_scenario_reaches_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    table = {"queued": {"hold": "holding"}, "holding": {"x": "limbo"}, "limbo": {"y": "verified"}}
    monkeypatch.setattr(matrix, "TRANSITIONS", table)
    assert matrix.unreached() == ["limbo"]


def test_cells_that_do_not_exist_are_refused_with_those_that_do() -> None:
    assert len(matrix.cells("bus:dead")) == 2
    with pytest.raises(click.BadParameter, match=r"'bus:nowhere' names no cell; VICTIM is one of account-switcher"):
        matrix.cells("bus:nowhere")


def test_the_table_fits_a_hundred_columns() -> None:
    result = Result("account-switcher", "checkpointed", "before", "swap", "recovered", "idle/stream/tools")
    result.back = result.moved = result.end = result.swap = 123.45
    result.problems.append("a sentence that is much too long for one line, " * 5)
    shown = matrix.line(result)
    assert max(map(len, [matrix.header(), *shown.splitlines()])) <= 100
    assert "123.45" in shown
