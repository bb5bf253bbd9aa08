"""Find the sessions that crashed, and say of each whether, where and how it goes on. What is decided is in
failover/core/restore.py; bringing one back is a move of kind `restore`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from failover.claude import transcript
from failover.claude.registry import Registry
from failover.clock import Clock
from failover.config import Config
from failover.core import policy, restore
from failover.core.choice import Load
from failover.core.move import Move
from failover.core.restore import Found, Verdict
from failover.errors import UsageError
from failover.host import process
from failover.host.process import ProcessId
from failover.store import checkpoints, orders, sessions, swaps, tasks, usage
from failover.store.db import Store
from failover.store.sessions import Placement
from failover.store.swaps import SwapRow
from failover.switcher import replaying
from failover.switcher.launcher import Launcher
from failover.switcher.look import Scene

_Judge = Callable[[Found], Verdict]


class Judged(msgspec.Struct, frozen=True):
    """A session, what is made of it, and where it would go on. placement: in the conversation that it was in last;
    busy: it was at work, by its newest checkpoint or its task."""

    placement: Placement
    verdict: Verdict
    account: str
    busy: bool


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One session in the answer to an order. action: restore (a dry run), restored, failed or left; task: its number,
    0 for none; told: the prompt that it gets, empty for none."""

    session: str
    action: Literal["restore", "restored", "failed", "left"]
    why: str
    account: str = ""
    conversation: str = ""
    task: int = 0
    told: str = ""


