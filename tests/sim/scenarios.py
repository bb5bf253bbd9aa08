"""Scenes that are played on the simulated and on the real CLI, and what is compared of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.sim.pane import Player, Stage
from tests.waiting import wait_for

Scene = Callable[[Player], None]


def idle_prompt(p: Player) -> None:
    p.launch()
    p.prompt("good morning")
    p.wait_hook("Stop")
    p.wait_status("idle")
    p.end()


def continued_as_the_newest(p: Player) -> None:
    idle_prompt(p)
    p.account += "2"
    p.launch(newest=True)
    p.prompt("good evening")
    p.wait_hook("Stop", 2)
    p.wait_status("idle")
    p.end()


def tool_call(p: Player) -> None:
    p.launch()
    p.prompt("MARK_BASH{echo one; echo two >&2}")
    p.wait_hook("Stop")
    p.wait_status("idle")
    p.prompt("MARK_BASH{echo bad; exit 3}")
    p.wait_hook("Stop", 2)
    p.wait_status("idle")
    p.end()


def long_sleep_refused(p: Player) -> None:
    p.launch()
    p.prompt("MARK_BASH{sleep 25; echo one}")
    p.wait_hook("Stop")
    p.wait_status("idle")
    p.end()


def stopped_in_a_tool(p: Player) -> None:
    p.launch()
    p.prompt("MARK_BASH{echo one; test -e again || { touch again; sleep 60; }; rm -f again}")
    p.wait_hook("PreToolUse")
    wait_for((p.stage.work / "again").exists, 10, "the tool to run")
    p.end()
    p.resume(p.account + "2", "Continue.")
    p.wait_hook("Stop")
    p.wait_status("idle")
    p.end()


def held_after_the_tools(p: Player) -> None:
    p.launch()
    p.hold("PostToolBatch")
    p.prompt("MARK_BASH{echo one}")
    p.wait_hook("PostToolBatch")
    p.end()
    p.release("PostToolBatch")
    p.resume(p.account + "2", "Continue.")
    p.wait_hook("Stop")
    p.wait_status("idle")
    p.end()


def held_at_stop(p: Player) -> None:
    p.launch()
    p.hold("Stop")
    p.prompt("good morning")
    p.wait_hook("Stop")
    wait_for(lambda: len(p.answers()) == 1, 10, "the answer on disk")
    p.end()
    p.release("Stop")
    p.resume(p.account + "2", "Continue.")
    p.wait_hook("Stop", 2)
    p.wait_status("idle")
    p.end()


def held_before_the_prompt(p: Player) -> None:
    p.launch()
    p.prompt("good morning")
    p.wait_hook("Stop")
    p.wait_status("idle")
    p.hold("UserPromptSubmit")
    p.prompt("good evening")
    p.wait_hook("UserPromptSubmit", 2)
    p.end()
    p.release("UserPromptSubmit")
    p.resume(p.account + "2", "Continue.")
    p.wait_hook("Stop", 2)
    p.wait_status("idle")
    p.end()


def queued_then_stopped(p: Player) -> None:
    p.launch()
    p.hold("PostToolBatch")
    p.prompt("MARK_BASH{echo one; sleep 2}")
    p.wait_hook("PreToolUse")
    p.prompt("and this too")
    p.wait_hook("UserPromptSubmit", 2)
    p.wait_hook("PostToolBatch")
    p.end()
    p.release("PostToolBatch")
    p.resume(p.account + "2", "Continue.")
    p.wait_hook("Stop")
    p.wait_status("idle")
    p.end()


def queued_and_delivered(p: Player) -> None:
    p.launch()
    p.prompt("MARK_BASH{echo one; sleep 2}")
    p.wait_hook("PreToolUse")
    p.prompt("and this too")
    p.wait_hook("Stop")
    p.wait_status("idle")
    p.prompt("MARK_SLOW{12}")
    p.wait_status("busy")
    p.prompt("and that")
    p.wait_hook("Stop", 3)
    p.wait_status("idle")
    p.end()


def background_agent(p: Player) -> None:
    p.launch()
    p.prompt("MARK_AGENT{2}")
    p.wait_hook("Stop", 2)
    p.wait_status("idle")
    p.end()


def background_shell(p: Player) -> None:
    p.launch()
    p.prompt('MARK_TOOL{Bash|{"command":"sleep 2","description":"wait","run_in_background":true}}')
    p.wait_hook("Stop")
    p.wait_status("shell")
    p.wait_hook("Stop", 2)
    p.wait_status("idle")
    p.end()


def agent_that_ends_in_a_tool(p: Player) -> None:
    p.launch()
    p.prompt("MARK_AGENT{1}")
    p.wait_hook("Stop")
    p.prompt("MARK_BASH{sleep 4; echo late}")
    p.wait_hook("Stop", 2)
    p.wait_status("idle")
    p.end()


def stopped_with_an_agent_at_work(p: Player) -> None:
    p.launch()
    p.prompt("MARK_AGENT{60}")
    p.wait_hook("Stop")
    wait_for(lambda: p.agent_hooks("PreToolUse"), 25, "the agent's tool")
    wait_for(lambda: any(r.get("subtype") == "turn_duration" for r in p.records()), 10, "the turn's end on disk")
    p.end()
    p.resume(p.account + "2", "Continue.")
    p.wait_hook("Stop", 2)
    p.wait_status("idle")
    p.end()


def stopped_with_an_agents_result_not_delivered(p: Player) -> None:
    p.launch()
    p.prompt("MARK_AGENT{1}")
    p.wait_hook("Stop")
    p.hold("PostToolBatch")
    p.prompt("MARK_BASH{sleep 4; echo late}")
    wait_for(lambda: p.count("PostToolBatch") - p.agent_hooks("PostToolBatch") == 2, 20, "the held batch")
    p.end()
    p.release("PostToolBatch")
    p.resume(p.account + "2", "Continue.")
    p.wait_hook("Stop", 2)
    p.wait_status("idle")
    p.end()


def stopped_with_a_shell_at_work(p: Player) -> None:
    p.launch()
    p.prompt('MARK_TOOL{Bash|{"command":"sleep 60","description":"wait","run_in_background":true}}')
    p.wait_hook("Stop")
    p.wait_status("shell")
    p.end()
    p.resume(p.account + "2", "Continue.")
    p.wait_hook("Stop", 2)
    p.wait_status("idle")
    p.end()


def five_hour_limit(p: Player) -> None:
    p.stage.api.account(p.account, mode="limit")
    p.launch()
    p.prompt("MARK_BASH{echo one}")
    p.wait_hook("StopFailure")
    p.wait_status("idle")
    p.end()
    p.resume(p.account + "2", "Continue.")
    p.wait_hook("Stop")
    p.wait_status("idle")
    p.end()


def weekly_limit(p: Player) -> None:
    p.stage.api.account(p.account, mode="limit7")
    p.launch()
    p.prompt("good morning")
    p.wait_hook("StopFailure")
    p.wait_status("waiting")
    wait_for(lambda: "What do you want to do?" in p.screen(), 10, "the menu")
    p.end()
    p.resume(p.account + "2", "Continue.")
    p.wait_hook("Stop")
    p.wait_status("idle")
    p.end()


def plain_throttling(p: Player) -> None:
    p.stage.api.account(p.account, mode="429plain")
    p.launch()
    p.prompt("good morning")
    wait_for(lambda: len(p.requests()) >= 3, 20, "retries")
    p.stage.api.account(p.account, mode="ok")
    p.wait_hook("Stop")
    p.wait_status("idle")
    p.end()


def logged_out_by_the_api(p: Player) -> None:
    p.stage.api.account(p.account, mode="401")
    p.launch()
    p.prompt("good morning")
    p.wait_hook("StopFailure", timeout=40)
    p.wait_status("idle")
    p.end()


def interrupted_by_a_person(p: Player) -> None:
    p.launch()
    p.prompt("MARK_BASH{touch started; sleep 60}")
    wait_for((p.stage.work / "started").exists, 15, "the tool to run")
    p.press("Escape")
    p.wait_status("idle")
    (p.stage.work / "started").unlink()
    wait_for(lambda: any(r.get("toolDenialKind") for r in p.records()), 10, "the rejection on disk")
    p.prompt("good morning")
    p.wait_hook("Stop")
    p.wait_status("idle")
    p.end()


def cleared(p: Player) -> None:
    """What is compared is the conversation that a person began in the same process."""
    p.launch()
    p.prompt("good morning")
    p.wait_hook("Stop")
    p.wait_status("idle")
    p.prompt("/clear")
    p.wait_hook("SessionEnd")
    p.turned()
    p.wait_hook("SessionStart")
    p.prompt("good evening")
    p.wait_hook("Stop")
    p.wait_status("idle")
    p.end()


SCENES: tuple[Scene, ...] = (
    idle_prompt, continued_as_the_newest, cleared, tool_call, long_sleep_refused, stopped_in_a_tool,
    held_after_the_tools, held_at_stop, held_before_the_prompt,
    queued_then_stopped, queued_and_delivered, background_agent, background_shell, agent_that_ends_in_a_tool,
    stopped_with_an_agent_at_work, stopped_with_an_agents_result_not_delivered, stopped_with_a_shell_at_work,
    five_hour_limit, weekly_limit, plain_throttling, logged_out_by_the_api, interrupted_by_a_person,
)  # fmt: skip


def play(scene: Scene, stage: Stage) -> dict[str, Any]:
    """Play a scene and return what is compared."""
    player = Player(stage, scene.__name__)
    try:
        scene(player)
    finally:
        player.done()
    main, agents = _hooks(player.hooks())
    return {
        "hooks": main,
        "agent hooks": agents,
        "hook fields": _fields(player.hooks()),
        "statuses": sorted(set(player.statuses), key=str),
        "records": _records(player.records()),
        "exits": player.exits,
        "requests": _requests(player),
    }


def _hooks(bodies: list[dict[str, Any]]) -> tuple[list[str], list[str]]:
    main: list[str] = []
    agents: list[str] = []
    for body in bodies:
        event = body["hook_event_name"]
        words = [event]
        for key in ("source", "tool_name", "error", "notification_type", "stop_hook_active", "last_assistant_message"):
            if key in body:
                words.append(_plain_time(str(body[key])))
        if "prompt" in body:
            words.append("notification" if "<task-notification>" in body["prompt"] else body["prompt"])
        words += [t["type"] for t in body.get("background_tasks", [])]
        if event == "Stop" and "<tool_use_error>" in body["last_assistant_message"]:
            words[2:3] = ["refused"]
        if event == "Stop" and "Async agent" in body["last_assistant_message"]:
            words[2:3] = ["Async agent"]
        if event == "Stop" and "Command running" in body["last_assistant_message"]:
            words[2:3] = ["Command running"]
        (agents if "agent_id" in body else main).append(" ".join(words))
    return main, agents


_EXTRA = {"seconds_since_last_response", "context_tokens", "prompt_cache_likely_expired", "estimated_cache_write_usd",
          "permission_suggestions"}  # fmt: skip


def _fields(bodies: list[dict[str, Any]]) -> dict[str, list[str]]:
    found: dict[str, set[str]] = {}
    for body in bodies:
        name = body["hook_event_name"] + (" of an agent" if "agent_id" in body else "")
        found.setdefault(name, set()).update(set(body) - _EXTRA)
    return {name: sorted(fields) for name, fields in found.items()}


_UNCOMPARED = {"mode", "permission-mode", "atis-latch", "file-history-snapshot", "cost-state", "session-owner",
               "last-prompt", "tools-used", "agent-name", "custom-title", "ai-title"}  # fmt: skip


def _records(records: list[dict[str, Any]]) -> dict[str, int]:
    kinds = []
    for record in records:
        kind = record["type"]
        if kind in _UNCOMPARED or kind.startswith("api-request"):
            continue
        if kind == "attachment":
            if record["attachment"]["type"] != "queued_command":
                continue
            kind += ":queued_command"
        elif kind == "system":
            kind += ":" + record["subtype"]
        elif kind == "queue-operation":
            kind += ":" + record["operation"]
        elif record.get("isMeta"):
            continue
        else:
            content = record["message"]["content"]
            kind += ":" + ("text" if isinstance(content, str) else content[0]["type"])
            for mark in ("apiError", "error", "toolDenialKind"):
                kind += f" {record[mark]}" if record.get(mark) else ""
        kinds.append(kind)
    return dict(sorted(Counter(kinds).items()))


def _requests(player: Player) -> list[Any]:
    found = []
    names: dict[str, str] = {}
    for request in player.requests():
        messages: list[Any] = []
        for message in request["messages"]:
            if message["role"] != "system":
                blocks = [_block(b, names) for b in message["blocks"] if not b.get("reminder")]
                messages += [(message["role"], block) for block in blocks]
        told = any(b.get("task") for m in request["messages"] for b in m["blocks"])
        answer = [_block(b, names) for b in request["response"]]
        found.append((request["account"], request["mode"], told, messages, answer))
    return found


def _block(block: dict[str, Any], names: dict[str, str]) -> Any:
    if block["type"] == "text":
        text = str(block["head"])
        for start in ("The user sent a new message while you were working:", "Done after"):
            if text.startswith(start) and any(
                s in text for s in ("\n", "Async", "Command running", "<tool_use_error>")
            ):
                return text.splitlines()[1] if "\n" in text else start
        return text
    ident = names.setdefault(str(block["id"]), f"call {len(names)}")
    if block["type"] == "tool_use":
        return ident, block["name"], block["head"]
    text = str(block["text"])
    for start in ("Async agent launched", "Command running in background", "<tool_use_error>Blocked: sleep 25"):
        text = start if text.startswith(start) else text
    return ident, text, block["error"]


def _plain_time(text: str) -> str:
    return text.partition(" · resets")[0]
