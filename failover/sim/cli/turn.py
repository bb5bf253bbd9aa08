"""A turn: prompt, answers, tools and the hooks between them, in the order that the real one has."""

from __future__ import annotations

import re
import threading
import time
import uuid
from typing import Any

from failover.sim.cli.ask import Asker, Refused
from failover.sim.cli.screen import Dialog
from failover.sim.cli.session import Background, Queued, Session
from failover.sim.cli.tools import REJECTED, Interrupted, bash_response
from failover.sim.cli.transcript import Transcript

_READ_ONLY = ("cat ", "ls", "echo ", "sleep ", "pwd", "true")
_BASH_TIMEOUT = 120.0
_LONG_SLEEP = 25  # a leading sleep of 25 s is refused, one of 20 s is not (measured on 2.1.330)


class Actor:
    """One chain of requests: the main conversation, or a sub-agent with its `agent` id."""

    def __init__(self, session: Session, transcript: Transcript, asker: Asker, agent: str | None = None) -> None:
        self.session = session
        self.transcript = transcript
        self.asker = asker
        self.agent = agent
        self.calls = 0

    def work(self) -> str:
        """Ask and use tools until an answer uses none; return its text. Raises Refused and Interrupted."""
        session = self.session
        while True:
            partial: list[str] = []
            try:
                if self.agent is None:
                    session.screen.say("● ")
                blocks = self.asker.ask(self.transcript.messages, self.agent, partial)
            except Interrupted:
                if partial and not session.ending:  # Esc keeps what was streamed, SIGTERM does not
                    text = [{"type": "text", "text": "".join(partial)}]
                    self.transcript.answer(text, session.options.model, isAbortedMidStream=True, madeBy="model")
                raise
            self.transcript.answer(blocks, session.options.model, madeBy="model", effort="medium")
            session.status_line.changed()
            uses = [b for b in blocks if b["type"] == "tool_use"]
            if not uses:
                return "\n".join(b["text"] for b in blocks if b["type"] == "text")
            done = [self._use(use) for use in uses]
            session.hook("PostToolBatch", self.agent, tool_calls=done)
            self._check()
            if self.agent is None:
                absorb(session)

    def _use(self, use: dict[str, Any]) -> dict[str, Any]:
        """Run one tool with its hooks and record the result."""
        session, ident, name, given = self.session, str(use["id"]), str(use["name"]), use["input"]
        self.calls += 1
        shown = {"tool_name": name, "tool_input": given, "tool_use_id": ident}
        if self.agent is None:
            session.screen.say(f"  {name}({given.get('command') or given.get('description') or ''})")
        refusal = _long_sleep(name, given)
        if refusal is not None:  # no PreToolUse, no PostToolUse; PostToolBatch comes all the same
            self.transcript.result(ident, refusal, True, promptId=session.prompt_id, toolUseResult=refusal)
            return {**shown, "tool_response": refusal}
        before = session.hook("PreToolUse", self.agent, name, **shown)
        self._check()
        began = time.monotonic()
        response: dict[str, Any] = {}
        try:
            if before.blocked is not None:
                content, error = before.blocked, True
            else:
                self._permit(name, given)
                content, response, error = self._run(ident, name, given)
        except Interrupted:
            if not session.ending:
                self.transcript.result(ident, REJECTED, True, toolUseResult="User rejected tool use",
                                       toolDenialKind="user-rejected")  # fmt: skip
            raise Interrupted(" for tool use") from None
        took = int((time.monotonic() - began) * 1000)
        if error:
            session.hook("PostToolUseFailure", self.agent, name, **shown, error=content, is_interrupt=False,
                         duration_ms=took)  # fmt: skip
        else:
            session.hook("PostToolUse", self.agent, name, tool_response=response, duration_ms=took, **shown)
        self.transcript.result(ident, content, error, promptId=session.prompt_id, sandboxed=False,
                               toolUseResult=f"Error: {content}" if error else response)  # fmt: skip
        self._check()
        return {**shown, "tool_response": content}

    def _run(self, ident: str, name: str, given: dict[str, Any]) -> tuple[Any, dict[str, Any], bool]:
        """Return (content for the model, response for hooks, whether it failed)."""
        if name in ("Agent", "Task") and self.agent is None:
            return launch_agent(self.session, ident, given)
        if name != "Bash":
            return f"Error: No such tool available: {name}", {}, True
        command = str(given.get("command", ""))
        if given.get("run_in_background"):
            return launch_shell(self.session, ident, command, str(given.get("description", command)))
        timeout = float(given.get("timeout", _BASH_TIMEOUT * 1000)) / 1000
        code, out = self.session.shells.run(ident, command, timeout, self.agent)
        if code:
            return f"Exit code {code}\n{out}".rstrip(), {}, True
        return out or "(Bash completed with no output)", bash_response(out), False

    def _permit(self, name: str, given: dict[str, Any]) -> None:
        session, command = self.session, str(given.get("command", ""))
        harmless = name != "Bash" or (command.startswith(_READ_ONLY) and not set(command) & set(">;|&`$"))
        allowed = name in session.settings.allow or session.options.mode in ("bypassPermissions", "auto", "dontAsk")
        if allowed or harmless:
            return
        session.hook("PermissionRequest", self.agent, name, tool_name=name, tool_input=given)
        later = threading.Timer(6.0, session.hook, ("Notification",), {
            "message": "Claude needs your permission", "notification_type": "permission_prompt"})  # fmt: skip
        later.daemon = True
        later.start()
        dialog = Dialog([f" {name} command", "", f"   {command}", "", " Do you want to proceed?"], ["1. Yes", "2. No"])
        answer = session.ask_user(dialog, "permission prompt")
        later.cancel()
        if answer != 0:
            raise Interrupted

    def _check(self) -> None:
        if self.session.ending or self.asker.stop.is_set():
            raise Interrupted


