"""The fake API's answers: model requests by the brain and the meters, everything else as little as the CLI needs."""

from __future__ import annotations

import json
import re
import time
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, cast

from failover.sim import brain
from failover.sim.digest import digest_blocks, digest_messages
from failover.sim.meter import ERRORS, Account, account_of

if TYPE_CHECKING:
    from failover.sim.api import Server

_MODEL = {"type": "model", "id": "claude-opus-5-5", "display_name": "Opus 5.5", "created_at": "2026-01-01T00:00:00Z"}
_USAGE = {"input_tokens": 100, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 2000}


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    @property
    def owner(self) -> Server:
        """Return the server, typed."""
        return cast("Server", self.server)

    def log_message(self, format: str, *args: Any) -> None:
        """Write nothing to stderr: the log is a file."""

    def _any(self) -> None:
        raw = self._body()
        path = self.path.split("?")[0]
        if path == "/_ctl":
            self._control(raw)
            return
        try:
            body = json.loads(raw) if raw else {}
        except ValueError:
            body = {}
        token = self.headers.get("authorization", "").removeprefix("Bearer ") or self.headers.get("x-api-key", "")
        name = account_of(token)
        number = self.owner.number()
        if path == "/v1/messages" and self.command == "POST":
            self._messages(number, name, body)
            return
        self.owner.write({"n": number, "event": "request", "method": self.command, "path": path, "account": name})
        status, answer = self._plain(number, path, name, body)
        self._send(status, answer)

    do_GET = do_POST = do_HEAD = do_PUT = do_DELETE = _any

    def _body(self) -> bytes:
        length = int(self.headers.get("content-length") or 0)
        if length:
            return self.rfile.read(length)
        whole = b""
        while "chunked" in (self.headers.get("transfer-encoding") or "").lower():
            size = int(self.rfile.readline().split(b";")[0], 16)
            whole += self.rfile.read(size)
            self.rfile.readline()
            if not size:
                break
        return whole

    def _control(self, raw: bytes) -> None:
        try:
            if raw:
                with self.owner.lock:
                    self.owner.meters.control(json.loads(raw))
        except (ValueError, TypeError, AttributeError) as error:
            self._send(400, {"error": str(error)})
            return
        self._send(200, self.owner.meters.shown())

    def _plain(self, number: int, path: str, name: str | None, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if path == "/v1/messages/count_tokens":
            return 200, {"input_tokens": 1234}
        if path.startswith("/v1/models"):
            return 200, {"data": [_MODEL], "has_more": False, "first_id": _MODEL["id"], "last_id": _MODEL["id"]}
        if path in ("/", "/api/hello"):
            return 200, {"message": "hello"}
        if path.endswith("/oauth/token"):
            time.sleep(self.owner.meters.refresh_delay)
            old = str(body.get("refresh_token", ""))
            fresh = re.sub(r"\.g\d+$", "", old) + f".g{number}"
            scope = "user:inference user:profile user:sessions:claude_code"
            tokens = {"access_token": fresh.replace("-ort01-", "-oat01-"), "refresh_token": fresh, "scope": scope}
            return 200, {"token_type": "Bearer", "expires_in": 28800, **tokens}
        if name is None:
            return 401, _error("authentication_error", "no account is known by this token", number)
        account = self.owner.meters.account(name)
        if path == "/api/oauth/usage":
            return _usage(account, number)
        if path == "/api/oauth/profile":
            return 200, _profile(name)
        return 404, _error("not_found_error", f"nothing here answers to {path}", number)

    def _messages(self, number: int, name: str | None, body: dict[str, Any]) -> None:
        arrived = time.time()
        history: list[dict[str, Any]] = body.get("messages") or []
        tools = [str(tool.get("name")) for tool in body.get("tools") or []]
        agent = self.headers.get("x-claude-code-agent-id")
        conversation = self.headers.get("x-claude-code-session-id")
        record: dict[str, Any] = {
            "t": round(arrived, 3), "n": number, "event": "request", "method": "POST", "path": "/v1/messages",
            "account": name, "conversation": conversation, "agent": agent, "model": body.get("model"),
            "kind": "side" if not tools or conversation is None else "subagent" if agent else "main",
        }  # fmt: skip
        with self.owner.lock:
            account = self.owner.meters.account(name or "nobody")
            before = (account.u5, account.u7)
            verdict = "401" if name is None else account.verdict(_ends_with_result(history))
            if verdict == "ok":
                account.charge()
            headers = account.limit_headers(verdict)
            after, delay, word = (account.u5, account.u7), account.delay, self.owner.meters.chunk_delay
        headers["request-id"] = f"req_sim{number:06d}"
        headers["anthropic-organization-id"] = f"00000000-0000-0000-0000-{_digits(name or 'nobody')}"
        record |= {"mode": verdict, "u5": [before[0], after[0]], "u7": [before[1], after[1]]}
        record["messages"] = digest_messages(history)
        time.sleep(delay)
        if verdict != "ok":
            status, kind, text = ERRORS[verdict]
            self.owner.write({**record, "status": status, "response": []})
            self._send(status, _error(kind, text, number), headers)
            self.owner.write({"n": number, "event": "end", "conversation": conversation, "status": status})
            return
        answer = brain.reply(history, tools, seed=f"{conversation}/{agent}")
        self.owner.write({**record, "status": 200, "response": digest_blocks(answer.blocks)})
        time.sleep(answer.hang)
        message = {
            "id": f"msg_sim{number:06d}", "type": "message", "role": "assistant", "model": body.get("model"),
            "content": answer.blocks, "stop_reason": answer.stop_reason, "stop_sequence": None,
            "usage": {**_USAGE, "output_tokens": 20, "service_tier": "standard"},
        }  # fmt: skip
        try:
            if body.get("stream"):
                self._stream(message, headers, word if answer.word_delay is None else answer.word_delay)
            else:
                self._send(200, message, headers)
            end = "end"
        except ConnectionError:
            end, self.close_connection = "disconnect", True
        self.owner.write({"n": number, "event": end, "conversation": conversation, "status": 200})

    def _stream(self, message: dict[str, Any], headers: dict[str, str], word_delay: float) -> None:
        self.send_response(200)
        for key, value in {"content-type": "text/event-stream", "transfer-encoding": "chunked", **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        self._event("message_start", message={**message, "content": [], "stop_reason": None})
        for index, block in enumerate(message["content"]):
            if block["type"] == "text":
                self._event("content_block_start", index=index, content_block={"type": "text", "text": ""})
                for word in re.findall(r"\S+\s*", block["text"]):
                    self._event("content_block_delta", index=index, delta={"type": "text_delta", "text": word})
                    time.sleep(word_delay)
            else:
                self._event("content_block_start", index=index, content_block={**block, "input": {}})
                whole = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
                self._event("content_block_delta", index=index, delta=whole)
            self._event("content_block_stop", index=index)
        ending = {"stop_reason": message["stop_reason"], "stop_sequence": None}
        self._event("message_delta", delta=ending, usage={"output_tokens": 20})
        self._event("message_stop")
        self.wfile.write(b"0\r\n\r\n")

    def _event(self, kind: str, **fields: Any) -> None:
        data = f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def _send(self, status: int, answer: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        data = json.dumps(answer).encode()
        self.send_response(status)
        all_headers = {"content-type": "application/json", "content-length": str(len(data)), **(headers or {})}
        for key, value in all_headers.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def _ends_with_result(history: list[dict[str, Any]]) -> bool:
    last: dict[str, Any] = next((m for m in reversed(history) if m.get("role") == "user"), {})
    content = last.get("content")
    return isinstance(content, list) and any(b.get("type") == "tool_result" for b in content)


def _error(kind: str, text: str, number: int) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": text}, "request_id": f"req_sim{number:06d}"}


def _digits(name: str) -> str:
    return f"{sum(ord(c) * 131**i for i, c in enumerate(name)) % 10**12:012d}"


def _iso(epoch: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000000+00:00", time.gmtime(epoch))


def _usage(account: Account, number: int) -> tuple[int, dict[str, Any]]:
    if account.usage in ("429", "403", "500"):
        return int(account.usage), _error("rate_limit_error", "Rate limited. Please try again later.", number)
    if account.usage != "ok":
        if account.usage == "hang":
            time.sleep(20)  # the binary waits for 5 s (measured on 2.1.330)
        return 200, {} if account.usage == "empty" else {"five_hour": "<html>"}
    windows = {
        "five_hour": {"utilization": round(account.u5 * 100, 2), "resets_at": _iso(account.reset5_at)},
        "seven_day": {"utilization": round(account.u7 * 100, 2), "resets_at": _iso(account.reset7_at)},
        **{
            f"seven_day_{model}": {"utilization": round(used * 100, 2), "resets_at": _iso(account.reset7_at)}
            for model, used in account.models.items()
        },
    }
    extra = {"is_enabled": False, "monthly_limit": None, "used_credits": None, "utilization": None}
    return 200, {**dict.fromkeys(("seven_day_opus", "seven_day_sonnet", "seven_day_oauth_apps")), **windows,
                 "extra_usage": extra}  # fmt: skip


def _profile(name: str) -> dict[str, Any]:
    account = {"uuid": f"11111111-1111-1111-1111-{_digits(name)}", "full_name": name, "display_name": name,
               "email": f"{name}@example.test", "has_claude_max": True, "has_claude_pro": False}  # fmt: skip
    organization = {"uuid": f"22222222-2222-2222-2222-{_digits(name)}", "name": f"Organisation of {name}",
                    "organization_type": "claude_max", "rate_limit_tier": "default_claude_max_5x"}  # fmt: skip
    return {"account": account, "organization": organization}
