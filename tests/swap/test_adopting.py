"""Sessions that were started by hand or by scripts are taken on while they run, and moved like any other."""

from __future__ import annotations

import json
import shlex
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from failover.host import process
from failover.host.process import ProcessId
from failover.sim.real_cli import SHARED, environment, real_claude
from failover.sim.world import World
from failover.switcher.launcher import Launcher
from tests.swap.actors import moves, order, result, texts

SESSIONS = dict.fromkeys(("bare", "shell", "loop"), "app")


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.real)])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    binary = real_claude() if request.param == "real" else None
    with World(real=binary, accounts=("a", "b"), sessions=SESSIONS) as made:
        made.api.control(chunk_delay=0.01)
        Launcher(made.config, made.tmux).make_whole("a")  # this operator has trusted the folder and linked the tree
        yield made


def asked(world: World, conversation: str, words: str) -> bool:
    """Say whether the last request of a conversation holds these words."""
    return words in texts(world.api.requests(conversation)[-1])


def command(world: World, conversation: str, *options: str) -> str:
    """Return a shell's line that starts the binary as an operator would, under account a."""
    variables = environment(
        world.api.url, world.accounts["a"], world.home, MAX_THINKING_TOKENS="4000", GH_TOKEN="made-up"
    )
    if not world.real:
        variables["FAILOVER_SIM_LOG"] = str(world.sim_log)
    words = [str(world.command), "--session-id", conversation, "--dangerously-skip-permissions", *options]
    return shlex.join(["env", "-i", *(f"{key}={value}" for key, value in variables.items()), *words])


def begin(world: World, name: str, conversation: str) -> None:
    """Start a session as it was started before there was a daemon, and let it answer once."""
    line = command(world, conversation, "-n", f"night-{name}")
    again = line.replace("--session-id", "--resume")
    argv = {
        "bare": ["sh", "-c", f"exec {line}"],
        "shell": ["bash", "--norc", "-c", f"{line}; exec sleep 600"],
        "loop": ["sh", "-c", f"{line}; while sleep 0.01; do {again}; done"],
    }[name]
    world.tmux.new_session(name, world.projects["app"], argv)
    pane = world.tmux.panes()[name].pane_id
    # As tmux makes them: our own make theirs stay.
    world.tmux._run("set-option", "-w", "-t", pane, "remain-on-exit", "off")
    world.wait(lambda: entry(world, conversation), f"{name} in the registry", 20)
    world.wait(lambda: "❯" in world.screen(name), f"the prompt box of {name}", 60)
    world.type(name, f"good morning {name}")
    world.wait(lambda: "Answer to" in world.screen(name), f"the answer of {name}", 60)
    world.wait(lambda: entry(world, conversation).get("status") == "idle", f"{name} at rest", 60)


def entry(world: World, conversation: str) -> dict[str, object]:
    """Return the registry's entry of a conversation."""
    found = [json.loads(path.read_text()) for path in (world.shared / "sessions").glob("*.json")]
    return next((one for one in found if one["sessionId"] == conversation), {})


def screen(world: World, name: str) -> str:
    """Return what a session shows above its prompt box: hints around that come and go by themselves."""
    lines = [line for line in world.screen(name).partition("────")[0].splitlines() if "/effort" not in line]
    return "\n".join(lines).rstrip()


def living(conversation: str, world: World) -> list[ProcessId]:
    """Return the binaries on a conversation."""
    return [
        one
        for one in process.with_argument(conversation)
        if str(world.command) in process.cmdline(one)[:1] or "claude.py" in " ".join(process.cmdline(one)[:6])
    ]


