"""Ask the API for the next answer: streaming, retries, and what each kind of refusal becomes."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from failover.sim.cli import wire
from failover.sim.cli.commands import clock
from failover.sim.cli.tools import Interrupted

_TOOLS = [{"name": n, "input_schema": {"type": "object"}} for n in ("Bash", "Agent", "Read", "Edit", "Write")]
_SUBAGENT_TOOLS = [tool for tool in _TOOLS if tool["name"] != "Agent"]
_RETRY_FIRST, _RETRY_MOST = 0.5, 32.0
_PREFIX = "anthropic-ratelimit-unified-"


class Refused(Exception):
    """The API's answer ends the turn; the fields are those of the transcript's record."""

    def __init__(self, text: str, error: str, **record: Any) -> None:
        super().__init__(text)
        self.text = text
        self.error = error
        self.record = record

    @property
    def window(self) -> str | None:
        """Return the window that is used up, None where it is no usage limit."""
        return str(self.record["quotaLimits"]["rateLimitType"]) if "quotaLimits" in self.record else None

    @property
    def resets_at(self) -> float:
        """Return when the window opens again, epoch seconds."""
        return float(self.record["quotaLimits"]["resetsAt"])


@dataclass
class Asker:
    """One conversation's line to the API."""

    conversation: str
    model: str
    token: Callable[[], str | None]
    on_word: Callable[[str], None]
    on_retry: Callable[[str], None]
    stop: threading.Event = field(default_factory=threading.Event)
    limits: dict[str, Any] = field(default_factory=dict)
    _answer: wire.Answer | None = None

    def cut_off(self) -> None:
        """End the request that is under way, from another thread."""
        self.stop.set()
        if self._answer is not None:
            self._answer.close()

    def ask(self, messages: list[dict[str, Any]], agent: str | None, partial: list[str]) -> list[dict[str, Any]]:
        """Return the blocks of the next answer; words go to `partial` as they come.

        Raises Refused when the API will not answer, Interrupted when cut off.
        """
        token = self.token()
        if token is None:
            raise Refused("Not logged in · Please run /login", "authentication_failed", apiErrorStatus=None)
        headers = {"x-claude-code-session-id": self.conversation, "anthropic-version": "2023-06-01"}
        if agent is not None:
            headers["x-claude-code-agent-id"] = agent
        body = {"model": self.model, "max_tokens": 32000, "stream": True, "messages": messages,
                "tools": _TOOLS if agent is None else _SUBAGENT_TOOLS}  # fmt: skip
        most = int(os.environ.get("CLAUDE_CODE_MAX_RETRIES", "10"))
        for attempt in range(1, most + 2):
            if self.stop.is_set():
                raise Interrupted
            try:
                return self._once(token, body, headers, partial)
            except (OSError, ValueError) as error:
                if self.stop.is_set():
                    raise Interrupted from None
                refusal = Refused(f"API Error: Connection error ({error})", "unknown", apiErrorStatus=None)
            except Refused as refused:
                refusal = refused
                status = refused.record["apiErrorStatus"]
                throttled = status == 429 and refused.window is None
                again = throttled or status >= 500 or (status == 401 and attempt == 1)
                if not again:
                    raise
            if attempt > most:
                raise refusal
            wait = min(_RETRY_FIRST * 2 ** (attempt - 1), _RETRY_MOST)
            self.on_retry(f"{refusal.text} · retrying in {wait:.0f}s · attempt {attempt}/{most}")
            if self.stop.wait(wait):
                raise Interrupted
        raise AssertionError("unreachable")

    def _once(
        self, token: str, body: dict[str, Any], headers: dict[str, str], partial: list[str]
    ) -> list[dict[str, Any]]:
        answer = self._answer = wire.request("POST", "/v1/messages?beta=true", token, body, headers)
        self._note_limits(answer.headers)
        if answer.status != 200:
            raise _refusal(answer, json.loads(answer.read() or b"{}"))
        blocks: list[dict[str, Any]] = []
        arguments = ""
        partial.clear()
        for event in answer.events():
            kind = event["type"]
            if kind == "content_block_start":
                blocks.append(dict(event["content_block"]))
                arguments = ""
            elif kind == "content_block_delta" and event["delta"]["type"] == "text_delta":
                blocks[-1]["text"] += event["delta"]["text"]
                partial.append(event["delta"]["text"])
                self.on_word(event["delta"]["text"])
            elif kind == "content_block_delta":
                arguments += event["delta"]["partial_json"]
            elif kind == "content_block_stop" and blocks[-1]["type"] == "tool_use":
                blocks[-1]["input"] = json.loads(arguments or "{}")
            elif kind == "message_stop":
                answer.close()
                return blocks
        raise ConnectionError("the stream broke off")

    def _note_limits(self, headers: dict[str, str]) -> None:
        for short, name in (("5h", "five_hour"), ("7d", "seven_day")):
            used, reset = headers.get(f"{_PREFIX}{short}-utilization"), headers.get(f"{_PREFIX}{short}-reset")
            if used is not None and reset is not None:
                self.limits[name] = {"used_percentage": round(float(used) * 100, 4), "resets_at": int(reset)}


def _refusal(answer: wire.Answer, body: dict[str, Any]) -> Refused:
    error = body.get("error") or {}
    message, kind, status = str(error.get("message", "")), str(error.get("type", "")), answer.status
    common = {"requestId": answer.headers.get("request-id"), "apiErrorStatus": status, "apiErrorType": kind}
    if status == 429 and answer.headers.get(f"{_PREFIX}status") == "rejected":
        window = answer.headers[f"{_PREFIX}representative-claim"]
        resets = int(answer.headers[f"{_PREFIX}reset"])
        limits = {"status": "rejected", "resetsAt": resets, "rateLimitType": window, "isUsingOverage": False}
        title = "weekly limit" if window == "seven_day" else "5-hour limit"
        text = f"You've hit your {title} · resets {clock(resets, weekly=window == 'seven_day')}"
        record = {"apiError": "usage_limit_reached", "apiErrorParams": {"rate_limit_info": limits}}
        return Refused(text, "rate_limit", **record, quotaLimits=limits, **common)
    if status in (401, 403):
        return Refused(f"Please run /login · API Error: {status} {message}", "authentication_failed", **common)
    if status == 400 and "credit balance" in message:
        return Refused("Credit balance is too low", "billing_error", **common)
    named = {429: "rate_limit", 529: "rate_limit"}.get(status, "server_error" if status >= 500 else "invalid_request")
    return Refused(f"API Error: {status} {message}", named, **common)
