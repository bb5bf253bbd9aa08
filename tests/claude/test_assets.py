"""The two scripts that run inside a session's hooks and statusline, run as the binary runs them."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import failover.claude
from tests.claude.listener import Listener, listening
from tests.waiting import wait_for

ASSETS = Path(failover.claude.__file__).parent / "assets"
QUERY = "session=ccl-0&account=main&launch=0123456789ab"


@pytest.fixture
def socket_path(tmp_path: Path) -> Path:
    return tmp_path / "control.sock"


@pytest.fixture
def server(socket_path: Path) -> Iterator[Listener]:
    with listening(socket_path) as listener:
        yield listener


def run(
    script: str, *arguments: str, body: bytes = b'{"a": 1}', path: str | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run one of the scripts to its end; whatever it leaves behind keeps its output open and fails by the timeout."""
    env = {**os.environ, "http_proxy": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9"}
    return subprocess.run(
        ["/bin/sh", str(ASSETS / script), *arguments],
        input=body,
        capture_output=True,
        timeout=15,
        env={**env, "PATH": path} if path is not None else env,
    )


def silent(done: subprocess.CompletedProcess[bytes]) -> bool:
    return (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def path_with(folder: Path, *programs: str) -> str:
    """Return a PATH on which there is nothing but these."""
    folder.mkdir()
    for program in programs:
        found = sys.executable if program == "python3" else shutil.which(program)
        assert found is not None, f"{program} is needed for this test; install it"
        (folder / program).symlink_to(Path(found).resolve())
    return str(folder)


def test_a_hook_posts_its_body_and_stays_silent(server: Listener, socket_path: Path) -> None:
    body = '{"prompt": "Grüße\\n$(touch x) `y` \\\\ \'"}'.encode()
    assert silent(run("hook.sh", str(socket_path), QUERY, "5", body=body))
    assert server.posts == [(f"/hook?{QUERY}", body)]


def test_a_hook_posts_a_body_of_megabytes_without_a_pause(server: Listener, socket_path: Path) -> None:
    taken = []
    for body in (b"x", b"x" * 3_000_000):
        began = time.monotonic()
        assert silent(run("hook.sh", str(socket_path), QUERY, "5", body=body))
        taken.append(time.monotonic() - began)
        assert server.posts.pop() == (f"/hook?{QUERY}", body)
    assert taken[1] < taken[0] + 0.9  # a client that asks for leave first waits a second for it


@pytest.mark.parametrize("script", ["hook.sh", "statusline.sh"])
def test_nobody_listening_is_silent_and_succeeds(script: str, socket_path: Path) -> None:
    arguments = (str(socket_path), QUERY, "5") if script == "hook.sh" else (str(socket_path), QUERY)
    assert silent(run(script, *arguments))
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(socket_path))  # bound, not listening: refused
        assert silent(run(script, *arguments))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the address is put together by the module")
@pytest.mark.parametrize("script", ["hook.sh", "statusline.sh"])
def test_a_post_loads_no_module_of_perl(
    script: str, server: Listener, socket_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loading Socket would be three quarters of what a hook costs."""
    (tmp_path / "Socket.pm").write_text(f'open(my $loaded, ">", "{tmp_path}/loaded"); 1;')
    monkeypatch.setenv("PERL5LIB", str(tmp_path))
    assert silent(run(script, str(socket_path), QUERY, *(["5"] if script == "hook.sh" else [])))
    assert server.posts == [(f"/{script.removesuffix('.sh')}?{QUERY}", b'{"a": 1}')]
    assert not (tmp_path / "loaded").exists()
    socket_path.unlink()
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(socket_path))
        assert silent(run(script, str(socket_path), QUERY, *(["5"] if script == "hook.sh" else [])))
    assert (tmp_path / "loaded").exists()  # the counter-proof: where nobody answers it is tried


@pytest.mark.parametrize(
    ("script", "program"), [("hook.sh", "curl"), ("statusline.sh", "curl"), ("statusline.sh", "python3")]
)
def test_without_its_first_choice_the_next_best_does_it(
    script: str, program: str, server: Listener, socket_path: Path, tmp_path: Path
) -> None:
    arguments = (str(socket_path), QUERY, "5") if script == "hook.sh" else (str(socket_path), QUERY)
    assert silent(run(script, *arguments, path=path_with(tmp_path / "bin", program, "sh")))
    assert server.posts == [(f"/{script.removesuffix('.sh')}?{QUERY}", b'{"a": 1}')]


@pytest.mark.parametrize("script", ["hook.sh", "statusline.sh"])
def test_without_any_client_nothing_happens(script: str, server: Listener, socket_path: Path) -> None:
    arguments = (str(socket_path), QUERY, "5") if script == "hook.sh" else (str(socket_path), QUERY)
    assert silent(run(script, *arguments, path="/nonexistent"))
    assert server.posts == []


def test_a_held_hook_waits_and_is_let_go_by_the_answer(server: Listener, socket_path: Path) -> None:
    server.gate.clear()
    with subprocess.Popen(
        ["/bin/sh", str(ASSETS / "hook.sh"), str(socket_path), QUERY, "30"], stdin=subprocess.PIPE
    ) as hook:
        assert hook.stdin is not None
        hook.stdin.write(b"{}")
        hook.stdin.close()
        wait_for(lambda: server.posts, what="the post")
        assert hook.poll() is None
        server.gate.set()
        assert hook.wait(5) == 0


def test_a_hook_ends_by_itself_after_its_seconds(server: Listener, socket_path: Path) -> None:
    server.gate.clear()
    assert silent(run("hook.sh", str(socket_path), QUERY, "0.3"))


@pytest.mark.parametrize(("program", "code"), [("perl", 0), ("curl", -signal.SIGTERM)])
def test_a_held_hook_is_one_process_that_a_signal_ends(
    program: str, code: int, server: Listener, socket_path: Path, tmp_path: Path
) -> None:
    """A binary that ends tells its hooks to end, and notes one that does not do so with 0 as failed."""
    server.gate.clear()
    with subprocess.Popen(
        ["/bin/sh", str(ASSETS / "hook.sh"), str(socket_path), QUERY, "30"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PATH": path_with(tmp_path / "bin", program)},
    ) as hook:
        assert hook.stdin is not None
        hook.stdin.write(b"{}")
        hook.stdin.close()
        wait_for(lambda: server.posts, what="the post")
        assert Path(f"/proc/{hook.pid}/comm").read_text().strip() == program
        assert Path(f"/proc/{hook.pid}/task/{hook.pid}/children").read_text() == ""
        hook.terminate()
        assert hook.wait(5) == code
        assert hook.stderr is not None
        assert hook.stderr.read() == b""


def test_the_users_statusline_gets_the_same_input_and_its_output_is_shown(
    server: Listener, socket_path: Path, tmp_path: Path
) -> None:
    body = b'{"model": "$HOME `id` \\\\ \'x\' \\n"}'
    done = run("statusline.sh", str(socket_path), QUERY, f"tee '{tmp_path}/seen' >/dev/null; echo 'my line'", body=body)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"my line\n", b"")
    assert (tmp_path / "seen").read_bytes().rstrip(b"\n") == body
    assert [(path, post.rstrip(b"\n")) for path, post in server.posts] == [(f"/statusline?{QUERY}", body)]


def test_the_users_statusline_keeps_its_exit_code_and_its_errors(socket_path: Path) -> None:
    done = run("statusline.sh", str(socket_path), QUERY, "echo bad >&2; exit 3")
    assert (done.returncode, done.stdout, done.stderr) == (3, b"", b"bad\n")


def test_a_statusline_of_hundreds_of_kilobytes_arrives_whole(server: Listener, socket_path: Path) -> None:
    body = b"y" * 300_000
    done = run("statusline.sh", str(socket_path), QUERY, "wc -c", body=body)
    assert int(done.stdout) == len(body) + 1
    assert len(server.posts[0][1]) == len(body) + 1


def test_a_control_plane_that_hangs_costs_a_statusline_a_second_at_most(server: Listener, socket_path: Path) -> None:
    server.gate.clear()
    began = time.monotonic()
    done = run("statusline.sh", str(socket_path), QUERY, "echo line")
    assert done.stdout == b"line\n"
    assert time.monotonic() - began < 3


def test_without_a_statusline_of_the_users_nothing_is_printed(server: Listener, socket_path: Path) -> None:
    assert silent(run("statusline.sh", str(socket_path), QUERY))
    assert server.posts == [(f"/statusline?{QUERY}", b'{"a": 1}')]
