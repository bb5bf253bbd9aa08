"""A model that can be foretold: from the messages of a request to the next answer, with no memory of its own.

Everything is read from the history in the request, each time anew. A session that lost a part of its history therefore
answers differently, does a step again or never does it, and the audit sees it.

What a human text may ask for:

    MARK_BASH{cmd}           one Bash call
    MARK_TOOL{Name|json}     one call of any tool
    MARK_AGENT{n}            a background sub-agent that works for n seconds (MARK_AGENT{n|cmd}: and then runs cmd)
    MARK_SLOW{n}             an answer of n words, half a second apart
    MARK_HANG{n}             n seconds before the first byte of the answer
    a path .agent-queue/inbox/NAME.md    `cat` that file; a PLAN{name=t1 steps=3 command="..."} in it is then worked
                             off, one Bash call per answer ("{step}" stands for 1, 2, 3), and ends with "TASK-DONE t1"

Any other text goes on with what is still open, or is acknowledged in one line.
"""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Block = dict[str, Any]
Message = Mapping[str, Any]

SYNTHETIC = "No response requested."
"""What the CLI puts in the history for an answer that never came (measured on 2.1.330): no answer of the model."""

_UNKNOWN = ("Tool call interrupted", "outcome is unknown", "Request interrupted")
_REJECTED = "doesn't want to proceed"
_MIDTURN = re.compile(r"^The user sent a new message while you were working:\n(.*?)\n\nThis is how Claude Code", re.S)
_MARKER = re.compile(r"\bMARK_(BASH|TOOL|AGENT|SLOW|HANG)\{")
_TASK_FILE = re.compile(r"""(["'`])(?P<quoted>[^"'`\n]*\.agent-queue/inbox/[^"'`\n]+\.md)\1"""
                        r"""|(?P<bare>[^\s"'`]*\.agent-queue/inbox/[^\s"'`]+?\.md)(?![\w.])""")  # fmt: skip


@dataclass
class Reply:
    """The next assistant message: its content blocks, seconds between words, seconds before the first byte."""

    blocks: list[Block]
    word_delay: float | None = None
    hang: float = 0.0

    @property
    def stop_reason(self) -> str:
        """Say how the message ends, in the API's words."""
        return "tool_use" if any(b["type"] == "tool_use" for b in self.blocks) else "end_turn"


@dataclass
class _Job:
    """Something that was asked for: `calls` tool calls in a row, the first `done` of which have a result."""

    tool: str
    inputs: list[dict[str, Any]]
    done: int = 0
    plan: str | None = None
    path: str | None = None
    closed: bool = False
    paused: bool = False  # a person stopped it; only the word "continue" opens it again
    last_result: str = ""
    word_delay: float | None = None
    hang: float = 0.0
    text: str = ""

    @property
    def open(self) -> bool:
        return not self.closed and not self.paused

    @property
    def ripe(self) -> bool:
        """Say whether nothing but a closing remark is left, which can wait until the other work is done."""
        return self.done >= len(self.inputs) and not self.text and self.plan is None


@dataclass
class _State:
    jobs: list[_Job] = field(default_factory=list)
    calls: dict[str, _Job] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)  # human texts that no answer followed yet
    texts: int = 0
    results: int = 0


def reply(messages: Sequence[Message], tools: Collection[str] = ("Bash", "Agent"), seed: str = "") -> Reply:
    """Return the answer to a history; equal arguments give equal answers, tool-use ids included.

    `tools` are the names that the request offers: without the one that is needed the answer is a plain text (so side
    queries of the CLI are answered and run nothing). `seed` keeps the ids of different conversations apart.
    """
    state = _fold(messages)
    wanted = [j for j in reversed(state.jobs) if j.open and (not j.inputs or j.tool in tools)]
    job = next((j for j in wanted if not j.ripe), wanted[0] if wanted else None)
    if job is None:
        return Reply([_text(_acknowledge(state))])
    if job.done < len(job.inputs):
        ident = hashlib.sha256((seed + json.dumps(list(messages), sort_keys=True)).encode()).hexdigest()[:20]
        call = {"type": "tool_use", "id": f"toolu_sim{ident}", "name": job.tool, "input": job.inputs[job.done]}
        return Reply([_text(_announce(job)), call])
    if job.text:
        return Reply([_text(job.text)], job.word_delay, job.hang)
    if job.plan is not None:
        return Reply([_text(f"TASK-DONE {job.plan}")])
    return Reply([_text(f"Done after {state.results} results: {_head(job.last_result)}")])


def human_texts(message: Message) -> list[str]:
    """Return what a person (or a launcher's prompt) says in a user message; reminders and results are left out."""
    if message.get("role") != "user":
        return []
    found = []
    for text in _texts(message.get("content")):
        midturn = _MIDTURN.match(text)
        if midturn:
            found.append(midturn.group(1))
        elif text.strip() and not text.lstrip().startswith(("<system-reminder>", "[Request interrupted", "<task-not")):
            found.append(text)
    return found


def result_text(block: Mapping[str, Any]) -> str:
    """Return a tool_result's text."""
    return "\n".join(_texts(block.get("content")))


def is_unknown(text: str) -> bool:
    """Say whether a tool's result means that nobody knows what became of the call."""
    return any(mark in text for mark in (*_UNKNOWN, _REJECTED))


def _fold(messages: Sequence[Message]) -> _State:
    state = _State()
    for message in messages:
        content = message.get("content")
        if message.get("role") == "assistant":
            _take_answer(state, content)
        elif message.get("role") == "user":
            for block in content if isinstance(content, list) else []:
                if block.get("type") == "tool_result":
                    _take_result(state, block)
            for text in human_texts(message):
                _take_text(state, text)
    return state


