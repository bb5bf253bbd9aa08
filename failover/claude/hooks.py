"""Read the body of a hook, as the binary writes it to the hook's standard input.

Field names and values measured on 2.1.330. Hooks of a sub-agent carry `agent_id`, those of the main conversation do
not. A body is another program's output: fields that are not known are ignored, those that are known must have the
right type.
"""

from __future__ import annotations

from typing import Any

import msgspec

from failover.errors import UsageError

#: Larger bodies are refused. A PostToolBatch carries whole tool results; one of 30 MB of text has been seen nowhere.
MAX_BYTES = 32 * 1024 * 1024
#: How much of a tool's input is kept by `tool_summary`, in characters.
_SUMMARY = 200
#: What best says what a tool was about to do, in this order.
_TELLING = ("command", "file_path", "path", "pattern", "url", "query", "description", "prompt")


class BackgroundTask(msgspec.Struct, frozen=True):
    """One entry of `background_tasks`. type: subagent | shell; id: agent id or shell id; status: running, …"""

    id: str = ""
    type: str = ""
    status: str = ""
    description: str = ""


class ToolCall(msgspec.Struct, frozen=True):
    """One entry of PostToolBatch's `tool_calls`; its response is not read."""

    tool_name: str = ""
    tool_input: Any = None


class HookBody(msgspec.Struct, frozen=True, kw_only=True):
    """One hook. session_id is the conversation; transcript_path lies under the config dir and is no real path.

    background_tasks: None where the hook does not say (it does in Stop and SubagentStop; the latter still lists the
    agent that is just ending). error: of StopFailure, `rate_limit` for a used-up quota and for throttling alike.
    """

    session_id: str
    hook_event_name: str
    transcript_path: str = ""
    cwd: str = ""
    prompt_id: str = ""
    agent_id: str | None = None
    agent_type: str | None = None
    prompt: str | None = None
    tool_name: str | None = None
    tool_input: Any = None
    tool_calls: tuple[ToolCall, ...] = ()
    background_tasks: tuple[BackgroundTask, ...] | None = None
    last_assistant_message: str | None = None
    error: str | None = None
    source: str | None = None
    reason: str | None = None
    notification_type: str | None = None
    message: str | None = None
    trigger: str | None = None

    @property
    def running(self) -> int | None:
        """Return how many background tasks run, the ending agent itself left out; None where the hook does not say."""
        if self.background_tasks is None:
            return None
        return sum(task.status == "running" and task.id != self.agent_id for task in self.background_tasks)

    @property
    def tool(self) -> tuple[str, str]:
        """Return name and short input of the tool (of the last one of a batch), empty strings when there is none."""
        if self.tool_calls:
            return self.tool_calls[-1].tool_name, tool_summary(self.tool_calls[-1].tool_input)
        return self.tool_name or "", tool_summary(self.tool_input)


_DECODER = msgspec.json.Decoder(HookBody)


def parse(body: bytes) -> HookBody:
    """Return the hook that `body` holds. Raises UsageError when it is none, too large or nested too deep."""
    if len(body) > MAX_BYTES:
        raise UsageError(f"hook body: {len(body)} bytes are more than {MAX_BYTES}; send the hook's own JSON")
    try:
        hook = _DECODER.decode(body)
    except RecursionError:
        raise UsageError("hook body: nested too deep; send the hook's own JSON") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UsageError(f"hook body: {error}; send the JSON object that Claude Code gives to a hook") from None
    if not hook.session_id or not hook.hook_event_name:
        raise UsageError("hook body: session_id or hook_event_name is empty; send the hook's own JSON")
    return hook


def tool_summary(tool_input: object) -> str:
    """Return one line that says what a tool was given, at most 200 characters."""
    text = ""
    if isinstance(tool_input, dict):
        text = next((value for key in _TELLING if isinstance(value := tool_input.get(key), str) and value), "")
    line = " ".join(text[: 4 * _SUMMARY].split())
    return line if len(line) <= _SUMMARY else line[: _SUMMARY - 1] + "…"
