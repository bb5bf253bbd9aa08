"""The audit counts losses that are there, and none where there is none."""

from __future__ import annotations

from typing import Any

from failover.sim.audit import audit
from failover.sim.digest import digest_blocks, digest_messages, sha


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def call(ident: str, label: str = "") -> dict[str, Any]:
    return {"type": "tool_use", "id": ident, "name": "Bash", "input": {"command": "x", "description": label}}


def result(ident: str, words: str = "fine") -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": ident, "content": words}


class Log:
    """A log of one conversation, made request by request."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.history: list[dict[str, Any]] = []

    def says(self, *blocks: dict[str, Any]) -> Log:
        self.history.append({"role": "user", "content": list(blocks)})
        return self

    def asks(self, t: float, account: str, *answer: dict[str, Any], status: int = 200, ends: float | None = None,
             u5: tuple[float, float] = (0.1, 0.1), event: str = "end") -> Log:  # fmt: skip
        number = len(self.records)
        self.records.append(
            {"t": t, "n": number, "event": "request", "kind": "main", "conversation": "c", "account": account,
             "messages": digest_messages(self.history), "response": digest_blocks(list(answer)), "status": status,
             "u5": list(u5), "u7": [0.0, 0.0]}
        )  # fmt: skip
        end = t + 0.1 if ends is None else ends
        self.records.append({"t": end, "n": number, "event": event, "conversation": "c", "status": status})
        if status == 200 and event == "end":
            self.history.append({"role": "assistant", "content": list(answer)})
        return self


def witness(t: float, event: str, step: int = 1) -> dict[str, Any]:
    return {"t": t, "task": "t1", "step": step, "event": event, "pid": 1}


def moved() -> Log:
    log = Log().says(text("do it")).asks(1.0, "a", call("u1", "step 1 of t1"))
    return log.says(result("u1")).says(text("Continue.")).asks(5.0, "b", text("TASK-DONE t1"))


def test_a_move_that_kept_everything_counts_no_loss_and_the_time_since_the_last_sign() -> None:
    found = audit(moved().records, [witness(1.2, "start"), witness(4.0, "end")])
    assert (found.lost_turns, found.lost_tool_results, found.tools_run_twice) == (0, 0, 0)
    assert found.blackout_ms == [1000.0]
    assert found.tasks_done == ["t1"]
    assert found.moves == 1


def test_an_answer_that_the_next_request_lacks_is_a_lost_turn() -> None:
    log = Log().says(text("do it")).asks(1.0, "a", text("thoughts"))
    log.history.pop()
    log.says(text("Continue.")).asks(2.0, "b", text("ok"))
    assert audit(log.records).lost_turns == 1


def test_a_prompt_that_later_requests_lack_is_a_lost_turn() -> None:
    log = Log().says(text("do it")).asks(1.0, "a", status=429)
    log.history.clear()
    log.says(text("Continue.")).asks(2.0, "b", text("ok"))
    assert audit(log.records).lost_turns >= 1


def test_an_accepted_prompt_that_never_reached_the_api_is_a_lost_turn() -> None:
    log = Log().says(text("do it")).asks(1.0, "a", text("done"))
    assert audit(log.records, prompts=[("c", "do it")]).lost_turns == 0
    assert audit(log.records, prompts=[("c", "and this")]).lost_turns == 1


def test_an_answer_cut_off_in_the_middle_is_no_turn_that_was_completed() -> None:
    log = Log().says(text("do it")).asks(1.0, "a", text("tho"), event="disconnect")
    log.says(text("Continue.")).asks(2.0, "b", text("ok"))
    assert audit(log.records).lost_turns == 0


def test_a_result_of_unknown_outcome_is_a_lost_result_when_the_tool_had_finished() -> None:
    log = Log().says(text("do it")).asks(1.0, "a", call("u1", "step 1 of t1"))
    log.says(result("u1", "[Tool call interrupted: its outcome is unknown]")).asks(5.0, "b", text("ok"))
    assert audit(log.records, [witness(2.0, "end")]).lost_tool_results == 1
    assert audit(log.records, [witness(2.0, "start")]).lost_tool_results == 0


def test_a_result_that_was_sent_once_and_is_gone_later_is_lost() -> None:
    log = moved()
    log.history = [m for m in log.history if m["content"][0]["type"] != "tool_result"]
    log.says(text("more")).asks(9.0, "b", text("ok"))
    assert audit(log.records).lost_tool_results == 1


def test_a_step_that_ended_twice_ran_twice() -> None:
    found = audit([], [witness(1.0, "end"), witness(2.0, "end"), witness(1.0, "end", 2)])
    assert found.run_twice == [("t1", "1")]


def test_an_idle_session_is_not_counted_as_away() -> None:
    log = Log().says(text("hello")).asks(1.0, "a", text("done")).says(text("next")).asks(500.0, "b", text("ok"))
    found = audit(log.records)
    assert (found.moves, found.blackout_ms) == (1, [])


def test_a_threshold_is_crossed_once_per_rise() -> None:
    log = Log()
    for t, used in enumerate((0.5, 0.91, 0.95, 0.0, 0.92)):
        log.says(text(str(t))).asks(float(t), "a", text("ok"), u5=(used, used))
    found = audit(log.records)
    assert [c.t for c in found.crossings] == [1.0, 4.0]
    assert found.threshold_crossed == {"a": 1.0}


def test_a_process_that_shows_life_after_another_started_on_its_conversation_is_double() -> None:
    first = [{"t": 1.0, "event": "start", "pid": 1, "conversation": "c"}]
    second = {"t": 3.0, "event": "start", "pid": 2, "conversation": "c"}
    good = [*first, {"t": 2.0, "event": "exit", "pid": 1, "conversation": "c"}, second]
    bad = [*first, second, {"t": 4.0, "event": "exit", "pid": 1, "conversation": "c"}]
    assert audit([], processes=good).double_processes == []
    assert audit([], processes=bad).double_processes == [("c", 1, 2)]


def test_a_process_that_was_given_the_number_of_an_earlier_one_is_not_the_earlier_one() -> None:
    notes = [(1.0, "start", 1), (2.0, "start", 2), (3.0, "exit", 2), (4.0, "start", 1), (5.0, "turn_over", 1)]
    records = [{"t": t, "event": event, "pid": pid, "conversation": "c"} for t, event, pid in notes]
    assert audit([], processes=records).double_processes == []
    late = [*records, {"t": 4.5, "event": "exit", "pid": 2, "conversation": "c"}]
    assert audit([], processes=late).double_processes == [("c", 2, 1)]


def test_the_hash_of_a_text_ignores_white_space_at_its_ends() -> None:
    assert sha("hello limit\n") == sha("hello limit")
