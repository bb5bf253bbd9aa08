"""The nemesis' checks find what is broken, excuse what they say they excuse, and nothing else."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from failover.host.daemon import ROLES
from failover.sim.nemesis import checks, plan, records
from failover.sim.nemesis.figures import recoveries
from failover.sim.nemesis.hands import Crash
from failover.sim.nemesis.plan import TaskSpec
from failover.sim.nemesis.records import Record
from failover.sim.nemesis.watch import Life, Sightings
from failover.sim.world import World
from tests.sim.test_audit import Log, call, result, text

PATH = ("queued", "holding", "at_boundary", "checkpointed", "stopping", "dead", "relaunching", "relaunched", "verified")


def move(number: int, swap: int, **more: Any) -> dict[str, Any]:
    base = {"id": number, "swap": swap, "session": "one", "conversation": "c", "state": "verified", "pid": 10}
    return {**base, "start": 1, "pane": "%1", "outcome": "tool", "prompt": "", "why": "because", **more}


def journal(number: int, *states: str, at: float = 2.0) -> list[dict[str, Any]]:
    pairs = pairwise(states)
    return [{"move": number, "was": was, "state": now, "at_ms": at * 1000, "why": ""} for was, now in pairs]


def swap(number: int, began: float, ended: float, state: str = "done") -> dict[str, Any]:
    return {"id": number, "started_ms": began * 1000, "finished_ms": ended * 1000, "state": state}


def note(t: float, event: str, step: int = 1, pane: str = "%1", pid: int = 7) -> dict[str, Any]:
    return {"t": t, "task": "t1", "step": step, "event": event, "pid": pid, "pane": pane}


def task(state: str = "done", attempt: int = 1) -> dict[str, Any]:
    return {"name": "t1", "state": state, "attempt": attempt, "reason": "why"}


def taken(t: float, session: str, attempt: int) -> dict[str, Any]:
    return {"type": "task.dispatched", "name": "t1", "session": session, "attempt": attempt, "at_ms": t * 1000}


def whole() -> Record:
    """Return the record of a small run in which all went well: one task, one move at a boundary in the middle."""
    log = Log().says(text("[task 1, attempt 1] Read it")).asks(1.0, "a", call("u1", "step 1 of t1"))
    log.says(result("u1", "step 1 of t1 done")).says(text("Continue.")).asks(4.0, "b", text("TASK-DONE t1"))
    return Record(
        sessions=("one",),
        api=log.records,
        witness=[note(1.2, "start"), note(1.8, "end")],
        processes=[
            {"t": 0.0, "event": "start", "pid": 10, "conversation": "c"},
            {"t": 2.1, "event": "exit", "pid": 10, "conversation": "c"},
            {"t": 3.0, "event": "start", "pid": 11, "conversation": "c"},
        ],
        swaps=[swap(1, 1.0, 5.0)],
        moves=[move(1, 1)],
        journal=journal(1, *PATH),
        tasks=[task()],
        events=[taken(0.9, "one", 1)],
        placements=[{"session": "one", "pane": "%1", "pid": 11, "start": 2}],
        dropped={"t1": TaskSpec("t1", "app", (0.6,))},
        files=[("app", "done", "t1.md"), ("app", "done", "t1.result.json")],
        seen=Sightings(lives=[Life(10, 1, "one", "c", 0.0, 2.1, False, 2.15), Life(11, 2, "one", "c", 3.0, 9.0, True)]),
    )


def broken(record: Record) -> list[str]:
    return checks.broken(record)


def crash(t: float) -> Crash:
    return Crash(t, 10, 1, "one", "c")


def test_a_run_in_which_all_went_well_breaks_nothing() -> None:
    assert broken(whole()) == []


# -- P1 ------------------------------------------------------------------------------------------------


def test_a_swap_that_is_still_open() -> None:
    record = whole()
    record.swaps[0] |= {"state": "open", "finished_ms": 0}
    assert broken(record) == ["P1 swap 1 is still open"]


def test_a_swap_that_begins_before_the_one_before_has_ended() -> None:
    record = whole()
    record.swaps.append(swap(2, 4.9, 6.0))
    assert broken(record) == ["P1 swap 2 began before swap 1 had ended"]


def test_steps_of_two_swaps_that_mix() -> None:
    record = whole()
    record.swaps.append(swap(2, 5.0, 6.0))
    record.moves.append(move(2, 2, state="stayed"))
    record.journal[3:3] = journal(2, "queued", "stayed")
    assert broken(record) == ["P1 swap 1 took a step after swap 2 had begun"]


@pytest.mark.parametrize(
    ("path", "state", "said"),
    [
        (PATH[:-3], "dead", "came to no end: it is dead"),
        (
            (*PATH[:4], "relaunched", "verified"),
            "verified",
            "no step leads from checkpointed by checkpointed to relaunched",
        ),
        (PATH, "stayed", "is stayed, but its journal ends with verified"),
        ((), "verified", "is verified, but its journal ends with queued"),
    ],
)
def test_a_journal_that_is_no_path_to_an_end(path: tuple[str, ...], state: str, said: str) -> None:
    record = whole()
    record.moves[0]["state"] = state
    record.journal = journal(1, *path)
    assert any(f"P1 move 1 of one {said}" in one or said in one for one in broken(record))


# -- P2, P5 ----------------------------------------------------------------------------------------------


def test_two_processes_on_a_conversation_by_the_process_table() -> None:
    record = whole()
    record.seen.twins.append("one: processes 10 and 11 on c")
    assert broken(record) == ["P2 two processes at once: one: processes 10 and 11 on c"]


def test_two_processes_on_a_conversation_by_their_own_log() -> None:
    record = whole()
    record.processes[1]["t"] = 3.5
    assert broken(record) == ["P2 process 10 worked on c when 11 had begun"]


def test_a_process_that_ended_by_itself() -> None:
    record = whole()
    record.seen.lives.insert(1, Life(12, 5, "one", "c", 2.2, 2.9, False))
    assert broken(record) == ["P5 process 12 of one ended, and neither we nor a move had stopped it"]


def test_a_process_that_was_started_under_a_target_that_would_not_do() -> None:
    record = whole()
    record.seen.lives.insert(1, Life(12, 5, "one", "c", 2.2, 2.9, False))
    record.journal = journal(1, *PATH[:-1], "answering")
    record.journal += journal(1, "answering", "leaving", at=2.5)
    record.journal += journal(1, "leaving", "dead", *PATH[6:], at=3.0)
    assert broken(record) == []


def test_a_process_that_ended_before_its_move_told_it_to() -> None:
    record = whole()
    record.journal = journal(1, *PATH, at=8.0)
    assert broken(record) == ["P5 process 10 of one ended before a move told it to"]


def test_a_session_without_a_process_and_one_that_is_placed_on_another() -> None:
    record = whole()
    record.seen.lives[1].alive = False
    record.crashes.append(Crash(9.0, 11, 2, "one", "c"))
    assert broken(record) == ["P5 one has no process"]
    record = whole()
    record.placements[0]["pid"] = 99
    assert broken(record) == ["P5 one is placed on process 99, but 11 is its"]


def test_a_pane_that_shows_us() -> None:
    record = whole()
    record.seen.traces.append("one: Stop hook failed: Connection refused")
    assert broken(record) == ["P5 a pane shows us: one: Stop hook failed: Connection refused"]


# -- P3 ------------------------------------------------------------------------------------------------


def without_result() -> Record:
    """Return the record of a run in which the move cost a tool's result."""
    record = whole()
    log = Log().says(text("[task 1, attempt 1] Read it")).asks(1.0, "a", call("u1", "step 1 of t1"))
    unknown = result("u1", "[Tool call interrupted: its outcome is unknown]")
    record.api = log.says(unknown).says(text("Continue.")).asks(4.0, "b", text("TASK-DONE t1")).records
    return record


