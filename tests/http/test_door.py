"""The hooks' door knows word for word what our script sends; what it does not know the application takes."""

from __future__ import annotations

import json
import re
import signal
import socket
import sqlite3
import subprocess
import threading
from contextlib import closing
from pathlib import Path

import pytest

from failover.http.door import _OURS
from failover.store import usage
from tests.http.plane import CONVERSATION, LAUNCH, ROOT, Plane
from tests.http.test_hooks import SAMPLE, WHO, unwritable, wait_until_held
from tests.waiting import wait_for

SCRIPT = ROOT / "failover" / "claude" / "assets" / "hook.sh"


def hook(where: Path, body: dict[str, object], route: str = "hook") -> subprocess.Popen[bytes]:
    """Call as a session does."""
    process = subprocess.Popen(["sh", SCRIPT, where, WHO, "30", route], stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(json.dumps(body).encode())
    process.stdin.close()
    return process


def body(name: str, **fields: object) -> dict[str, object]:
    return {"session_id": CONVERSATION, "hook_event_name": name, "cwd": "/x", **fields}


def raw(control: Plane, text: bytes) -> bytes:
    """Send bytes at once and return the whole answer."""
    with closing(socket.socket(socket.AF_UNIX)) as link:
        link.settimeout(20)
        link.connect(str(control.paths.control_socket))
        link.sendall(text)
        parts = []
        while part := link.recv(65536):
            parts.append(part)
        return b"".join(parts)


def request(text: bytes, path: str = f"/hook?{WHO}") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: failover\r\nContent-Type: application/json\r\nConnection: close\r\n"
    return f"{head}Content-Length: {len(text)}\r\n\r\n".encode() + text


def test_the_door_knows_what_the_script_sends(tmp_path: Path) -> None:
    sent: list[bytes] = []

    def listen(bound: socket.socket) -> None:
        link, _ = bound.accept()
        with link:
            sent.append(link.recv(65536))
            link.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    with closing(socket.socket(socket.AF_UNIX)) as bound:
        bound.bind(str(tmp_path / "s"))
        bound.listen()
        bound.settimeout(20)
        for route in ("hook", "statusline"):
            thread = threading.Thread(target=listen, args=(bound,))
            thread.start()
            assert hook(tmp_path / "s", body("Stop"), route).wait(20) == 0
            thread.join(20)
    for told, way in zip(sent, (b"hook", b"statusline"), strict=True):
        found = _OURS.match(told)
        assert found is not None, told
        assert (found[1], found[2], json.loads(told[found.end() :])) == (way, WHO.encode(), body("Stop"))
        assert int(found[3]) == len(told) - found.end()


def test_a_hook_and_a_statusline_of_the_script_are_written(control: Plane) -> None:
    assert hook(control.paths.control_socket, body("SessionStart", source="startup")).wait(20) == 0
    assert hook(control.paths.control_socket, body("UserPromptSubmit", prompt="do it")).wait(20) == 0
    assert (control.activity().turn, control.activity().launch) == (True, LAUNCH)
    assert hook(control.paths.control_socket, {"session_id": CONVERSATION, **SAMPLE}, "statusline").wait(20) == 0
    (row,) = usage.statuslines(control.store)
    assert (row.session, row.account, row.conversation) == ("s-0", "a", CONVERSATION)


def test_a_hook_of_the_script_is_held_until_its_hold_is_lifted(control: Plane) -> None:
    control.set_hold()
    hook(control.paths.control_socket, body("SessionStart", source="startup")).wait(20)
    waiting = hook(control.paths.control_socket, body("PostToolBatch"))
    wait_until_held(control)
    assert waiting.poll() is None
    control.lift_hold()
    assert waiting.wait(20) == 0
    wait_for(lambda: not control.activity().held, what="the activity to be released")


def test_a_script_that_is_killed_is_held_no_more(control: Plane) -> None:
    control.set_hold()
    hook(control.paths.control_socket, body("SessionStart", source="startup")).wait(20)
    waiting = hook(control.paths.control_socket, body("PostToolBatch"))
    wait_until_held(control)
    waiting.kill()
    waiting.wait(20)
    wait_for(lambda: not control.activity().held, what="the activity to be released")


def test_a_control_plane_that_is_stopped_lets_the_script_go_first(control: Plane) -> None:
    control.set_hold()
    hook(control.paths.control_socket, body("SessionStart", source="startup")).wait(20)
    waiting = hook(control.paths.control_socket, body("PostToolBatch"))
    wait_until_held(control)
    assert control.stop(signal.SIGTERM) == 0
    assert waiting.wait(20) == 0
    assert not control.activity().held


def test_what_is_wrong_is_said_at_the_door_too(control: Plane) -> None:
    for wrong, path, words in (
        (b"{", f"/hook?{WHO}", b"hook"),
        (b"{}", f"/statusline?{WHO}", b"no statusline"),
        (b"{}", "/hook?session=../x&account=a&launch=b", b"session"),
    ):
        assert re.match(rb"HTTP/1\.1 400 Bad Request\r\n.*" + words, raw(control, request(wrong, path)), re.DOTALL)
    with unwritable(control):
        answer = raw(control, request(json.dumps(body("Stop")).encode()))
    assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert raw(control, request(json.dumps(body("Stop")).encode())).startswith(b"HTTP/1.1 204 ")


@pytest.mark.parametrize("size", [100, 300_000], ids=["small", "large"])
def test_a_hook_in_pieces_is_taken_by_the_application(control: Plane, size: int) -> None:
    text = json.dumps(body("Stop", last_assistant_message="x" * size)).encode()
    whole = request(text)
    with closing(socket.socket(socket.AF_UNIX)) as link:
        link.settimeout(20)
        link.connect(str(control.paths.control_socket))
        link.sendall(whole[:50])
        wait_for(lambda: _read(link), what="the first piece to be read")
        link.sendall(whole[50:])
        assert link.recv(1000).startswith(b"HTTP/1.1 204 ")
    assert control.activity().last_hook == "Stop"


def _read(link: socket.socket) -> bool:
    """Say whether all that was sent was read."""
    import fcntl
    import struct
    import termios

    return bool(struct.unpack("i", fcntl.ioctl(link, termios.TIOCOUTQ, b"\0" * 4))[0] == 0)


def test_other_requests_are_answered_behind_the_door(control: Plane) -> None:
    assert raw(control, b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 200 ")
    assert raw(control, b"rubbish\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    # More than one request says of itself is no hook of ours.
    assert raw(control, request(b"{}") + b"more").startswith(b"HTTP/1.1 400 ")


def test_whoever_connects_and_says_nothing_is_let_go(control: Plane) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as link:
        link.settimeout(20)
        link.connect(str(control.paths.control_socket))
        assert link.recv(1) == b""


def test_the_store_is_the_same_by_either_way(control: Plane) -> None:
    """What differs between the two ways is only how a hook comes in."""
    text = json.dumps(body("PreToolUse", tool_name="Bash", tool_input={"command": "make"})).encode()
    assert raw(control, request(text)).startswith(b"HTTP/1.1 204 ")
    assert control.request("POST", f"/hook?{WHO}", text)[0] == 204
    with closing(sqlite3.connect(control.paths.store)) as connection:
        one, other = connection.execute("SELECT session, account, launch, conversation, hook, body FROM hook_calls")
    strip = re.compile(r'"at_ms":\d+')
    assert [strip.sub("", str(part)) for part in one] == [strip.sub("", str(part)) for part in other]
