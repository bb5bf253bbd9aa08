"""tmux, driven by us and watched through libtmux, on a server of its own."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import libtmux
import pytest

from failover.errors import HostError
from failover.host.process import alive, identify, send_signal
from failover.host.tmux import Screen, Tmux
from tests.places import short_dir
from tests.waiting import wait_for

_numbers = itertools.count(1)


@pytest.fixture
def tmux() -> Iterator[Tmux]:
    name = f"cf-test-{os.getpid()}-{next(_numbers)}"
    yield Tmux(name, conf="/dev/null")
    subprocess.run(["tmux", "-L", name, "kill-server"], capture_output=True, timeout=5)


def server_pid(tmux: Tmux) -> int:
    command = ["tmux", "-L", tmux.socket_name, "display-message", "-p", "#{pid}"]
    return int(subprocess.run(command, capture_output=True, text=True, timeout=5).stdout)


def test_no_server_means_no_panes(tmux: Tmux) -> None:
    assert not tmux.server_alive()
    assert tmux.panes() == {}
    tmux.kill_session("ccl-0")


def test_a_session_is_made_as_asked(tmux: Tmux, tmp_path: Path) -> None:
    pane = tmux.new_session("ccl-0", tmp_path, ["sleep", "60"], width=120, height=40)
    (seen,) = libtmux.Server(socket_name=tmux.socket_name).sessions
    assert seen.name == pane.session == "ccl-0"
    watched = seen.active_window.active_pane
    assert watched is not None
    assert (watched.pane_id, watched.pane_pid) == (pane.pane_id, str(pane.pid))
    assert (watched.pane_width, watched.pane_current_path) == ("120", str(tmp_path))
    assert tmux.panes() == {"ccl-0": pane}
    assert tmux.server_alive()


def test_a_taken_name_is_refused(tmux: Tmux, tmp_path: Path) -> None:
    tmux.new_session("ccl-0", tmp_path, ["sleep", "60"])
    with pytest.raises(HostError, match="duplicate session: ccl-0"):
        tmux.new_session("ccl-0", tmp_path, ["sleep", "60"])


def test_names_are_exact(tmux: Tmux, tmp_path: Path) -> None:
    tmux.new_session("ccl-10", tmp_path, ["sleep", "60"])
    tmux.kill_session("ccl-1")
    assert list(tmux.panes()) == ["ccl-10"]
    tmux.kill_session("ccl-10")
    assert tmux.panes() == {}


def test_names_and_paths_are_data(tmux: Tmux, tmp_path: Path) -> None:
    odd = tmp_path / "#{pid} #(touch boom);"
    odd.mkdir()
    pane = tmux.new_session("a #{pid} b;", odd, ["sh", "-c", "pwd; exec sleep 60;"])
    assert pane.session == "a #{pid} b;"
    wait_for(lambda: "#(touch boom);" in tmux.capture(pane.pane_id).replace("\n", ""), what="the path")
    assert list(tmux.panes()) == ["a #{pid} b;"]
    tmux.kill_session("a #{pid} b;")
    assert tmux.panes() == {}


def test_a_pane_gets_nothing_of_the_daemons_environment(
    tmux: Tmux, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUPERVISOR_ENABLED", "1")
    monkeypatch.setenv("CLAUDE_FAILOVER_PARENT", "1")
    pane = tmux.new_session("ccl-0", tmp_path, ["sh", "-c", "env; echo END; exec sleep 60"])
    wait_for(lambda: "END" in tmux.capture(pane.pane_id), what="the environment")
    assert "SUPERVISOR_" not in tmux.capture(pane.pane_id)
    assert "CLAUDE_FAILOVER_" not in tmux.capture(pane.pane_id)


def test_the_users_directory_for_sockets_is_kept(tmux: Tmux, monkeypatch: pytest.MonkeyPatch) -> None:
    with short_dir() as place:
        monkeypatch.setenv("TMUX_TMPDIR", str(place))
        monkeypatch.setenv("TMUX", "/nowhere/default,1,0")
        tmux.new_session("ccl-0", place, ["sleep", "60"])
        assert (place / f"tmux-{os.getuid()}" / tmux.socket_name).is_socket()
        tmux.kill_session("ccl-0")


def test_a_pane_whose_process_ended_stays(tmux: Tmux, tmp_path: Path) -> None:
    pane = tmux.new_session("ccl-0", tmp_path, ["false", "x"])
    wait_for(lambda: tmux.panes()["ccl-0"].dead, what="the dead pane")
    assert tmux.panes()["ccl-0"].pane_id == pane.pane_id


def test_a_pane_whose_process_lives_is_not_respawned(tmux: Tmux, tmp_path: Path) -> None:
    pane = tmux.new_session("ccl-0", tmp_path, ["sleep", "60"])
    with pytest.raises(HostError, match="still active"):
        tmux.respawn(pane.pane_id, tmp_path, ["sleep", "61"])
    assert identify(pane.pid) is not None


def kill(pid: int) -> None:
    process = identify(pid)
    assert process is not None
    send_signal(process, signal.SIGKILL)
    wait_for(lambda: not alive(process), what="its death")


def test_a_pane_is_respawned_at_once_after_its_process_died(tmux: Tmux, tmp_path: Path) -> None:
    pane = tmux.new_session("ccl-0", tmp_path, ["sleep", "60"])
    for _ in range(5):
        kill(pane.pid)
        again = tmux.respawn(pane.pane_id, tmp_path, ["sleep", "60"])
        assert (again.pane_id, again.dead) == (pane.pane_id, False)
        assert again.pid != pane.pid
        pane = again


def test_a_paste_is_bracketed_and_not_submitted(tmux: Tmux, tmp_path: Path) -> None:
    pane = tmux.new_session("ccl-0", tmp_path, ["sh", "-c", "printf '\\033[?2004h'; echo ready; exec cat -v"])
    wait_for(lambda: "ready" in tmux.capture(pane.pane_id), what="the reader")
    tmux.paste(pane.pane_id, "grüße; #{pid}")
    wait_for(lambda: "grüße; #{pid}" in tmux.capture(pane.pane_id), what="the echo")
    assert tmux.capture(pane.pane_id).count("#{pid}") == 1
    tmux.keys(pane.pane_id, "Enter")
    wait_for(lambda: "^[[200~" in tmux.capture(pane.pane_id).partition("#{pid}")[2], what="the line as it was read")
    assert libtmux.Server(socket_name=tmux.socket_name).cmd("list-buffers").stdout == []


def test_a_screen_says_whose_it_is(tmux: Tmux, tmp_path: Path) -> None:
    assert tmux.screen("%0") is None
    pane = tmux.new_session("ccl-0", tmp_path, ["sh", "-c", "printf '1 2\\n\\n3'; exec sleep 60"])
    wait_for(lambda: "3" in tmux.capture(pane.pane_id), what="the text")
    shown = tmux.screen(pane.pane_id)
    assert shown == Screen(pane.pid, False, tmux.capture(pane.pane_id))
    assert shown.text.splitlines()[:3] == ["1 2", "", "3"]
    kill(pane.pid)
    wait_for(lambda: (shown := tmux.screen(pane.pane_id)) and shown.dead, what="the dead pane")
    assert tmux.screen("%77") is None


def test_a_pane_that_is_gone_is_an_error(tmux: Tmux, tmp_path: Path) -> None:
    tmux.new_session("ccl-0", tmp_path, ["sleep", "60"])
    for action in (lambda: tmux.capture("%77"), lambda: tmux.paste("%77", "x"), lambda: tmux.keys("%77", "Enter")):
        with pytest.raises(HostError, match="can't find pane"):
            action()
    assert libtmux.Server(socket_name=tmux.socket_name).cmd("list-buffers").stdout == []


def test_a_missing_tmux_is_named(tmux: Tmux, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(HostError, match="install tmux"):
        tmux.panes()
