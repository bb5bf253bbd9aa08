"""The brain answers from the history alone."""

from __future__ import annotations

from typing import Any

from failover.sim.brain import SYNTHETIC, reply

PLAN = 'Do this. PLAN{name=t1 steps=3 command="echo {step} \\"a b\\""}'
UNKNOWN = "[Tool call interrupted: the session ended, so its outcome is unknown.]"


class Conversation:
    """A history and the brain's answers to it."""

    def __init__(self, text: str) -> None:
        self.history: list[dict[str, Any]] = [{"role": "user", "content": text}]

    def answer(self) -> str | None:
        """Let the brain answer; return the command that it runs, None for a plain text."""
        blocks = reply(self.history).blocks
        self.history.append({"role": "assistant", "content": blocks})
        call = next((b for b in blocks if b["type"] == "tool_use"), None)
        return None if call is None else call["input"].get("command", call["name"])

    @property
    def said(self) -> str:
        return str(self.history[-1]["content"][-1]["text"])

    def result(self, text: str) -> Conversation:
        ident = self.history[-1]["content"][-1]["id"]
        block = {"type": "tool_result", "tool_use_id": ident, "content": text}
        self.history.append({"role": "user", "content": [block]})
        return self

    def says(self, *texts: str) -> Conversation:
        self.history.append({"role": "user", "content": [{"type": "text", "text": t} for t in texts]})
        return self


def test_a_task_is_read_worked_off_step_by_step_and_reported_done() -> None:
    talk = Conversation("Work on .agent-queue/inbox/x.md please")
    assert talk.answer() == "cat .agent-queue/inbox/x.md"
    for step in (1, 2, 3):
        talk.result(PLAN if step == 1 else str(step))
        assert talk.answer() == f'echo {step} "a b"'
    talk.result("3")
    assert talk.answer() is None
    assert talk.said == "TASK-DONE t1"


def test_a_continued_plan_goes_on_where_the_results_end_and_repeats_a_step_of_unknown_outcome() -> None:
    talk = Conversation("Work on .agent-queue/inbox/x.md")
    talk.answer()
    talk.result(PLAN).answer()
    talk.result("1").answer()
    talk.result(UNKNOWN)
    talk.history.append({"role": "assistant", "content": [{"type": "text", "text": SYNTHETIC}]})
    talk.says("Continue with .agent-queue/inbox/x.md.")
    assert talk.answer() == 'echo 2 "a b"'


def test_a_new_task_takes_the_place_of_the_one_before() -> None:
    talk = Conversation("Work on .agent-queue/inbox/x.md")
    talk.answer()
    talk.result(PLAN).answer()
    talk.result("1").says("Work on .agent-queue/inbox/y.md")
    assert talk.answer() == "cat .agent-queue/inbox/y.md"
    talk.result("nothing to plan").says("Continue where you were.").answer()
    assert talk.says("Continue where you were.").answer() is None, "the task before is somebody else's by now"


def test_lost_results_are_seen_in_what_is_done_next() -> None:
    talk = Conversation("Work on .agent-queue/inbox/x.md")
    talk.answer()
    talk.result(PLAN).answer()
    talk.result("1").answer()
    short = Conversation("")
    short.history = talk.history[:3]
    assert short.says("Continue.").answer() == 'echo 1 "a b"'


def test_a_prompt_that_a_limit_cut_off_is_done_when_continued() -> None:
    talk = Conversation("MARK_BASH{echo ${x} {a}}\n")
    talk.history[0]["content"] = [{"type": "text", "text": talk.history[0]["content"]}]
    talk.history[0]["content"].append({"type": "text", "text": "Continue."})
    assert talk.answer() == "echo ${x} {a}"
    assert talk.result("fine").answer() is None


def test_a_text_sent_in_the_middle_of_a_turn_is_served_first_and_the_plan_goes_on() -> None:
    talk = Conversation("Work on .agent-queue/inbox/x.md")
    talk.answer()
    talk.result(PLAN).answer()
    talk.result("1")
    wrapped = "The user sent a new message while you were working:\nMARK_BASH{date}\n\nThis is how Claude Code ..."
    talk.history[-1]["content"].append({"type": "text", "text": wrapped})
    assert talk.answer() == "date"
    assert talk.result("now").answer() == 'echo 2 "a b"'


def test_equal_histories_give_equal_answers_and_seeds_keep_ids_apart() -> None:
    history = [{"role": "user", "content": "MARK_BASH{x}"}]
    assert reply(history, seed="a") == reply(history, seed="a")
    assert reply(history, seed="a").blocks[-1]["id"] != reply(history, seed="b").blocks[-1]["id"]


def test_without_the_tool_the_answer_is_a_text() -> None:
    assert reply([{"role": "user", "content": "MARK_BASH{x}"}], tools=()).stop_reason == "end_turn"


def test_slow_and_hanging_answers_say_how_long() -> None:
    assert reply([{"role": "user", "content": "MARK_SLOW{3}"}]).word_delay == 0.5
    assert reply([{"role": "user", "content": "MARK_HANG{7}"}]).hang == 7


def test_a_sub_agent_is_given_its_work_as_a_marker() -> None:
    blocks = reply([{"role": "user", "content": "MARK_AGENT{4}"}]).blocks
    assert blocks[-1]["name"] == "Agent"
    inner = reply([{"role": "user", "content": blocks[-1]["input"]["prompt"]}]).blocks
    assert inner[-1]["input"]["command"].startswith("true; sleep 4;")


def test_a_notification_is_no_text_of_a_person() -> None:
    talk = Conversation("hello")
    talk.answer()
    talk.says("<system-reminder>\n[SYSTEM NOTIFICATION - NOT USER INPUT]\n<task-notification>MARK_BASH{x}")
    assert talk.answer() is None
