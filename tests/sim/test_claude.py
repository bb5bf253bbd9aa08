"""The simulated CLI keeps to what was measured of the real one."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.sim.pane import Player, Stage
from tests.sim.scenarios import (
    agent_that_ends_in_a_tool,
    background_agent,
    five_hour_limit,
    held_after_the_tools,
    held_at_stop,
    held_before_the_prompt,
    plain_throttling,
    play,
    queued_and_delivered,
    queued_then_stopped,
    stopped_in_a_tool,
    stopped_with_an_agents_result_not_delivered,
    weekly_limit,
)
from tests.waiting import wait_for


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage(tmp_path_factory.mktemp("stage")) as made:
        yield made


def test_a_hold_after_the_tools_and_a_stop_lose_nothing_and_run_nothing_twice(stage: Stage) -> None:
    seen = play(held_after_the_tools, stage)
    account, _, _, messages, _ = seen["requests"][-1]
    assert account == "held_after_the_tools2"
    assert ("user", ("call 0", "one", False)) in messages
    assert sum(h.startswith("PreToolUse") for h in seen["hooks"]) == 1
    assert seen["exits"] == [143, 143]


def test_a_session_stopped_in_a_tool_is_told_that_the_outcome_is_unknown(stage: Stage) -> None:
    seen = play(stopped_in_a_tool, stage)
    assert any("outcome is unknown" in str(message) for message in seen["requests"][1][3])
    assert "user:tool_result interrupted" in seen["records"]


def test_a_hold_at_stop_keeps_the_whole_turn(stage: Stage) -> None:
    seen = play(held_at_stop, stage)
    assert seen["requests"][0][4][0] in [text for _, text in seen["requests"][1][3]]


def test_a_prompt_held_before_it_is_taken_is_gone_after_a_stop(stage: Stage) -> None:
    seen = play(held_before_the_prompt, stage)
    assert not any("good evening" in str(request) for request in seen["requests"])


def test_a_queued_prompt_is_delivered_into_the_turn_or_after_it_and_lost_by_a_stop(stage: Stage) -> None:
    seen = play(queued_and_delivered, stage)
    assert [h for h in seen["hooks"] if "UserPromptSubmit" in h][1] == "UserPromptSubmit and this too"
    assert seen["records"]["queue-operation:remove"] == seen["records"]["queue-operation:dequeue"] == 1
    seen = play(queued_then_stopped, stage)
    assert not any("and this too" in str(request) for request in seen["requests"])


def test_a_sub_agent_works_in_the_background_and_its_result_starts_a_turn(stage: Stage) -> None:
    seen = play(background_agent, stage)
    assert seen["hooks"].index("Stop False Async agent subagent") < seen["hooks"].index("UserPromptSubmit notification")
    assert [h.split()[0] for h in seen["agent hooks"]][::4] == ["SubagentStart", "SubagentStop"]
    assert seen["requests"][-1][2] is True


def test_a_sub_agents_result_that_comes_during_a_tool_is_delivered_only_after_the_batch(stage: Stage) -> None:
    events = [h.split()[0] for h in play(agent_that_ends_in_a_tool, stage)["hooks"]]
    assert events[-5:] == ["PostToolUse", "PostToolBatch", "UserPromptSubmit", "Stop", "SessionEnd"]


def test_a_sub_agents_result_that_was_not_delivered_is_lost_by_a_stop(stage: Stage) -> None:
    seen = play(stopped_with_an_agents_result_not_delivered, stage)
    assert seen["requests"][-1][2] is True  # told of the task, but only that it did not finish
    bodies = [json.dumps(r) for r in seen["requests"]]
    assert not any("sub-agent is done" in body.replace("echo the sub-agent is done", "") for body in bodies)


def test_limits_and_throttling_look_as_measured(stage: Stage) -> None:
    seen = play(five_hour_limit, stage)
    assert seen["requests"][0][1] == "limit"
    assert "StopFailure rate_limit You've hit your 5-hour limit" in seen["hooks"]
    assert "assistant:text usage_limit_reached rate_limit" in seen["records"]
    seen = play(weekly_limit, stage)
    assert ("waiting", "dialog open") in seen["statuses"]
    seen = play(plain_throttling, stage)
    assert [request[1] for request in seen["requests"]][:3] == ["429plain"] * 3
    assert not any(h.startswith("StopFailure") for h in seen["hooks"])


def test_a_session_at_its_limit_goes_on_by_itself_at_the_reset(stage: Stage) -> None:
    stage.api.account("armed", mode="limit", reset5_in=3)
    player = Player(stage, "armed").launch()
    player.prompt("good morning")
    player.wait_hook("StopFailure")
    stage.api.account("armed", mode="ok")
    player.wait_hook("Stop")
    player.done()
    assert player.count("UserPromptSubmit") == 2
    player.end()


def test_sigkill_leaves_the_registry_file_and_the_tool_behind_and_runs_no_hook(stage: Stage) -> None:
    player = Player(stage, "killed").launch()
    player.prompt("MARK_BASH{true; sleep 30}")
    line = wait_for(lambda: [n for n in notes(stage) if n["event"] == "tool_start" and n["pid"] == player.pid], 10)[0]
    os.kill(player.pid, signal.SIGKILL)
    wait_for(lambda: "EXIT 137" in player.screen(), 10, "the death")
    player.done()
    entry = player.entry()
    assert entry is not None and entry["status"] == "busy"
    assert Path(f"/proc/{line['child']}").exists()
    os.killpg(int(line["child"]), signal.SIGKILL)
    assert player.count("SessionEnd") == 0


def test_sigterm_kills_the_tool_and_other_signals_have_their_own_exit_codes(stage: Stage) -> None:
    for number, code in ((signal.SIGTERM, 143), (signal.SIGINT, 0), (signal.SIGHUP, 129)):
        player = Player(stage, "signals").launch()
        player.prompt("MARK_BASH{true; sleep 30}")
        mine = wait_for(partial(started, stage, player), 10, "the tool")
        assert player.end(number) == code
        assert not Path(f"/proc/{mine[0]['child']}").exists()
        assert player.entry() is None
        assert player.count("SessionEnd") == 1
        player.done()


def started(stage: Stage, player: Player) -> list[dict[str, object]]:
    return [n for n in notes(stage) if n["event"] == "tool_start" and n["pid"] == player.pid]


def test_the_command_line_refuses_what_the_real_one_refuses(stage: Stage) -> None:
    player = Player(stage, "words").launch("good morning")
    player.wait_hook("Stop")
    player.end()
    player.done()
    again = stage.run("words", "--session-id", player.conversation, "x")
    assert (again.returncode, "already in use" in again.stderr) == (1, True)
    other = stage.run("words", "--resume", "00000000-0000-4000-8000-000000000000", "x")
    assert (other.returncode, "No conversation found" in other.stderr) == (1, True)
    assert stage.run("words", "--version").stdout == "2.1.330 (Claude Code)\n"


def test_auth_status_and_usage_tell_of_the_account(stage: Stage) -> None:
    stage.api.account("told", u5=0.42, u7=0.07)
    shown = json.loads(stage.run("told", "auth", "status").stdout)
    assert (shown["loggedIn"], shown["email"]) == (True, "told@example.test")
    told = stage.run("told", "-p", "/usage").stdout
    assert told == "You are currently using your subscription to power your Claude Code usage\n", "it asks nobody here"
    (stage.account("told") / ".sim-token").unlink()
    assert not (stage.account("told").parent / "account-told" / ".credentials.json").exists()


def test_a_folder_that_is_not_trusted_is_asked_about_with_no_as_the_default(stage: Stage) -> None:
    folder = stage.account("fresh", trusted=False)
    player = Player(stage, "fresh").launch(idle=False)
    wait_for(lambda: "❯ No, exit" in player.screen(), 10, "the question")
    player.press("Enter")
    wait_for(lambda: "EXIT 1" in player.screen(), 10, "the exit")
    assert "isn't trusted" in player.screen()
    player = Player(stage, "fresh").launch(idle=False)
    wait_for(lambda: "❯ No, exit" in player.screen(), 10, "the question")
    player.press("Down")
    wait_for(lambda: "❯ Yes, I trust" in player.screen(), 10, "the other answer")
    player.press("Enter")
    player.wait_status("idle")
    assert str(stage.work) in json.loads((folder / ".claude.json").read_text())["projects"]
    player.pid = int((player.entry() or {})["pid"])
    player.end()
    player.done()


def test_a_tool_that_is_not_allowed_waits_for_a_person(stage: Stage) -> None:
    player = Player(stage, "asking").launch(skip=False)
    player.prompt("MARK_BASH{echo yes > answered}")
    player.wait_status("waiting")
    assert player.count("PermissionRequest") == 1
    player.press("Enter")
    player.wait_hook("Stop")
    assert (stage.work / "answered").read_text() == "yes\n"
    player.end()
    player.done()


def test_the_status_line_is_told_of_the_limits_after_the_first_answer(stage: Stage, tmp_path: Path) -> None:
    seen = tmp_path / "seen.jsonl"
    overlay = tmp_path / "status.json"
    command = f"cat >> {seen}; echo >> {seen}; echo the-line"
    overlay.write_text(json.dumps({"statusLine": {"type": "command", "command": command}}))
    player = Player(stage, "lined").launch("--settings", str(overlay))
    wait_for(lambda: "the-line" in player.screen(), 10, "the line in the pane")
    assert "rate_limits" not in json.loads(seen.read_text().splitlines()[0])
    player.prompt("good morning")
    last = wait_for(lambda: [x for x in map(json.loads, seen.read_text().split("\n")[:-1]) if "rate_limits" in x], 10)
    assert last[0]["rate_limits"]["five_hour"]["used_percentage"] == 10
    player.end()
    player.done()


def test_a_long_paste_arrives_wrapped_and_a_short_one_does_not(stage: Stage) -> None:
    player = Player(stage, "pasting").launch()
    player.prompt("one\ntwo\nthree")
    player.wait_hook("Stop")
    player.wait_status("idle")
    player.prompt("1\n2\n3\n4\n5")
    player.wait_hook("Stop", 2)
    prompts = [b["prompt"] for b in player.hooks() if b["hook_event_name"] == "UserPromptSubmit"]
    assert prompts[0] == "one\ntwo\nthree"
    assert prompts[1].startswith("<pasted_content")
    player.end()
    player.done()


def test_two_processes_on_one_conversation_fork_it_and_one_branch_drops_out(stage: Stage) -> None:
    first = Player(stage, "forked").launch("the root")
    first.wait_hook("Stop")
    second = Player(stage, "forked2")
    second.conversation, second.launches = first.conversation, 5
    second.launch("branch one", idle=False)
    first.wait_hook("Stop", 2)
    wait_for(lambda: "branch one" in json.dumps(first.records()), 10, "the first branch on disk")
    first.prompt("branch two")
    first.wait_hook("Stop", 3)
    wait_for(lambda: "branch two" in json.dumps(first.records()), 10, "the second branch on disk")
    third = Player(stage, "forked3")
    third.conversation, third.launches = first.conversation, 9
    third.launch("what do you know?", idle=False)
    first.wait_hook("Stop", 4)
    last = json.dumps(first.requests()[-1]["messages"])
    assert "branch two" in last and "branch one" not in last
    for player in (first, second, third):
        player.done()
    stage.tmux("kill-session", "-t", f"={first.name}")


def test_a_session_is_small(stage: Stage) -> None:
    player = Player(stage, "quick").launch()
    status = Path(f"/proc/{player.pid}/status").read_text()
    resident = int(status.partition("VmRSS:")[2].split()[0]) / 1024
    player.end()
    player.done()
    assert resident < 60


def notes(stage: Stage) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stage.log.read_text().splitlines()] if stage.log.exists() else []