def test_a_lost_result() -> None:
    assert broken(without_result()) == ["P3 lost tool_result of c: step 1 of t1 (missing in request None)"]


def test_a_lost_result_is_excused_by_a_kill_just_then_and_by_no_earlier_or_later_one() -> None:
    for t, excused in ((0.1, False), (1.5, True), (5.5, True), (9.0, False)):
        record = without_result()
        record.crashes.append(crash(t))
        assert (broken(record) == []) is excused, t


def test_a_lost_result_is_excused_by_an_interrupt_that_was_told_of_the_session() -> None:
    record = without_result()
    record.moves[0] |= {"outcome": "interrupted", "prompt": "that interrupted a call. Its outcome is unknown: look"}
    assert broken(record) == []


def test_a_lost_answer_and_its_excuse() -> None:
    record = whole()
    log = Log().says(text("do it")).asks(1.0, "a", text("thoughts"))
    log.history.pop()
    record.api += [
        {**one, "n": one["n"] + 100, "conversation": "d"}
        for one in log.says(text("Continue.")).asks(9.0, "b", text("ok")).records
    ]
    assert [one for one in broken(record) if one.startswith("P3 lost answer of d")] == broken(record) != []
    record.crashes.append(Crash(1.2, 50, 1, "two", "d"))
    assert broken(record) == []
    record.crashes[0] = Crash(8.0, 50, 1, "two", "d")
    assert broken(record) != []


