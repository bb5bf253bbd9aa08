"""Some task files, worked off while roles are killed, and the checks of such a run. (Many: scripts/soak-queue.)"""

from __future__ import annotations

from typing import Any

from failover.sim.soak_queue import Turn, against, out_of_order, soak, turns


def test_tasks_end_once_though_roles_and_sessions_are_killed_again_and_again() -> None:
    report = soak(files=12, projects=3, count=3, seed=3, every=2.0, deaths=6.0)
    assert report.broken == []
    assert report.ended == {"done": 12} and report.kills.total() >= 1
    assert report.turns >= 12 and 2 <= report.anew <= 12 + report.deaths


def note(event: str, t: float, pid: int, text: str = "") -> dict[str, Any]:
    return {"event": event, "t": t, "pid": pid, "text": text}


def test_turns_are_told_by_the_binaries_notes_and_by_whom_we_killed() -> None:
    notes = [
        note("prompt_accepted", 1, 7, "[task 1, attempt 1] Do what"), note("turn_over", 2, 7),
        note("prompt_accepted", 3, 7, "a person's own words"), note("prompt_accepted", 4, 7, "[task 2, attempt 1] x"),
        note("prompt_accepted", 5, 8, "[task 3, attempt 2] x"), note("exit", 6, 8),
        note("prompt_accepted", 7, 9, "[task 4, attempt 1] x"),
    ]  # fmt: skip
    assert turns(notes, {7: [4.5]}) == [
        Turn(1, 1, 7, 1, 2), Turn(2, 1, 7, 4, 4.5), Turn(3, 2, 8, 5, 6), Turn(4, 1, 9, 7, float("inf")),
    ]  # fmt: skip


def test_a_number_that_was_given_anew_is_another_process() -> None:
    notes = [
        note("start", 0, 7), note("prompt_accepted", 1, 7, "[task 1, attempt 1] x"),
        note("prompt_accepted", 3, 8, "[task 1, attempt 2] x"), note("turn_over", 4, 8),
        note("start", 5, 7), note("prompt_accepted", 6, 7, "[task 2, attempt 1] x"), note("turn_over", 7, 7),
    ]  # fmt: skip
    assert against(turns(notes, {7: [2, 9]})) == []
    assert turns(notes, {7: [2, 9]})[0] == Turn(1, 1, 7, 1, 2)
    assert against(turns(notes, {})) == ["task 1 was with processes 7 and 8 at once"], "for nobody killed the first"


def test_a_task_that_is_with_two_at_once_or_begun_twice_is_found() -> None:
    assert against([Turn(1, 1, 7, 1, 2), Turn(1, 2, 8, 3, 4), Turn(2, 1, 8, 5, 6)]) == []
    assert against([Turn(1, 1, 7, 1, 3.5), Turn(1, 2, 8, 3, 4)]) == ["task 1 was with processes 7 and 8 at once"]
    assert against([Turn(1, 1, 7, 1, 2), Turn(1, 1, 8, 3, 4)]) == ["task 1 attempt 1 was begun 2 times"]


def test_a_task_that_passed_an_older_one_of_its_project_and_priority_is_found() -> None:
    def row(number: int, since: int, priority: int = 0, attempt: int = 1, project: str = "p") -> dict[str, Any]:
        return {"id": number, "since": since, "priority": priority, "attempt": attempt, "project": project}

    fair = [row(1, 10), row(2, 10), row(3, 5, priority=1), row(4, 20, attempt=2), row(5, 15), row(6, 1, project="q")]
    assert out_of_order(fair) == []
    assert len(out_of_order([row(1, 10), row(2, 9)])) == 1
