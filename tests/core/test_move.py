"""The move's table and its decisions: from every state, under every look, only legal steps."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from failover.core import move as table
from failover.core.move import (
    BEFORE_DEATH,
    TERMINAL,
    TRANSITIONS,
    Around,
    Carried,
    Fresh,
    IllegalStep,
    Move,
    Seen,
    Step,
    Wait,
    advance,
    carried,
)
from failover.core.prompt import replay
from failover.core.session import Standing
from failover.core.steps import MAX_LAUNCHES, READY_WITHIN, WORKING_FOR, decide
from failover.core.swap import bill, conclude, free_slots, in_order, is_over, progress, slots

IDLE, BATCH, NONE = Standing("idle", "idle"), Standing("tool", "held after a batch of tools"), Standing(None, "busy")


def move(state: Any = "queued", **fields: Any) -> Move:
    base: dict[str, Any] = {"id": 1, "swap": 1, "session": "ccl-0", "conversation": "c", "cwd": "/p"}
    return Move(**{**base, "source": "a", "target": "b", "kind": "swap", "state": state, **fields})


def around(**fields: Any) -> Around:
    return Around(**{"now": 100.0, "deadline": 200.0, "urgency": "soft", "slot": True, **fields})


def step(state: Any, seen: Seen, about: Around | None = None, **fields: Any) -> str:
    decision = decide(move(state, **fields), seen, about or around())
    return decision.event if isinstance(decision, Step) else "wait"


ALIVE = Seen(alive=True, standing=IDLE)


def test_the_whole_way_of_a_move() -> None:
    about = around()
    assert step("queued", ALIVE) == "hold"
    assert step("holding", Seen(alive=True, standing=BATCH)) == "bound"
    assert step("at_boundary", Seen(alive=True, standing=BATCH), outcome="tool") == "note"
    assert step("checkpointed", Seen(alive=True, standing=BATCH), outcome="tool") == "stop"
    assert step("stopping", ALIVE) == "wait"
    assert step("stopping", Seen()) == "died"
    assert step("dead", Seen()) == "relaunch"
    assert step("relaunching", Seen()) == "wait"
    assert step("relaunching", Seen(launched=True)) == "launched"
    assert step("relaunched", Seen(launched=True), prompt="go on") == "wait"
    assert step("relaunched", Seen(launched=True, taken=True), prompt="go on") == "taken"
    assert step("answering", Seen(launched=True)) == "wait"
    assert step("answering", Seen(launched=True, answered=True)) == "answered"
    assert isinstance(decide(move("verified"), Seen(), about), Wait)


def test_a_session_without_a_prompt_is_verified_when_the_registry_has_it() -> None:
    assert step("relaunched", Seen(launched=True, registered=True, status="idle")) == "ready"
    assert step("relaunched", Seen(launched=True, registered=True, status="waiting")) == "wait"


def test_a_switcher_that_found_a_stop_not_carried_out_waits_for_a_new_boundary() -> None:
    lives, ends = Seen(alive=True, registered=True), Seen(alive=True)
    assert step("stopping", lives, around(found=1.0)) == "wait"
    assert step("stopping", lives, around(found=5.0)) == "slip"
    assert step("stopping", ends, around(found=5.0)) == "wait", "it is ending, as its registry entry shows"
    assert step("stopping", lives, around(found=None)) == "wait"
    assert step("stopping", Seen(), around(found=0.0)) == "died"


def test_a_boundary_that_slips_away_is_waited_for_again() -> None:
    for state in ("at_boundary", "checkpointed"):
        assert step(state, Seen(alive=True, standing=NONE), outcome="tool") == "slip"
        assert step(state, Seen(alive=True, standing=IDLE), outcome="tool") == "slip"


@pytest.mark.parametrize("state", sorted(BEFORE_DEATH))
def test_before_the_stop_a_move_can_be_taken_back(state: str) -> None:
    assert step(state, Seen(alive=False)) == "withdraw"
    assert step(state, Seen(alive=True, elsewhere=(7,), standing=IDLE)) == "withdraw"
    assert step(state, ALIVE, around(paused=True)) == "withdraw"
    assert step(state, ALIVE, around(preflight="not logged in")) == "withdraw"


def test_without_a_slot_nobody_is_stopped() -> None:
    assert step("queued", ALIVE, around(slot=False)) == "wait"
    assert step("holding", ALIVE, around(slot=False)) == "wait"


def test_nobody_is_stopped_before_the_target_was_looked_at() -> None:
    assert step("queued", ALIVE, around(preflight=None)) == "wait"
    assert step("holding", ALIVE, around(preflight=None)) == "wait"


def test_at_the_deadline_soft_gives_up_and_hard_interrupts() -> None:
    busy = Seen(alive=True, standing=NONE)
    assert step("holding", busy, around(now=199.0)) == "wait"
    assert step("holding", busy, around(now=200.0)) == "withdraw"
    decision = decide(move("holding"), busy, around(now=200.0, urgency="hard"))
    assert isinstance(decision, Step)
    assert (decision.event, decision.outcome) == ("bound", "interrupted")
    assert step("at_boundary", busy, outcome="interrupted") == "note"
    assert step("checkpointed", busy, outcome="interrupted") == "stop"


@pytest.mark.parametrize("state", sorted(BEFORE_DEATH))
def test_a_session_in_which_a_person_went_on_with_another_conversation_is_not_stopped(state: str) -> None:
    assert (
        step(state, Seen(alive=True, left_for="other", standing=NONE), around(now=300.0, urgency="hard")) == "withdraw"
    )


def test_what_the_registry_does_not_know_is_never_interrupted() -> None:
    unknown = Seen(alive=True, unregistered=True, standing=NONE)
    assert step("holding", unknown, around(now=199.0, urgency="hard")) == "wait", "its entry may just be written"
    assert step("holding", unknown, around(now=200.0, urgency="hard")) == "withdraw"


def test_a_person_who_resumes_the_conversation_elsewhere_wins() -> None:
    assert step("dead", Seen(elsewhere=(4711,)), at={"dead": 90.0}) == "yield"


def test_a_child_that_the_old_process_left_is_given_a_moment() -> None:
    assert step("dead", Seen(elsewhere=(4711,)), at={"dead": 99.0}) == "wait"


def test_a_stop_ends_with_the_death() -> None:
    assert step("dead", Seen(), kind="stop") == "end"


def test_a_launch_that_comes_to_nothing_is_tried_again_but_not_for_ever() -> None:
    assert step("relaunching", Seen(), around(now=106.0), at={"relaunching": 100.0}) == "again"
    assert step("relaunched", Seen(), prompt="x") == "again"
    assert step("dead", Seen(), launches=MAX_LAUNCHES) == "give_up"


def test_what_does_not_get_ready_is_given_up_and_said_so() -> None:
    late = around(now=100 + READY_WITHIN + 1)
    decision = decide(move("relaunched", at={"relaunched": 100.0}), Seen(launched=True, status="waiting"), late)
    assert isinstance(decision, Step)
    assert decision.event == "give_up"
    assert "(waiting)" in decision.why


def test_the_first_turn_under_the_target_can_fail() -> None:
    limit = Seen(launched=True, trouble="it has reached its limit", refusal="limit")
    to_c = around(other="c")
    decision = decide(move("answering"), limit, to_c)
    assert isinstance(decision, Step)
    assert (decision.event, decision.target) == ("leave", "c")
    assert step("answering", limit, around(spent=True)) == "park", "it is continued when an account has room"
    decision = decide(move("answering"), limit, around())
    assert isinstance(decision, Step)
    assert (decision.event, decision.target) == ("leave", "a"), "a soft swap left an account that can still serve"
    logged_out = Seen(launched=True, trouble="authentication failed", refusal="account")
    back = decide(move("answering"), logged_out, around(spent=True))
    assert isinstance(back, Step)
    assert (back.event, back.target) == ("leave", "a")
    assert step("answering", logged_out, around(refused=frozenset({"a"}))) == "park"
    throttled = Seen(launched=True, trouble="throttled", refusal="service")
    assert step("answering", throttled, to_c, launches=1) == "leave"
    assert step("answering", throttled, to_c, launches=MAX_LAUNCHES) == "park"
    assert step("answering", Seen(launched=True, trouble="x", refusal="turn")) == "answered"
    assert step("answering", Seen()) == "again"


def test_a_target_that_could_not_serve_is_left() -> None:
    assert step("leaving", Seen(alive=True), refused=("b",)) == "wait"
    assert step("leaving", Seen()) == "died"


def test_what_is_dead_goes_to_the_target_to_another_or_back() -> None:
    def where(**about: Any) -> str:
        decision = decide(move("dead"), Seen(), around(**about))
        assert isinstance(decision, Step)
        return decision.target

    assert where() == "b"
    assert where(refused=frozenset({"b"}), other="c") == "c"
    assert where(refused=frozenset({"b"})) == "a"


@pytest.mark.parametrize("state", sorted(BEFORE_DEATH))
def test_a_session_whose_tmux_server_died_goes_on(state: str) -> None:
    assert step(state, Seen(server_died=True)) == "lost"
    assert step(state, Seen(alive=True, server_died=True, standing=IDLE)) == "wait", "it is about to end"


def test_a_person_who_closes_the_session_meanwhile_wins() -> None:
    assert step("dead", Seen(closed=True)) == "yield"


def test_who_goes_home_goes_at_rest_only() -> None:
    assert step("holding", Seen(alive=True, standing=NONE), around(urgency="idle")) == "withdraw"
    assert step("holding", ALIVE, around(urgency="idle")) == "bound"


def test_long_work_under_the_target_is_answer_enough() -> None:
    late = around(now=101 + WORKING_FOR)
    assert step("answering", Seen(launched=True, status="busy"), late, at={"answering": 100.0}) == "answered"
    assert step("answering", Seen(launched=True, status="idle"), late, at={"answering": 100.0}) == "wait"


def test_an_illegal_step_is_refused() -> None:
    with pytest.raises(IllegalStep, match="'died' is no step from 'queued'"):
        advance("queued", "died")


def test_every_state_is_in_the_table_and_every_event_is_used() -> None:
    assert set(TRANSITIONS) == set(get_args(table.State))
    assert {event for events in TRANSITIONS.values() for event in events} == set(get_args(table.Event))
    assert {"verified", "stopped", "stayed", "yielded", "parked", "failed"} == TERMINAL


looks = st.builds(
    Seen,
    alive=st.booleans(),
    elsewhere=st.sampled_from([(), (7,)]),
    standing=st.sampled_from([IDLE, BATCH, NONE]),
    limited=st.booleans(),
    launched=st.booleans(),
    registered=st.booleans(),
    status=st.sampled_from(["", "idle", "busy", "waiting"]),
    taken=st.booleans(),
    answered=st.booleans(),
    refusal=st.sampled_from(["", "limit", "account", "service", "turn"]),
    server_died=st.booleans(),
    closed=st.booleans(),
)
circumstances = st.builds(
    Around,
    now=st.floats(0, 1000),
    deadline=st.just(500.0),
    urgency=st.sampled_from(["idle", "soft", "hard"]),
    slot=st.booleans(),
    preflight=st.sampled_from([None, "", "not logged in"]),
    paused=st.booleans(),
)


@given(st.lists(st.tuples(looks, circumstances), max_size=40))
def test_whatever_is_seen_in_whatever_order_each_step_is_legal_and_no_death_is_assumed(
    world: list[tuple[Seen, Around]],
) -> None:
    state: Any = "queued"
    outcome: Any = ""
    for seen, about in world:
        decision = decide(move(state, outcome=outcome, at={state: about.now}), seen, about)
        if isinstance(decision, Wait):
            continue
        if decision.event == "died":
            assert not seen.alive
        if decision.event == "stop":
            assert seen.alive
            assert not about.paused
        if decision.event == "relaunch":
            assert not seen.elsewhere
            assert decision.target
        outcome = decision.outcome or outcome
        state = advance(state, decision.event)


@given(st.sampled_from(sorted(set(TRANSITIONS) - TERMINAL)), looks)
def test_from_every_state_a_quiet_world_leads_to_an_end(state: Any, seen: Seen) -> None:
    """Whatever a dead switcher left behind: looking again and again ends legally."""
    quiet = Seen(launched=True, registered=True, status="idle", taken=True, answered=True)
    now, outcome = 0.0, "idle"
    decide(move(state, outcome=outcome), seen, around())
    for _ in range(30):
        if state in TERMINAL:
            break
        look = Seen(alive=True, standing=IDLE) if state in BEFORE_DEATH else quiet
        decision = decide(move(state, outcome=outcome, prompt="x", at={state: now}), look, around(now=now))
        now += 1
        if isinstance(decision, Step):
            state = advance(state, decision.event)
    assert state in TERMINAL


def test_those_that_a_limit_stopped_go_first_and_idle_ones_last() -> None:
    sessions: Any = [("a", "idle"), ("b", "working"), ("c", "limited"), ("d", "exited")]
    assert in_order(sessions) == ["c", "b", "d", "a"]


def test_only_sessions_that_are_away_take_a_slot() -> None:
    moves = [move("holding"), move("stopping"), move("answering"), move("verified")]
    assert free_slots(moves, 2) == 1
    assert free_slots([move("at_boundary"), move("checkpointed")], 2) == 0, "they are about to be"
    assert free_slots(moves, 1) == 0
    assert not is_over(moves)


def test_sessions_at_rest_leave_one_slot_to_those_whose_boundary_is_yet_to_come() -> None:
    rests, works = move("holding", session="rests"), move("holding", session="works")
    away = move("stopping", session="away")
    assert slots([rests, works], 2, {"rests"}).has(rests)
    assert not slots([rests, works, away], 2, {"rests"}).has(rests)
    assert slots([rests, works, away], 2, {"rests"}).has(works)
    assert slots([rests, away], 2, {"rests"}).has(rests), "nobody else is to come"
    assert slots([rests, works], 1, {"rests"}).has(rests), "there is but one"


@pytest.mark.parametrize(
    ("states", "outcome"),
    [
        (["verified", "verified"], "done"),
        (["verified", "stayed"], "partial"),
        (["stayed", "stayed"], "refused"),
        (["failed", "stayed"], "failed"),
        (["parked", "verified"], "partial"),
        ([], "done"),
    ],
)
def test_a_swap_is_summed_up(states: list[str], outcome: str) -> None:
    found, sentence = conclude([move(state, why="because") for state in states], 1500)
    assert found == outcome
    assert "in 1.5 s" in sentence


def test_the_bill_of_what_moved_is_told() -> None:
    spread = conclude([move("verified", target="b"), move("verified", target="c"), move("verified", target="b")], 1)[1]
    assert spread.endswith("; 2 to b and 1 to c")
    assert "about 1.5 M tokens of context" in conclude([move("verified", bill=1_500_000), move("stayed", bill=9)], 1)[1]
    assert bill([move(bill=400), move(bill=700)]) == "about 1 k tokens of context to be cached anew"
    assert "tokens" not in conclude([move("verified", bill=0)], 1)[1]
    assert "tokens" not in conclude([move("verified", kind="restart", bill=9)], 1)[1]


def test_progress_runs_from_nothing_to_all() -> None:
    assert progress(move("queued")) == 0
    assert 0 < progress(move("leaving")) < progress(move("dead")) < 1
    assert progress(move("stayed")) == 1


def test_an_idle_session_is_told_nothing() -> None:
    assert replay("idle") == ""
    assert replay("turn") == ""


def test_a_held_prompt_is_sent_again_word_for_word_and_once() -> None:
    assert replay("idle", held_prompt="/deploy it") == "/deploy it"
    assert replay("turn", queued=["first", "same"], held_prompt="same") == "first\n\nsame"


def test_between_two_tools_it_is_told_that_nothing_was_lost() -> None:
    text = replay("tool", queued=["and this"])
    assert "Nothing was lost" in text
    assert text.endswith("Meanwhile this was written to you:\n\nand this")


def test_what_an_interrupt_cut_off_is_named() -> None:
    assert "interrupted the tool call Bash: make" in replay("interrupted", cut_off="the tool call Bash: make")
    assert "interrupted what you were doing" in replay("interrupted")
    assert "interrupted the tool call" in replay("turn", cut_off="the tool call X")


def test_after_a_limit_it_is_told_to_go_on() -> None:
    assert "stopped by the usage limit" in replay("turn", limited=True)


AT_REST = Seen(alive=True, standing=IDLE, status="idle")
FRESH: dict[str, Any] = {"kind": "fresh", "target": "a", "fresh": Fresh("new", "/q", "do it")}


def test_a_session_is_started_anew_only_while_it_is_at_rest() -> None:
    about = around(urgency="idle")
    assert step("queued", ALIVE, about, **FRESH) == "hold"
    for state, then in (("holding", "bound"), ("at_boundary", "note"), ("checkpointed", "stop")):
        assert step(state, AT_REST, about, **FRESH, outcome="idle") == then
        held = Seen(alive=True, standing=Standing("idle", "held with a prompt that has not begun"), status="busy")
        for seen in (held, Seen(alive=True, standing=NONE, status="busy"), Seen(alive=True, standing=BATCH)):
            assert step(state, seen, about, **FRESH, outcome="idle") == "withdraw", (state, seen)


def test_a_new_start_is_over_when_its_task_was_taken() -> None:
    assert step("relaunched", Seen(launched=True, registered=True), prompt="do it", **FRESH) == "wait"
    assert step("relaunched", Seen(launched=True, taken=True), prompt="do it", **FRESH) == "ready"
    assert step("relaunched", Seen(launched=False, taken=True), prompt="do it", **FRESH) == "ready", "and died of it"
    assert step("relaunched", Seen(launched=False), prompt="do it", **FRESH) == "again"
    done = move("verified", **FRESH)
    assert conclude([done], 900) == ("done", "started anew 1 of 1 sessions in 0.9 s")


# -- bringing back ---------------------------------------------------------------------------------------------


def back(seen: Seen, about: Around | None = None, state: Any = "queued", **fields: Any) -> str:
    return step(state, seen, about, kind="restore", **fields)


def test_a_crashed_session_is_brought_back_once_it_is_proven_dead_and_has_a_slot() -> None:
    assert back(Seen(server_died=True)) == back(Seen()) == "lost"
    assert back(Seen(server_died=True), around(slot=False)) == "wait"
    assert back(Seen(), around(preflight=None)) == "wait"
    assert back(Seen(), around(preflight="b is not logged in")) == "withdraw"
    assert back(Seen(), around(paused=True)) == "withdraw"
    assert back(ALIVE) == "withdraw" and back(Seen(elsewhere=(7,))) == "withdraw"


def test_a_crashed_session_is_not_in_the_new_server_yet_and_yet_can_be_closed_there() -> None:
    assert back(Seen(closed=True), state="dead") == "relaunch"
    assert back(Seen(closed=True), state="dead", launches=1) == "yield"
    assert conclude([move("verified", kind="restore", target="b", bill=2000)], 1000) == (
        "done",
        "restored 1 of 1 sessions in 1.0 s (about 2 k tokens of context to be cached anew)",
    )


def test_what_an_adopted_session_brings_along_is_read_back_and_others_bring_nothing() -> None:
    brought = Carried(args=("--verbose",), env={"A": "b"}, wrapper_pid=7, wrapper_start=8)
    assert carried(msgspec.json.encode(brought).decode()) == brought
    assert carried("") is None