def _take_answer(state: _State, content: Any) -> None:
    blocks = content if isinstance(content, list) else [{"type": "text", "text": content}]
    texts = [b.get("text", "") for b in blocks if b.get("type") == "text"]
    if all(b.get("type") == "text" for b in blocks) and "".join(texts).strip() in (SYNTHETIC, ""):
        return
    state.said.clear()
    uses = [b for b in blocks if b.get("type") == "tool_use"]
    for use in uses:
        wanted = (j for j in reversed(state.jobs) if j.open and j.done < len(j.inputs))
        job = next((j for j in wanted if _same_call(j, use)), None)
        if job is not None:
            state.calls[str(use.get("id"))] = job
    if not uses:  # a text ends the newest job that had nothing left but its text
        job = next((j for j in reversed(state.jobs) if j.open and j.done >= len(j.inputs)), None)
        if job is not None:
            job.closed = True


def _take_result(state: _State, block: Mapping[str, Any]) -> None:
    job = state.calls.get(str(block.get("tool_use_id")))
    text = result_text(block)
    if job is not None and _REJECTED in text:
        job.paused = True
    if job is None or is_unknown(text):
        return
    state.results += 1
    job.done += 1
    job.last_result = text
    if job.path is not None and job.plan is None:
        plan = _plan(text)
        if plan is not None:
            job.plan, steps = plan
            job.inputs = job.inputs + steps


def _take_text(state: _State, text: str) -> None:
    state.texts += 1
    state.said.append(text)
    if "continue" in text.lower():
        for job in state.jobs:
            job.paused = False
    jobs = list(_jobs(text))
    if not jobs:
        path = _task_path(text)
        known = [j for j in state.jobs if path is not None and j.path == path]
        again = known and (any(j.open for j in known) or "continue" in text.lower())
        if path is not None and not again:
            for job in state.jobs:  # who is given a new task has the one before no longer
                job.closed = job.closed or job.path is not None
            jobs = [_bash(f"cat {shlex.quote(path)}", "read the task", path=path)]
    state.jobs.extend(reversed(jobs))


def _jobs(text: str) -> Iterator[_Job]:
    for kind, body in _braced(text):
        if kind == "BASH":
            yield _bash(body, "run the command")
        elif kind == "TOOL":
            name, _, arguments = body.partition("|")
            try:
                value = json.loads(arguments)
            except ValueError as error:
                yield _Job("", [], text=f"MARK_TOOL{{{_head(body)}}} is not JSON: {error}")
                continue
            yield _Job(name, [value])
        elif kind == "AGENT":
            seconds, _, command = body.partition("|")
            work = f"true; sleep {seconds}; {command or 'echo the sub-agent is done'}"
            arguments_of = {"description": "background work", "prompt": f"MARK_BASH{{{work}}}"}
            yield _Job("Agent", [{**arguments_of, "subagent_type": "general-purpose"}])
        elif kind == "SLOW":
            words = " ".join(f"word{n}" for n in range(int(body)))
            yield _Job("", [], text=words, word_delay=0.5)
        else:
            yield _Job("", [], text=f"Answered after {body} s.", hang=float(body))


def _bash(command: str, description: str, path: str | None = None) -> _Job:
    return _Job("Bash", [{"command": command, "description": description}], path=path)


def _braced(text: str) -> Iterator[tuple[str, str]]:
    """Yield (kind, body) for each marker; braces inside a body are balanced."""
    position = 0
    while match := _MARKER.search(text, position):
        depth, end = 1, match.end()
        while end < len(text) and depth:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        yield match.group(1), text[match.end() : end - (depth == 0)]
        position = end


def _plan(text: str) -> tuple[str, list[dict[str, Any]]] | None:
    match = re.search(r"\bPLAN\{", text)
    if match is None:
        return None
    depth, end = 1, match.end()
    while end < len(text) and depth:
        depth += {"{": 1, "}": -1}.get(text[end], 0)
        end += 1
    try:
        pairs = dict(part.split("=", 1) for part in shlex.split(text[match.end() : end - 1]))
        name, steps, command = pairs["name"], int(pairs["steps"]), pairs["command"]
    except (ValueError, KeyError):
        return None
    return name, [
        {"command": command.replace("{step}", str(n)), "description": f"step {n} of {name}"}
        for n in range(1, steps + 1)
    ]


def _task_path(text: str) -> str | None:
    match = _TASK_FILE.search(text)
    return None if match is None else match.group("quoted") or match.group("bare")


def _same_call(job: _Job, use: Mapping[str, Any]) -> bool:
    wanted, got = job.inputs[job.done], use.get("input") or {}
    return use.get("name") in (job.tool, "Task") and all(got.get(key) == value for key, value in wanted.items())


def _announce(job: _Job) -> str:
    if job.plan is not None:
        return f"Step {job.done} of {len(job.inputs) - 1} of {job.plan}."
    return "Running it now."


def _acknowledge(state: _State) -> str:
    said = _head(state.said[-1]) if state.said else "nothing new"
    return f"Answer to text {state.texts} with {state.results} results: {said}"


def _texts(content: Any) -> list[str]:
    if isinstance(content, str):
        return [content]
    blocks = content if isinstance(content, list) else []
    return [str(b.get("text", "")) for b in blocks if isinstance(b, dict) and b.get("type") == "text"]


def _text(text: str) -> Block:
    return {"type": "text", "text": text}


def _head(text: str, limit: int = 60) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
