"""A project, a store, and sessions that are a small program in a tmux server of the test's own.

The test plays the binary's hooks and the session-watcher by writing their rows; the dispatcher is the real one.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import signal
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import msgspec

from failover.clock import SystemClock
from failover.config import Config, load
from failover.core.move import Move
from failover.core.session import HookCall
from failover.events import Envelope, SessionStateChanged, subject
from failover.host import process
from failover.host.process import ProcessId
from failover.host.tmux import Tmux
from failover.runtime import Host
from failover.sim import typist
from failover.store import events, fresh, hooks, orders, sessions, swaps
from failover.store.db import Store, Transaction
from failover.store.sessions import Placement, Sighting
from tests.waiting import wait_for
from workers.dispatcher import Dispatcher

TYPIST = Path(typist.__file__)


class Floor:
    """Everything that a dispatcher stands on."""

    def __init__(self, folder: Path, sessions: int = 1, serves: str = "[]", **dispatch: Any) -> None:
        self.folder = folder
        self.project = folder / "app"
        self.inbox = self.project / ".agent-queue" / "inbox"
        self.done, self.failed = self.inbox.parent / "done", self.inbox.parent / "failed"
        self.inbox.mkdir(parents=True)
        self.other = folder / "other"
        self.other.mkdir()
        socket = f"failover-test-{uuid.uuid4().hex[:10]}"
        file = folder / "config.yaml"
        file.write_text(
            "version: 1\nstate_dir: state\nshared_dir: shared\n"
            "accounts:\n  - {name: main, config_dir: a}\n  - {name: backup, config_dir: b}\n"
            f"projects: [app, other]\n"
            f"sessions: [{{name: 's-{{0..{sessions - 1}}}', project: app, serves: {serves}}}]\n"
            f"tmux: {{socket: {socket}}}\ndispatch: {json.dumps({'submit_timeout': '1s', **dispatch})}\n"
        )
        self.config: Config = load(file, {"HOME": str(folder)})
        self.config.paths.ensure()
        self.store = Store.open(self.config.paths.store, "test", "boot")
        self.tmux = Tmux(socket, conf="/dev/null")
        self.names = [spec.name for spec in self.config.sessions]
        self.dispatcher = self.start()
        self._told = 0  # the last event that it heard
        for name in self.names:
            self.launch(name)

    def start(self) -> Dispatcher:
        """Start a dispatcher, as after a restart of the role."""
        own = process.identify(os.getpid())
        store = Store.open(self.config.paths.store, "dispatcher", secrets.token_hex(4))
        host = Host(
            self.config, self.config.paths, store, SystemClock(), "boot", cast(Any, own), logging.getLogger("test"),
            cast(Any, None),
        )  # fmt: skip
        return Dispatcher(host)

    def restart(self) -> None:
        """Let the dispatcher be killed and started again."""
        self.dispatcher.close()
        self.dispatcher = self.start()

    def close(self) -> None:
        self.dispatcher.close()
        for name in self.names:
            self.tmux.kill_session(name)
        folder = Path(os.environ.get("TMUX_TMPDIR", "/tmp")) / f"tmux-{os.geteuid()}"
        (folder / self.tmux.socket_name).unlink(missing_ok=True)

    # -- sessions -----------------------------------------------------------------------------------

    def at(self, name: str) -> Path:
        """Return the folder of a session's program."""
        return self.folder / name

    def launch(self, name: str, account: str = "main") -> None:
        """Start a session's program, seen idle."""
        where = self.at(name)
        where.mkdir(exist_ok=True)
        pane = self.tmux.new_session(name, self.project, [sys.executable, "-S", str(TYPIST), str(where)])
        wait_for((where / "ready").exists, what=f"the program of {name}")
        found = process.identify(pane.pid)
        assert found is not None
        placement = Placement(
            session=name, account=account, conversation=str(uuid.uuid4()), cwd=str(self.project), wanted="running",
            launch=secrets.token_hex(6), pane=pane.pane_id, pid=found.pid, start=found.start,
        )  # fmt: skip
        with self.store.transaction() as tx:
            sessions.place(tx, placement)
        self.hook(name, "SessionStart", source="startup")
        self.sight(name, "idle")

    def start_anew(self, name: str) -> None:
        """Play the account-switcher: take up the request for a session, and start its program with the prompt."""
        (request,) = [one for one in fresh.unserved(self.store) if one.session == name]
        with self.store.transaction() as tx:
            move = self.move(tx, name, request.id)
        place = self.placement(name)
        process.send_signal(ProcessId(place.pid, place.start), signal.SIGKILL)
        (self.at(name) / "ready").unlink()
        with (self.at(name) / "submitted").open("a") as out:
            out.write(request.prompt + "\n")
        program = [sys.executable, "-S", str(TYPIST), str(self.at(name))]
        pane = self.tmux.respawn(place.pane, Path(request.cwd), program)
        wait_for((self.at(name) / "ready").exists, what=f"the program of {name}")
        found = process.identify(pane.pid)
        assert found is not None
        self.place(
            name, conversation=request.conversation, cwd=request.cwd, launch=secrets.token_hex(6), pane=pane.pane_id,
            pid=found.pid, start=found.start,
        )  # fmt: skip
        self.hook(name, "SessionStart", source="startup")
        self.sight(name, "starting")
        with self.store.transaction() as tx:
            swaps.finish(tx, move, "done", "", 1)

    def move(self, tx: Transaction, name: str, request: int) -> int:
        """Open the move that a session is started anew by; return its swap."""
        number = swaps.begin(
            tx, kind="fresh", source="main", target="", urgency="idle", reason="", order_id=0, request_id=request,
            started_ms=1, started_mono=1.0, deadline_mono=0.0, host_boot="",
        )  # fmt: skip
        place = self.placement(name)
        swaps.add_move(
            tx,
            Move(id=0, swap=number, session=name, conversation=place.conversation, cwd=place.cwd, source="main",
                 target="main", kind="fresh"),
        )  # fmt: skip
        return number

    def placement(self, name: str) -> Placement:
        return sessions.placements(self.store)[name]

    def place(self, name: str, **changes: Any) -> None:
        """Change a session's placement."""
        with self.store.transaction() as tx:
            sessions.place(tx, msgspec.structs.replace(self.placement(name), **changes))

    def sight(self, name: str, state: Any, **fields: Any) -> None:
        """Let a session be seen so by the session-watcher."""
        place = self.placement(name)
        with self.store.transaction() as tx:
            sessions.sight(
                tx,
                Sighting(
                    name=name, state=state, since_ms=1, seen_ms=1, conversation=place.conversation,
                    pid=place.pid, start=place.start, pane=place.pane, **fields,
                ),
            )  # fmt: skip
            tx.emit(SessionStateChanged(session=name, state=state, was="unknown", account=place.account))

    def hook(self, name: str, hook: str, **fields: Any) -> None:
        """Let a session's binary call a hook."""
        place = self.placement(name)
        call = HookCall(id=0, launch=place.launch, conversation=place.conversation, hook=hook, **fields)
        with self.store.transaction() as tx:
            hooks.record_hook(self.store, tx, session=name, account=place.account, boot="boot", call=call, held=False)

    def submitted(self, name: str) -> list[str]:
        """Return the prompts that a session's program was given."""
        path = self.at(name) / "submitted"
        return path.read_text().splitlines() if path.exists() else []

    def begin_turn(self, name: str) -> str:
        """Let a session begin the turn of what it was last given; return that."""
        prompt = wait_for(lambda: self.submitted(name), what=f"a prompt in {name}")[-1]
        self.sight(name, "working")
        self.hook(name, "UserPromptSubmit", prompt=prompt)
        return prompt

    def end_turn(self, name: str, message: str = "all done", background: int = 0) -> None:
        self.hook(name, "Stop", background=background, message=message)
        self.sight(name, "working" if background else "idle")

    # -- tasks --------------------------------------------------------------------------------------

    def drop(self, name: str, text: str = "do it\n", age: float = 10.0, project: Path | None = None) -> Path:
        """Put a task file that was written `age` seconds ago into an inbox."""
        path = (project or self.project) / ".agent-queue" / "inbox" / f"{name}.md"
        path.write_text(text)
        then = SystemClock().epoch() - age
        os.utime(path, (then, then))
        return path

    def order(self, verb: Any, name: str, by: str = "me") -> tuple[str, str]:
        """Let a person order something of a task; return outcome and sentence, empty while there is none."""
        with self.store.transaction() as tx:
            number = orders.place(tx, 1, verb, orders.Args(task=self.rows()[name]["id"]), by)
        self.dispatcher.cycle(self.heard())
        found = orders.result(self.store, number)
        return (found.outcome, found.sentence) if found else ("", "")

    def rows(self) -> dict[str, Any]:
        """Return the tasks by name."""
        return {row["name"]: dict(row) for row in self.store.query("SELECT * FROM tasks ORDER BY id")}

    def state(self, name: str) -> str:
        return self.rows()[name]["state"] if name in self.rows() else "none"

    def heard(self) -> list[Envelope]:
        """Return what the dispatcher has heard since this was last asked."""
        told, begins = events.after(self.store, self._told), self.dispatcher.topics
        self._told = told[-1].id if told else self._told
        return [one for one in told if subject(one.event).startswith(begins)]

    def turn(self, until: Any, timeout: float = 10.0, what: str = "the dispatcher") -> None:
        """Let the dispatcher look again and again until something is so."""

        def so() -> bool:
            self.dispatcher.cycle(self.heard())
            return bool(until())

        wait_for(so, timeout=timeout, what=what)

    def turn_by(self, so: Callable[[], bool], timeout: float = 20.0) -> None:
        """Let the dispatcher look in a way of the test's own, until that is true."""
        wait_for(so, timeout=timeout, what="the dispatcher")

    def until(self, name: str, state: str, timeout: float = 10.0) -> None:
        self.turn(lambda: self.state(name) == state, timeout, f"{name} to be {state}; {self.rows().get(name)}")

    def hand(self, name: str, session: str = "s-0") -> str:
        """Drop a task and see it taken by a session; return the prompt."""
        self.drop(name)
        before = len(self.submitted(session))
        self.turn(lambda: len(self.submitted(session)) > before, what="the prompt")
        prompt = self.begin_turn(session)
        self.until(name, "running")
        return prompt

    def events(self, prefix: str = "task.") -> list[Envelope]:
        return events.latest(self.store, 1000, prefix)

    def result(self, name: str, folder: str = "done") -> Any:
        return json.loads((self.inbox.parent / folder / f"{name}.result.json").read_text())
