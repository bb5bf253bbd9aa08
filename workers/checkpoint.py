"""checkpoint: at each boundary and change, and each minute of work, a short note of what a session is doing."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from failover.clock import Clock
from failover.core.session import Activity
from failover.events import CheckpointWritten, Envelope, HookReceived, sessions_named
from failover.runtime import SETTLE, Host, run
from failover.store import checkpoints, sessions, tasks, usage
from failover.store.checkpoints import Checkpoint, Doing, Git, Noted, Tool
from failover.store.db import Store
from failover.store.sessions import Placement
from failover.store.usage import StatuslineRow

#: Hooks at which something ended or began that is worth a note.
_TELLING = frozenset({"SessionStart", "UserPromptSubmit", "PostToolBatch", "Stop", "StopFailure", "SessionEnd"})
#: A session at work is noted at least this often, and its repository looked at (seconds).
_EACH = 60.0
#: What sessions do is noted together, once in this time (seconds).
_REST = 1.0
#: All sessions are looked at this often, however much is heard of some (seconds).
_ALL_EACH = 5.0
_GIT_TIMEOUT = 1.0


class CheckpointRole:
    """Compares each session with its newest note, and writes another where they differ."""

    name = "checkpoint"
    topics: tuple[str, ...] = (*(f"hook.received/{hook}" for hook in sorted(_TELLING)), "session.")

    def __init__(self, host: Host) -> None:
        self._store, self._clock = host.store, host.clock
        self._repositories = Repositories(host.clock)
        self._noted = checkpoints.newest(host.store)
        self._noted_at: dict[str, float] = {}
        self._all_at = -_ALL_EACH  # when all sessions were looked at

    def cycle(self, heard: Sequence[Envelope]) -> str:
        """Write what is due."""
        told = {e.event.session for e in heard if isinstance(e.event, HookReceived) and e.event.hook in _TELLING}
        of, now = sessions_named(heard), self._clock.monotonic()
        if of is None or now - self._all_at >= _ALL_EACH:
            of, self._all_at = None, now
        placed, seen = sessions.placements(self._store, of), sessions.sightings(self._store, of)
        activities = sessions.activities(self._store, of)
        due: dict[str, str] = {}
        for name in placed:
            state = seen[name].state if name in seen else "unknown"
            if occasion := self._occasion(name, placed[name].launch, state, activities.get(name), name in told):
                due[name] = occasion
        if not due:
            return ""
        doing = {t.session: Doing(t.id, t.name, t.attempt) for t in tasks.handed_over(self._store, due)}
        lines = {row.session: row for row in usage.statuslines(self._store, due)}
        notes = {
            name: _note(
                self._store,
                placed[name],
                seen[name].state if name in seen else "unknown",
                activities.get(name),
                lines.get(name),
                doing.get(name),
                self._repositories.look(placed[name].cwd),
            )
            for name in due
        }
        with self._store.transaction() as tx:
            for name, note in notes.items():
                conversation, at_ms = _conversation(placed[name], activities.get(name)), self._store.now_ms()
                row = checkpoints.add(
                    tx, session=name, conversation=conversation, at_ms=at_ms, occasion=due[name], checkpoint=note
                )
                tx.emit(CheckpointWritten(checkpoint=row, session=name, occasion=due[name]))
                self._noted[name] = Noted(row, name, conversation, at_ms, due[name], note)
                self._noted_at[name] = self._clock.monotonic()
        return "noted " + ", ".join(f"{name} ({occasion})" for name, occasion in due.items())

    def _occasion(self, name: str, launch: str, state: str, activity: Activity | None, told: bool) -> str:
        """Return what makes a note due, empty when none is."""
        last = self._noted.get(name)
        if last is None:
            return "first seen"
        if last.checkpoint.launch != launch:
            return "started anew"
        if last.checkpoint.state != state:
            return f"is {state}"
        if activity is not None and activity.last_call != last.checkpoint.call:
            if activity.last_hook in _TELLING:
                return activity.last_hook
            if told:
                return "boundary"
        now = self._clock.monotonic()
        if state == "working" and now - self._noted_at.setdefault(name, now) >= _EACH:
            return "at work"
        return ""

    def wake_after(self) -> float:
        """Return the seconds until the next look."""
        return max(0.0, self._all_at + _ALL_EACH - self._clock.monotonic())

    def descriptors(self) -> Sequence[int]:
        """Return nothing: the bus is enough."""
        return ()

    def close(self) -> None:
        """Hold nothing."""


def _conversation(placement: Placement, activity: Activity | None) -> str:
    """Return the conversation that a session is in: a person may have gone to another one than it was started in."""
    own = activity is not None and activity.launch == placement.launch
    return activity.conversation if activity is not None and own else placement.conversation


def _note(
    store: Store,
    placement: Placement,
    state: str,
    activity: Activity | None,
    line: StatuslineRow | None,
    task: Doing | None,
    git: Git | None,
) -> Checkpoint:
    tool, prompt = None, ""
    if activity is not None and activity.launch == placement.launch:
        if activity.tool:
            tool = Tool(activity.tool, activity.tool_input, "unknown" if activity.tool_open else "known")
        if activity.held_prompt or activity.turn:
            prompt = activity.held_prompt or checkpoints.open_prompt(store, activity.conversation)
    context, recache = (None, None)
    if line is not None and line.conversation == placement.conversation:
        context, recache = _sizes(line.body)
    return Checkpoint(
        state=state,
        account=placement.account,
        cwd=placement.cwd,
        launch=placement.launch,
        call=activity.last_call if activity else 0,
        git=git,
        task=task,
        tool=tool,
        context_tokens=context,
        recache_tokens=recache,
        prompt=prompt,
    )


def _sizes(body: str) -> tuple[int | None, int | None]:
    """Return tokens of context, and to be cached anew, from a statusline push (fields as measured on 2.1.330)."""
    try:
        told: Any = msgspec.json.decode(body)
    except msgspec.MsgspecError:
        return None, None
    return _number(told, "context_window", "total_input_tokens"), _number(
        told, "prompt_cache", "recache_tokens_if_cold"
    )


def _number(told: Any, *keys: str) -> int | None:
    for key in keys:
        told = told.get(key) if isinstance(told, dict) else None
    return int(told) if isinstance(told, int | float) else None


class Repositories:
    """Where each folder's repository stands; git is asked when its files changed, and at most each minute otherwise."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[str, tuple[object, float, Git | None]] = {}

    def look(self, cwd: str) -> Git | None:
        """Return where the repository of a folder stands, None when there is none or git does not answer in time."""
        now, sign = self._clock.monotonic(), _sign(Path(cwd))
        known = self._known.get(cwd)
        if known is None or known[0] != sign or now - known[1] >= _EACH:
            known = self._known[cwd] = (sign, now, _ask(cwd))
        return known[2]


