"""Which sessions are brought back after a crash: of the host, of their tmux server, or of their own process.

By itself only what lost its tmux server comes back, since no person did that; a process that ended while the server
lives is left to people, and so is a session that was closed. An order brings back the others too. Where it is not
certain that nothing of a session is left, it is left alone: a conversation must never have two processes.
"""

from __future__ import annotations

from typing import Literal

import msgspec

#: So often within an hour a session is brought back by itself: what ends it every time would end it again.
MOST_TRIES = 3
TRIES_WITHIN = 3600.0
#: Between two tries of ours lies at least this (seconds).
AGAIN_AFTER = 30.0
#: What speaks against bringing it back may pass by itself within this (seconds): a child that the old process had just
#: made, a pane that is being closed.
PASSES_WITHIN = 30.0


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What one look shows of a session that is placed somewhere.

    wanted: it should be running; configured: it is in the configuration; pid: its process; alive: that lives; server:
    what became of the tmux server that it was started in; closed: that server lives and has the session no more;
    elsewhere: pids of live processes on its conversation; occupied: another program that runs in its pane (0: none);
    folder: where it works, empty when that is not there; account: under which it would go on, empty when none has room;
    full: why none has; tries: how often it was brought back by itself within an hour; rested: seconds since the last
    of those (None: never); waited: for how long it has been found lost (seconds).
    """

    wanted: bool = True
    configured: bool = True
    pid: int = 0
    alive: bool = False
    server: Literal["lives", "died", "unknown"] = "unknown"
    closed: bool = False
    elsewhere: tuple[int, ...] = ()
    occupied: int = 0
    folder: bool = True
    account: str = ""
    full: str = ""
    tries: int = 0
    rested: float | None = None
    waited: float = 0.0


class Verdict(msgspec.Struct, frozen=True):
    """restore: bring it back; leave: it needs nothing, or is a person's to decide; refuse: it is lost and cannot be
    brought back; wait: look again later; give_up: so too, and people are told once."""

    act: Literal["restore", "leave", "refuse", "wait", "give_up"]
    why: str


def is_lost(found: Found) -> bool:
    """Say whether a session that should be running ended with its tmux server."""
    return found.wanted and found.pid != 0 and not found.alive and found.server == "died"


def ordered(found: Found, named: bool) -> Verdict:
    """Return what an order to bring sessions back makes of one. named: the order names it."""
    if not found.configured:
        return Verdict("leave", "it is no longer in the configuration")
    if not found.wanted:
        return Verdict("leave", "it was stopped by order; sessions launch starts it")
    if found.alive:
        return Verdict("leave", f"it runs (pid {found.pid})")
    if found.closed and not named:
        return Verdict("leave", "a person closed its tmux session; name it to bring it back")
    if against := _against(found):
        return Verdict("refuse", against)
    if not found.account:
        return Verdict("refuse", found.full)
    return Verdict("restore", _reason(found))


def by_itself(found: Found, may: bool) -> Verdict:
    """Return what is made of a session when nobody has ordered anything. may: the configuration lets sessions be
    brought back."""
    if not is_lost(found) or not found.configured:
        return Verdict("leave", "")
    if not may:
        return Verdict("give_up", "sessions_restart is never")
    if found.tries >= MOST_TRIES:
        return Verdict("give_up", f"it was brought back {found.tries} times within an hour, and ended each time")
    if against := _against(found):
        return Verdict("wait" if found.waited < PASSES_WITHIN else "give_up", against)
    if found.rested is not None and found.rested < AGAIN_AFTER:
        return Verdict("wait", f"it was brought back less than {AGAIN_AFTER:g} s ago")
    # An account that has room again comes by itself.
    return Verdict("restore", _reason(found)) if found.account else Verdict("wait", "no account has room")


def keeps_task(*, lost: bool, may: bool, given_up: bool) -> bool:
    """Say whether the task of a session stays with it while it is lost: it will be brought back, by itself or by an
    order."""
    return lost and (not may or not given_up)


def _against(found: Found) -> str:
    if found.elsewhere:
        return f"its conversation is open elsewhere (pid {found.elsewhere[0]})"
    if found.occupied:
        return f"another program (pid {found.occupied}) runs in its pane"
    return "" if found.folder else "its folder is not there"


def _reason(found: Found) -> str:
    return "its tmux server died" if found.server == "died" else "its process ended"