class Restorer:
    """Looks at the world; starts nothing."""

    def __init__(self, config: Config, store: Store, clock: Clock, launcher: Launcher) -> None:
        self._config, self._store, self._clock, self._launcher = config, store, clock, launcher
        self._lost_since: dict[str, float] = {}  # launch → when it was first found lost (monotonic)

    def by_order(self, names: Sequence[str]) -> list[Judged]:
        """Judge the sessions named, all that were ever launched if none is. Raises UsageError for an unknown name."""
        placed = sessions.placements(self._store)
        for name in names:
            if name not in placed:
                raise UsageError(f"no session {name} was ever launched; see: claude-failover sessions list")
        chosen = [placed[name] for name in dict.fromkeys(names)] if names else list(placed.values())
        return self._judged(chosen, lambda found: restore.ordered(found, bool(names)))

    def by_itself(self) -> list[Judged]:
        """Judge the sessions that ended with their tmux server."""
        placed = [one for one in sessions.placements(self._store).values() if one.wanted == "running"]
        servers = {ProcessId(one.server_pid, one.server_start) for one in placed}
        dead = {one for one in servers if not process.alive(one)}  # one look for all of its sessions
        lost = [
            one
            for one in placed
            if ProcessId(one.server_pid, one.server_start) in dead and not one.given_up and sessions.is_lost(one)
        ]
        now = self._clock.monotonic()
        self._lost_since = {one.launch: self._lost_since.get(one.launch, now) for one in lost}
        may = self._config.sessions_restart == "auto"
        return self._judged(lost, lambda found: restore.by_itself(found, may)) if lost else []

    def _judged(self, placed: Sequence[Placement], judge: _Judge) -> list[Judged]:
        notes, doing = checkpoints.newest(self._store), {task.session for task in tasks.handed_over(self._store)}
        resumed = [_last_conversation(one, notes.get(one.session)) for one in placed]
        registry = Registry(self._config.shared_dir / "sessions")
        scene = Scene(self._config, self._store, self._launcher.tmux, self._clock.epoch(), registry)
        accounts, full = self._accounts(resumed, scene)
        found = []
        for one in resumed:
            account = accounts.get(one.session, "")
            seen = self._found(one, scene, account, full)
            noted = notes.get(one.session)
            busy = one.session in doing or (noted is not None and bool(noted.checkpoint.prompt))
            found.append(Judged(one, judge(seen), account, busy))
        return found

    def _found(self, one: Placement, scene: Scene, account: str, full: str) -> Found:
        configured = any(spec.name == one.session for spec in self._config.sessions)
        alive = process.alive(ProcessId(one.pid, one.start))
        if one.wanted != "running" or alive or not configured:
            return Found(wanted=one.wanted == "running", configured=configured, pid=one.pid, alive=alive)
        server: Literal["lives", "died", "unknown"] = "unknown"
        if one.server_pid:
            server = "lives" if process.alive(ProcessId(one.server_pid, one.server_start)) else "died"
        pane, now = scene.panes.get(one.session), self._store.now_ms()
        tried = swaps.restored(self._store, one.session, now - int(restore.TRIES_WITHIN * 1000))
        return Found(
            pid=one.pid,
            server=server,
            closed=server == "lives" and pane is None,
            elsewhere=scene.elsewhere(one.conversation, set()),
            occupied=pane.pid if pane and not pane.dead and process.identify(pane.pid) else 0,
            folder=Path(one.cwd).is_dir(),
            account=account,
            full=full,
            tries=len(tried),
            rested=max(0, now - tried[0]) / 1000 if tried else None,
            waited=self._clock.monotonic() - self._lost_since.get(one.launch, self._clock.monotonic()),
        )

    def _accounts(self, placed: Sequence[Placement], scene: Scene) -> tuple[dict[str, str], str]:
        """Return the account for each session: its own if that has room, else as the policy chooses; and why others
        have none."""
        views, said = scene.accounts, scene.rules
        low = policy.idle_for(views, said)
        by_name = {view.name: view for view in views}
        has_room = {view.name for view in views if view.name not in low and not view.trouble}
        found = {one.session: one.account for one in placed if one.account in has_room}
        tokens = usage.recache_tokens(self._store)
        for source in {one.account for one in placed} - has_room:
            leaving = [one.session for one in placed if one.account == source]
            if source not in by_name:
                best = policy.preferred(views, said).name
                found |= dict.fromkeys(leaving, best) if best in has_room else {}
                continue
            loads = [Load(session=name, tokens=tokens.get(name, 0)) for name in leaving]
            wanted = policy.elsewhere(by_name[source], loads, views, said)
            if wanted is not None:
                going = [name for name in leaving if not wanted.sessions or name in wanted.sessions]
                found |= {name: wanted.shares.get(name, wanted.target) for name in going}
        opens = policy.earliest_reset(views)
        when = "" if opens is None else f"; the first window opens in {max(0.0, opens - self._clock.epoch()):.0f} s"
        return found, f"no account has room{when}"

    # -- the answer to an order ----------------------------------------------------------------------

    def planned(self, judged: Sequence[Judged], moves: Sequence[Move]) -> list[Part]:
        """Return what an order would do. moves: those of the sessions that would be brought back, in their order."""
        reasons = {one.placement.session: one.verdict.why for one in judged}
        activities = sessions.activities(self._store)
        parts = []
        for move in moves:
            path = transcript.locate(self._config.shared_dir, Path(move.cwd), move.conversation)
            ending = transcript.ending(path) if path else None
            lost = replaying.note_lost(self._store, move, activities.get(move.session), ending)
            composed = replaying.compose(self._store, lost, ending, self._config.replay)
            parts.append(self._part(composed, "restore", reasons[move.session]))
        return parts + _left(judged, {move.session for move in moves})

    def report(self, row: SwapRow, moves: Sequence[Move]) -> str:
        """Return what became of an order's sessions, as JSON."""
        order = orders.get(self._store, row.order_id) if row.order_id else None
        if order is None:
            return "{}"
        parts = self.done(self.by_order(order.args.sessions), moves)
        return msgspec.json.encode({"sessions": parts}).decode()

    def done(self, judged: Sequence[Judged], moves: Sequence[Move]) -> list[Part]:
        """Return what an order did."""
        parts = [self._part(one, "restored" if one.state == "verified" else "failed", one.why) for one in moves]
        return parts + _left(judged, {move.session for move in moves})

    def _part(self, move: Move, action: Literal["restore", "restored", "failed"], why: str) -> Part:
        at = next((one.id for one in tasks.handed_over(self._store) if one.session == move.session), 0)
        return Part(
            session=move.session,
            action=action,
            why=why,
            account=move.target,
            conversation=move.conversation,
            task=at,
            told=move.prompt,
        )


def _last_conversation(placement: Placement, noted: checkpoints.Noted | None) -> Placement:
    """Return a placement in the conversation that its process was in last: a person may have cleared the first one."""
    if noted is None or noted.checkpoint.launch != placement.launch or noted.conversation == placement.conversation:
        return placement
    return msgspec.structs.replace(placement, conversation=noted.conversation, since_size=0)


def _left(judged: Sequence[Judged], moved: set[str]) -> list[Part]:
    return [
        Part(session=one.placement.session, action="left", why=one.verdict.why)
        for one in judged
        if one.placement.session not in moved
    ]


def summed_up(parts: Sequence[Part]) -> str:
    """Return what an order would do or did, in a sentence."""
    counts = Counter(part.action for part in parts)
    if counts["restore"]:
        words = [f"would restore {counts['restore']} of {len(parts)} sessions; nothing was done"]
    else:
        words = [f"restored {counts['restored']} of {len(parts)} sessions"]
    return "; ".join([*words, *(f"{one.session} {one.action}: {one.why}" for one in parts if one.action != "restored")])