def test_a_tool_that_was_cut_off_by_nobody() -> None:
    record = whole()
    record.witness.insert(0, note(1.0, "start", pid=6))
    assert broken(record) == ["P3 step 1 of t1 in one was cut off, and nobody had interrupted it"]
    record.crashes.append(crash(1.1))
    assert broken(record) == []


def test_an_interrupt_of_which_the_session_was_not_told() -> None:
    record = whole()
    record.witness.insert(0, note(1.0, "start", pid=6))
    record.moves[0] |= {"outcome": "interrupted", "prompt": "Continue where you were."}
    assert broken(record) == ["P3 move 1 cut off step 1 of t1 in one and did not say so"]


# -- P4 ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([], "P4 task t1 is in no folder"),
        ([("app", "done", "t1.md")], "P4 task t1 in done/ has no result"),
        ([("app", "inbox", "t1.md")], "P4 task t1 is in inbox/, and ['done'] in the store"),
        ([("web", "done", "t1.md"), ("web", "done", "t1.result.json")], "P4 task t1 is in [('web', 'done')]"),
    ],
)
def test_a_task_that_is_not_where_it_should_be(files: list[tuple[str, str, str]], said: str) -> None:
    record = whole()
    record.files = files
    assert broken(record) == [said]


def test_a_task_that_is_in_two_places() -> None:
    record = whole()
    record.files.append(("app", "inbox", "t1.md"))
    assert broken(record) == ["P4 task t1 is in [('app', 'done'), ('app', 'inbox')]"]


def test_a_marker_without_a_task_and_a_task_that_nobody_dropped() -> None:
    record = whole()
    record.files += [("app", "inbox", "t1.md.dispatched"), ("app", "failed", "t9.md")]
    assert broken(record) == [
        "P4 inbox/t1.md.dispatched of app belongs to no task",
        "P4 t9 in [('app', 'failed')] was never dropped",
    ]


def test_a_task_that_has_two_rows() -> None:
    record = whole()
    record.tasks.append(task("failed"))
    assert "P4 task t1 is in done/, and ['done', 'failed'] in the store" in broken(record)


def test_a_task_that_failed() -> None:
    record = whole()
    record.tasks = [task("failed", 3)]
    record.files = [("app", "failed", "t1.md"), ("app", "failed", "t1.result.json")]
    assert broken(record) == ["P4 task t1 failed after 3 attempts: why"]


def test_a_task_that_is_done_and_was_not() -> None:
    record = whole()
    record.dropped["t1"] = TaskSpec("t1", "app", (0.6, 1.0))
    assert broken(record) == ["P4 task t1 is done, but its steps [2] never ended"]
    record.witness.clear()
    assert broken(record) == ["P4 task t1 is done, but no step of it ever ran"]


def two_sessions(start: float, end: float) -> Record:
    """Return the record of a run in which a second session does the task's step again, from `start` to `end`."""
    record = whole()
    record.placements.append({"session": "two", "pane": "%2", "pid": 20, "start": 3})
    record.sessions = ("one", "two")
    record.seen.lives.append(Life(20, 3, "two", "d", 0.0, 9.0, True))
    record.witness += [note(start, "start", pane="%2", pid=8), note(end, "end", pane="%2", pid=8)]
    return record


def test_a_task_done_twice() -> None:
    assert broken(two_sessions(3.0, 3.5)) == [
        "P4 task t1 was worked on by one, two in 1 attempts",
        "P4 step 1 of t1 ended 2 times in 1 attempts",
    ]


def test_what_a_session_does_when_it_is_asked_a_last_question_is_no_task() -> None:
    record = two_sessions(3.0, 3.5)
    record.rested = 2.9
    assert broken(record) == []


