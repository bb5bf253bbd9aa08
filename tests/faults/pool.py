"""A pool that many tests of a module share, and a switcher that stops itself at a named step."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psutil

from failover import crash
from failover.host import process
from failover.host.process import ProcessId
from failover.sim.world import World
from tests.swap.actors import ended, requests, rest, roles, started, texts, work

#: For waits that a loaded machine may make long (seconds).
PATIENCE = 60.0
_numbers = itertools.count(1)


@contextmanager
def pool(
    *names: str,
    soft: str = "3m",
    asking: str = "",
    failover: Mapping[str, Any] | None = None,
    **world: Any,
) -> Iterator[World]:
    """Give a pool of two accounts, a and b, with its daemon up and its sessions idle on a.

    soft: how long a swap waits for a boundary; asking: one more session, that asks before each of its tools.
    """
    deadline = {"deadline": {"soft": soft, "hard": "3s"}, **(failover or {})}
    sessions = dict.fromkeys(names, "app") | ({asking: "strict"} if asking else {})
    with World(accounts=("a", "b"), sessions=sessions, failover=deadline, **world) as made:
        made.api.control(chunk_delay=0.01)
        if asking:
            config = json.loads(made.config_file.read_text())
            config["claude"]["args"] = []
            made.config_file.write_text(json.dumps(config))
            settings = made.projects["app"] / ".claude" / "settings.json"
            settings.parent.mkdir()
            settings.write_text('{"permissions": {"allow": ["Bash"]}}')
        made.up()
        made.launch(account="a")
        yield made


def fresh(name: str) -> str:
    """Return a name for a task that no other test of the pool has used."""
    return f"{name}-{next(_numbers)}"


def other(world: World, session: str) -> str:
    """Return the account, of a and b, that a session does not run on."""
    return "a" if world.placement(session).account == "b" else "b"


def ask(world: World, *names: str) -> None:
    """Ask each session something new, and wait for its answer."""
    words = {name: f"{next(_numbers)} last words to {name}" for name in names}
    for name, text in words.items():
        world.type(name, text)
    for name, text in words.items():
        world.wait(lambda name=name, text=text: said_to(world, name, text), f"{name} asked", PATIENCE)  # type: ignore[misc]
    rest(world, *names)


def said_to(world: World, name: str, text: str) -> bool:
    """Say whether the newest request of a session holds a text."""
    asked = requests(world, name)
    return bool(asked) and text in texts(asked[-1])


def told(world: World, name: str, text: str) -> int:
    """Return how often a text stands in the user's words of a session's newest request."""
    asked = requests(world, name)
    blocks = [
        str(block.get("head") or block.get("text") or "")
        for message in (asked[-1]["messages"] if asked else ())
        if message["role"] == "user"
        for block in message["blocks"]
    ]
    return sum(block.count(text) for block in blocks)


def ends(world: World, *tasks: str) -> list[tuple[str, int]]:
    """Return the tools of these tasks that ended, each as often as it did."""
    return [one for one in ended(world) if one[0] in tasks]


def at_work(world: World, *sessions: str, seconds: tuple[float, ...] = (2, 1)) -> list[str]:
    """Give sessions a tool after another to do; return their tasks, once each is at its first tool."""
    tasks = [fresh(name) for name in sessions]
    for name, task in zip(sessions, tasks, strict=True):
        world.type(name, work(world, task, *seconds))
    world.wait(lambda: all(started(world, task, 1) for task in tasks), "tools at work")
    return tasks


def tmux_server(world: World) -> ProcessId:
    """Return the tmux server of the pool."""
    command = ["tmux", "-L", world.socket, "display-message", "-p", "#{pid}"]
    found = process.identify(int(subprocess.run(command, capture_output=True, text=True, timeout=20).stdout))
    assert found is not None
    return found


def press(world: World, name: str, text: str) -> None:
    """Type a line into a session's pane, whatever it shows, and press Enter."""
    pane = world.tmux.panes()[name].pane_id
    world.tmux.paste(pane, text)
    world.tmux.keys(pane, "Enter")


# -- the switcher, stopped ------------------------------------------------------------------------


def up_stopping_at(world: World, point: str) -> None:
    """Start the daemon anew; its switcher stops itself the first time that it comes to `point` (STATE:after).

    Each session has had a turn since, so that nobody waits for one because hooks may have been missed meanwhile.
    """
    world.cli("down")
    (world.config.paths.run_dir / crash.MARK).unlink(missing_ok=True)
    subprocess.run(
        [sys.executable, "-c", "from failover.cli import main; main()", "up", "--wait", "60"],
        env={**world.environment(), crash.VARIABLE: f"{point}:stop"},
        check=True,
        capture_output=True,
        timeout=120,
    )
    ask(world, *world.sessions)


def stopped_switcher(world: World) -> ProcessId:
    """Wait until the switcher has stopped itself, and return it."""

    def found() -> ProcessId | None:
        one = roles(world).get("account-switcher")
        return one[1] if one and state(one[1]) == psutil.STATUS_STOPPED else None

    one = world.wait(found, "the switcher stopped at its point", PATIENCE)
    assert one is not None
    return one


def state(one: ProcessId) -> str:
    """Return the kernel's word for what a process does, empty when it is gone."""
    try:
        return str(psutil.Process(one.pid).status()) if process.alive(one) else ""
    except psutil.NoSuchProcess:
        return ""


@contextmanager
def frozen(one: ProcessId) -> Iterator[None]:
    """Stop a process for a while; it goes on afterwards, come what may."""
    assert process.send_signal(one, signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(one, signal.SIGCONT)


def go_on(one: ProcessId) -> None:
    """Let a stopped process go on."""
    assert process.send_signal(one, signal.SIGCONT)