def _long_sleep(name: str, given: dict[str, Any]) -> str | None:
    leading = re.match(r"\s*sleep (\d+)\b", str(given.get("command", "")))
    if name != "Bash" or leading is None or given.get("run_in_background") or int(leading[1]) < _LONG_SLEEP:
        return None
    return f"<tool_use_error>Blocked: {leading[0].strip()}. To wait for a condition, use Monitor.</tool_use_error>"


def absorb(session: Session) -> None:
    """Deliver what was queued into the running turn, after a batch of tools."""
    with session.lock:
        items, session.queue[:] = list(session.queue), []
    for item in items:
        if not item.hooked:
            session.hook("UserPromptSubmit", prompt=item.text)
        delivery = str(uuid.uuid4())
        session.transcript.plain("queue-operation", operation="remove", content=item.text, reason="absorbed_mid_turn",
                                 deliveryId=delivery)  # fmt: skip
        session.transcript.attachment(
            "queued_command", prompt=item.text, delivery_id=delivery,
            commandMode="task-notification" if item.notification else "prompt",
        )  # fmt: skip
        session.screen.say(f"❯ {item.text.splitlines()[0]}")
        session.note("prompt_accepted", text=item.text[:200], how="absorbed")
    if items:
        session.show_status()


def launch_agent(session: Session, ident: str, given: dict[str, Any]) -> tuple[Any, dict[str, Any], bool]:
    """Start a sub-agent in the background and return at once."""
    agent = "a" + uuid.uuid4().hex[:16]
    description, prompt = str(given.get("description", "")), str(given.get("prompt", ""))
    path = session.path.with_suffix("") / "subagents" / f"agent-{agent}.jsonl"
    actor = Actor(session, Transcript(path, session.common, agent), session.asker(_nothing, _nothing), agent)
    with session.lock:
        session.tasks[agent] = Background(agent, "subagent", description)
    session.hook("SubagentStart", agent)
    threading.Thread(target=_agent, args=(actor, ident, prompt, description), daemon=True).start()
    output = str(session.task_output(agent))
    text = (
        f"Async agent launched successfully.\nagentId: {agent}\nThe agent is working in the background. "
        f"You will be notified automatically when it completes.\noutput_file: {output}"
    )
    response = {"isAsync": True, "status": "async_launched", "agentId": agent, "description": description,
                "prompt": prompt, "outputFile": output}  # fmt: skip
    return [{"type": "text", "text": text}], response, False


def _agent(actor: Actor, ident: str, prompt: str, description: str) -> None:
    session, began = actor.session, time.monotonic()
    actor.transcript.user(prompt)
    status = "completed"
    try:
        said = actor.work()
    except Refused as refused:
        said, status = refused.text, "failed"
    except Interrupted:
        return
    actor.transcript.flush()
    session.hook("SubagentStop", actor.agent, stop_hook_active=False, agent_transcript_path=str(actor.transcript.path),
                 last_assistant_message=said, background_tasks=session.background(), session_crons=[])  # fmt: skip
    took = int((time.monotonic() - began) * 1000)
    usage = f"<usage><tool_uses>{actor.calls}</tool_uses><duration_ms>{took}</duration_ms></usage>"
    notify(
        session, str(actor.agent), ident, status, f'Agent "{description}" finished', f"<result>{said}</result>\n{usage}"
    )


def launch_shell(session: Session, ident: str, command: str, description: str) -> tuple[Any, dict[str, Any], bool]:
    """Start a command in the background and return at once."""
    task = "b" + uuid.uuid4().hex[:8]
    child = session.shells.start(ident, command, None, background=True)
    with session.lock:
        session.tasks[task] = Background(task, "shell", description, command)

    def wait() -> None:
        try:
            if child.stdout is not None:
                child.stdout.read()
            code = session.shells.finish(child, ident, None)
        except Interrupted:
            return
        summary = f'Background command "{description}" completed (exit code {code})'
        notify(session, task, ident, "completed" if code == 0 else "failed", summary, "")

    threading.Thread(target=wait, daemon=True).start()
    text = f"Command running in background with ID: {task}. Output is being written to: {session.task_output(task)}."
    return text, {**bash_response(""), "backgroundTaskId": task}, False


def notify(session: Session, task: str, ident: str, status: str, summary: str, more: str) -> None:
    """Tell the main conversation that a background task ended; it starts a turn of its own when nothing runs."""
    lines = [f"<task-id>{task}</task-id>", f"<tool-use-id>{ident}</tool-use-id>",
             f"<output-file>{session.task_output(task)}</output-file>", f"<status>{status}</status>",
             f"<summary>{summary}</summary>", *([more] if more else [])]  # fmt: skip
    text = "\n".join(["<task-notification>", *lines, "</task-notification>"])
    with session.lock:
        session.tasks.pop(task, None)
        session.enqueue(Queued(text, "system", notification=True))


def _nothing(_: str) -> None: ...