def test_running_sessions_are_adopted_untouched_and_moved_with_their_own_arguments(world: World) -> None:
    conversations = {name: str(uuid.uuid4()) for name in SESSIONS}
    for name, conversation in conversations.items():
        begin(world, name, conversation)
    shown = {name: screen(world, name) for name in SESSIONS}
    pids = {name: entry(world, conversations[name])["pid"] for name in SESSIONS}
    world.up()
    world.cli("pause")
    told = json.loads(world.cli("sessions", "adopt", "--json").stdout)
    assert told["outcome"] == "done", told
    assert {part["session"]: part["action"] for part in told["detail"]["sessions"]} == dict.fromkeys(SESSIONS, "adopt")
    assert all(part["lacks"] == ["GH_TOKEN"] for part in told["detail"]["sessions"]), told
    world.cli("resume")
    world.wait(lambda: {world.state_of(name) for name in SESSIONS} == {"idle"}, "all seen idle")
    assert {name: world.placement(name).pid for name in SESSIONS} == pids
    assert "ours already" in world.cli("sessions", "adopt").stdout
    assert {name: screen(world, name) for name in SESSIONS} == shown, "a pane changed"

    attached = {name: world.tmux.panes()[name].pane_id for name in SESSIONS}
    code, said = result(order(world, "swap", "--to", "b"))
    assert code == 0, said
    assert {name: move[0] for name, move in moves(world).items()} == dict.fromkeys(SESSIONS, "verified")
    assert {name: world.tmux.panes()[name].pane_id for name in SESSIONS} == attached, "a pane is another"
    for name, conversation in conversations.items():
        placed = world.placement(name)
        assert (placed.conversation, placed.account) == (conversation, "b")
        one = ProcessId(placed.pid, placed.start)
        words = process.cmdline(one)
        assert words[words.index("-n") + 1] == f"night-{name}" and "--settings" in words
        environ = process.environ(one)
        assert environ["MAX_THINKING_TOKENS"] == "4000" and "GH_TOKEN" not in environ
        world.type(name, f"good evening {name}")
        world.wait(partial(asked, world, conversation, f"good evening {name}"), "its request")
        last = world.api.requests(conversation)[-1]
        assert last["account"] == "b" and f"good morning {name}" in texts(last)
    world.wait(lambda: {world.state_of(name) for name in SESSIONS} == {"idle"}, "all at rest")
    on = {name: {one.pid for one in living(conversation, world)} for name, conversation in conversations.items()}
    assert on == {name: {world.placement(name).pid} for name in SESSIONS}
    assert (Path(world.shared) / SHARED[0]).is_dir()


def test_what_cannot_be_adopted_is_named_and_left_alone(world: World) -> None:
    conversation = str(uuid.uuid4())
    line = command(world, conversation, "--settings", json.dumps({"theme": "dark"}))
    world.tmux.new_session("bare", world.projects["app"], ["sh", "-c", f"exec {line}"])
    world.tmux.new_session("shell", world.projects["app"], ["sleep", "600"])
    found = world.wait(lambda: entry(world, conversation), "it in the registry", 60)
    world.wait(lambda: entry(world, conversation).get("status") == "idle", "it at rest", 60)
    world.up()
    done = world.cli("sessions", "adopt", "bare", "shell", "loop", "--json", check=False)
    told = json.loads(done.stdout)
    why = {part["session"]: part["why"] for part in told["detail"]["sessions"]}
    assert done.returncode == 3
    assert "--settings" in why["bare"]
    assert "no claude runs in its pane" in why["shell"]
    assert "no tmux session" in why["loop"]
    assert not world.query("SELECT 1 FROM placements")
    assert entry(world, conversation)["pid"] == found["pid"]


def test_one_whose_shell_is_not_in_its_pane_any_more_is_left_alone() -> None:
    deadlines = {"deadline": {"soft": "2s", "hard": "1s"}}
    with World(accounts=("a", "b"), sessions=SESSIONS, failover=deadlines) as world:
        Launcher(world.config, world.tmux).make_whole("a")
        begin(world, "shell", str(uuid.uuid4()))
        world.up()
        world.cli("sessions", "adopt", "shell")
        was = world.placement("shell")
        # A person splits the window, and the new pane is the first one.
        world.tmux._run("split-window", "-b", "-t", was.pane, "sleep 600")
        assert world.tmux.panes()["shell"].pane_id != was.pane
        code, said = result(order(world, "swap", "--to", "b", "--session", "shell"))
        assert code != 0, said
        assert "not in its pane" in said
        assert world.placement("shell") == was
        assert process.alive(ProcessId(was.pid, was.start))