def test_a_task_done_by_two_at_once() -> None:
    record = two_sessions(1.5, 3.5)
    record.tasks = [task(attempt=2)]
    assert broken(record) == ["P4 one and two worked on t1 at once (step 1, 1)"]


def test_a_task_offered_again_after_a_kill_is_no_fault_and_without_one_it_is() -> None:
    record = two_sessions(3.0, 3.5)
    record.tasks = [task(attempt=2)]
    record.events.append(taken(2.9, "two", 2))
    assert broken(record) == ["P4 task t1 was taken from one and offered again, and nobody had killed it"]
    record.crashes.append(crash(2.0))
    assert broken(record) == []


def test_a_step_that_ended_twice_in_one_session() -> None:
    record = whole()
    record.witness += [note(3.0, "start", pid=8), note(3.5, "end", pid=8)]
    assert broken(record) == ["P4 step 1 of t1 ended 2 times in 1 attempts"]


def test_an_attempt_that_was_taken_twice() -> None:
    record = whole()
    record.events.append(taken(2.0, "one", 1))
    record.crashes.append(crash(1.9))
    assert broken(record) == ["P4 attempt 1 of task t1 was taken 2 times"]


def test_a_prompt_that_was_given_to_two_conversations() -> None:
    record = whole()
    log = Log().says(text("[task 1, attempt 1] Read it")).asks(9.0, "a", text("I did"))
    record.api += [{**one, "n": one["n"] + 100, "conversation": "d"} for one in log.records]
    assert broken(record) == ["P4 the prompt [task 1, attempt 1] was given to 2 conversations"]


def test_two_prompts_in_one() -> None:
    record = whole()
    log = Log().says(text("[task 2, attempt 1] Read[task 3, attempt 1] Read it")).asks(9.0, "a", text("I did"))
    record.api += [{**one, "n": one["n"] + 100, "conversation": "d"} for one in log.records]
    assert [one for one in broken(record) if "two prompts in one" in one] == broken(record) != []


# -- P6 and the rest -----------------------------------------------------------------------------------


def test_a_token_in_some_arguments() -> None:
    record = whole()
    record.seen.secrets.append("arguments of process 5: curl -H SECRET.a.g0")
    assert broken(record) == ["P6 a token stands in arguments of process 5: curl -H SECRET.a.g0"]


def test_what_is_left_over_and_what_did_not_come_to_rest() -> None:
    record = whole()
    record.leftovers.append("a hold stands on c (move 1)")
    record.unrest.append("one is limited")
    record.found.append("P5 supervisord ended by itself")
    assert broken(record) == [
        "P5 supervisord ended by itself",
        "not at rest: one is limited",
        "left over: a hold stands on c (move 1)",
    ]


def test_a_token_in_a_file_is_found_and_the_binarys_own_login_is_none(tmp_path: Path) -> None:
    root = tmp_path / "world"
    root.mkdir()
    world = World(root=root)
    assert records.secrets(world) == []
    (root / "state").mkdir()
    (root / "state" / "events.log").write_bytes(b"x" * (2**20 - 8) + b"sk-ant-oat01-sim.main.g0")
    assert records.secrets(world) == ["state/events.log"]


# -- the plan and the figures ----------------------------------------------------------------------------


def test_a_plan_follows_from_its_seed_alone() -> None:
    def planned(seed: int) -> list[str]:
        acts = plan.acts(seed, 120, ("one", "two"), ("a", "b"), plan.SIMULATED)
        assert [act.at for act in acts] == sorted(act.at for act in acts)
        return [f"{act.at} {act}" for act in acts]

    assert planned(7) == planned(7) != planned(8)


def test_a_plan_of_two_minutes_has_every_fault_every_role_and_every_swap() -> None:
    acts = plan.acts(7, 120, ("one", "two"), ("a", "b"), plan.SIMULATED)
    assert {act.kind for act in acts} == {*plan.FAULTS, *plan.SWAPS}
    assert {act.how["role"] for act in acts if act.kind == "kill-role"} == set(ROLES)
    assert {act.how["sort"] for act in acts if act.kind == "garbage"} <= set(plan.GARBAGE)


def test_a_recovery_lasts_until_the_successor_reports() -> None:
    record = Record(kills=[(2.0, "bus"), (3.0, "janitor")])
    record.events = [
        {"type": "role.started", "role": role, "at_ms": at}
        for role, at in (("bus", 1900), ("janitor", 2500), ("bus", 2700))
    ]
    assert recoveries(record) == [700.0]