def _sign(cwd: Path) -> object:
    """Return what changes when HEAD or the index of the folder's own repository does."""
    found = []
    for name in ("HEAD", "index", "logs/HEAD"):
        try:
            found.append((cwd / ".git" / name).stat().st_mtime_ns)
        except OSError:
            found.append(0)
    return found


def _ask(cwd: str) -> Git | None:
    # No program that the repository's own configuration names is run (fsmonitor), and no lock is taken.
    command = ["git", "-C", cwd, "-c", "core.fsmonitor=", "status", "--porcelain=v2", "--branch", "-uno"]
    try:
        done = subprocess.run(
            [*command, "--ignore-submodules=all"],
            capture_output=True,
            timeout=_GIT_TIMEOUT,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode:
        return None
    branch = head = ""
    dirty = False
    for line in done.stdout.decode(errors="replace").splitlines():
        if line.startswith("# branch.oid "):
            head = line.removeprefix("# branch.oid ").replace("(initial)", "")
        elif line.startswith("# branch.head "):
            branch = line.removeprefix("# branch.head ")
        elif not line.startswith("#"):
            dirty = True
    return Git(branch, head, dirty)


def main() -> None:
    """Run the role."""
    run("checkpoint", CheckpointRole, rest=_REST, settle=SETTLE)


if __name__ == "__main__":
    main()
