"""Drive the open swap: look, ask the core, write the step, do it. One pass after another until nothing moves."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence

import msgspec

from failover import crash
from failover.clock import Clock
from failover.config import Config
from failover.core import move as table
from failover.core import prompt, swap
from failover.core.move import TERMINAL, Around, Move, Step, Wait
from failover.core.session import Activity
from failover.errors import HostError
from failover.events import HoldChanged, MoveAdvanced, SessionLaunched, SwapFinished
from failover.host import process
from failover.host.process import ProcessId
from failover.host.tmux import Tmux
from failover.store import hooks, orders, sessions, swaps
from failover.store.db import Store
from failover.store.swaps import SwapRow
from failover.switcher.launcher import Launcher, new_launch_id
from failover.switcher.look import Scene

#: A hold is renewed while its swap is open; it ends by itself this long after its holder stopped caring (seconds).
_HOLD_LASTS = 60.0
#: SIGTERM again after this long, SIGKILL after that (seconds; measured: SIGTERM takes up to 1.8 s).
_TERM_AGAIN = 5.0
_KILL_AFTER = 20.0
_MAX_PASSES = 30


class Engine:
    """The open swap's driver. It keeps nothing that it could not find again by looking."""

    def __init__(self, config: Config, store: Store, clock: Clock, tmux: Tmux, launcher: Launcher) -> None:
        self._config, self._store, self._clock, self._tmux, self._launcher = config, store, clock, tmux, launcher
        own = process.identify(os.getpid())
        assert own is not None
        self._own = own
        self._signalled: dict[int, float] = {}  # move → when it was last sent a signal (monotonic)
        self._found: dict[int, float] = {}  # move that another switcher left `stopping` → when it was found (monotonic)
        self._stopped: set[int] = set()  # moves that this process itself took to `stopping`
        self._launched: set[str] = set()  # launch ids that this process has carried out
        self._deaths: dict[int, int] = {}  # move → pidfd

    def descriptors(self) -> Sequence[int]:
        """Return the pidfds of processes whose death is awaited."""
        return list(self._deaths.values())

    def drive(self, row: SwapRow, preflight: str | None, paused: bool) -> str:
        """Take every step that can be taken now. Return what was done or is waited for, in one sentence."""
        steps: list[str] = []
        waits: dict[str, str] = {}
        for _ in range(_MAX_PASSES):
            moves = swaps.moves(self._store, row.id)
            scene = Scene(self._config, self._store, self._tmux)
            progressed = False
            for index, move in enumerate(moves):
                if move.state in TERMINAL:
                    continue
                decision: Step | Wait = Step("hold", "")
                while isinstance(decision, Step) and move.state not in TERMINAL:
                    around = self._around(row, moves, move, scene, preflight, paused)
                    decision = table.decide(move, scene.seen(move), around)
                    if isinstance(decision, Step):
                        move = moves[index] = self._take(row, move, decision, scene)
                        progressed = True
                        steps.append(f"{move.session} {move.state} ({decision.why})")
                    # What changes the world ends the pass for this session: the next step needs a new look.
                    if self._act_safely(move, around, scene, waits):
                        break
                if isinstance(decision, Wait):
                    waits.setdefault(move.session, decision.why)
            if swap.is_over(moves):
                return self._finish(row, moves)
            if not progressed:
                break
        return "; ".join(steps) or "; ".join(f"{name}: {why}" for name, why in waits.items())

    def _around(
        self, row: SwapRow, moves: Sequence[Move], move: Move, scene: Scene, preflight: str | None, paused: bool
    ) -> Around:
        return Around(
            now=self._clock.monotonic(),
            deadline=row.deadline_mono if row.host_boot == process.host_boot_id() else 0.0,
            urgency=row.urgency,
            slot=swap.has_slot(move, moves, self._config.failover.max_parallel, scene.at_rest(moves)),
            preflight=preflight,
            paused=paused and row.order_id == 0,
            found=self._found_for(move),
        )

    def _found_for(self, move: Move) -> float | None:
        if move.state != "stopping" or move.id in self._stopped:
            return None
        now = self._clock.monotonic()
        return now - self._found.setdefault(move.id, now)

    def _take(self, row: SwapRow, move: Move, step: Step, scene: Scene) -> Move:
        """Write the step to the journal, with what it settles, and return the move in its new state."""
        was = move.state
        state = table.advance(was, step.event)
        moved = msgspec.structs.replace(
            move, state=state, why=step.why, at={**move.at, state: round(self._clock.monotonic(), 3)}
        )
        if state == "stopping":
            self._stopped.add(move.id)
        self._found.pop(move.id, None)
        crash.point(self._config.paths.run_dir, state, "before")
        with self._store.transaction() as tx:
            match step.event:
                case "bound":
                    seen = scene.seen(move)
                    moved = msgspec.structs.replace(moved, outcome=step.outcome, limited=seen.limited)
                case "note":
                    moved = self._note(moved, scene.activities.get(move.session))
                case "died":
                    moved = self._compose(moved, scene)
                case "relaunch":
                    moved = msgspec.structs.replace(moved, launch=new_launch_id(), launches=move.launches + 1)
                    sessions.place(tx, self._placement(moved, scene))
                case "launched":
                    found = scene.process_of(move)
                    if found is None:
                        raise HostError(f"{move.session}: its new process ended while it was looked at")
                    moved = msgspec.structs.replace(moved, new_pid=found.pid, new_start=found.start)
                    sessions.place(tx, self._placement(moved, scene))
                    tx.emit(
                        SessionLaunched(
                            session=move.session, account=move.target, conversation=move.conversation, pid=found.pid
                        )
                    )
                case "end":
                    sessions.place(
                        tx, msgspec.structs.replace(self._placement(moved, scene), wanted="stopped", pid=0, start=0)
                    )
            if state == "dead" or state in TERMINAL or state == "queued":
                swaps.lift_hold(tx, move.conversation)
                tx.emit(HoldChanged(conversation=move.conversation, standing=False))
            swaps.save_move(tx, moved)
            swaps.journal(tx, moved, was, self._store.now_ms())
            tx.emit(MoveAdvanced(swap=row.id, move=move.id, session=move.session, state=state, was=was, why=step.why))
        crash.point(self._config.paths.run_dir, state, "after")
        return moved

    def _note(self, move: Move, activity: Activity | None) -> Move:
        """Keep what only lives in the session's memory: a prompt that has not begun, a tool that is being cut off."""
        move = msgspec.structs.replace(move, noted_call=hooks.last_call(self._store))
        if activity is None or activity.conversation != move.conversation:
            return move
        cut_off = ""
        if move.outcome == "interrupted" and activity.tool_open:
            cut_off = f"the tool call {activity.tool}: {activity.tool_input}"
        held_prompt = activity.held_prompt if activity.held else ""
        return msgspec.structs.replace(move, held_prompt=held_prompt, cut_off=cut_off)

    def _compose(self, move: Move, scene: Scene) -> Move:
        """Make the replay prompt from what is on disk now that the process is dead."""
        ending = scene.ending(move)
        outcome, cut_off, limited = move.outcome, move.cut_off, move.limited
        queued: tuple[str, ...] = ()
        assert outcome != ""
        if ending is not None:
            queued, limited = ending.queued_prompts, limited or ending.limit is not None
            if ending.open_tools:
                cut_off = "the tool call " + " and ".join(f"{tool.name}: {tool.input}" for tool in ending.open_tools)
            elif outcome in ("idle", "turn") and ending.last_kind in ("user_prompt", "tool_result"):
                # A turn had just begun that no hook told of (a queued prompt begins one silently): it has to go on.
                outcome = "tool"
        # Written between the last look and the death: held, so it never began; or queued, then the transcript has it.
        late = hooks.prompts_after(self._store, move.conversation, move.noted_call)
        queued = (*queued, *(text for text in late if text not in queued))
        text = prompt.replay(outcome, limited=limited, held_prompt=move.held_prompt, queued=queued, cut_off=cut_off)
        return msgspec.structs.replace(move, limited=limited, cut_off=cut_off, prompt=text)

    def _placement(self, move: Move, scene: Scene) -> sessions.Placement:
        pane = scene.panes.get(move.session)
        return sessions.Placement(
            session=move.session,
            account=move.target or move.source,
            conversation=move.conversation,
            cwd=move.cwd,
            wanted="running",
            launch=move.launch,
            pane=pane.pane_id if pane else "",
            pid=move.new_pid,
            start=move.new_start,
            launched_ms=self._store.now_ms(),
        )

    # -- what is to be done in each state; all of it may be done again -----------------------------

    def _act_safely(self, move: Move, around: Around, scene: Scene, waits: dict[str, str]) -> bool:
        """Do what the move's state asks for; say whether that changed the world. Trouble is one session's alone."""
        try:
            return self._act(move, around, scene)
        except HostError as error:
            waits[move.session] = str(error)
            return True

    def _act(self, move: Move, around: Around, scene: Scene) -> bool:
        if move.state != "stopping" and (descriptor := self._deaths.pop(move.id, None)) is not None:
            os.close(descriptor)
        match move.state:
            case "holding" | "at_boundary" | "checkpointed":
                return self._hold(move, standing=around.slot or move.state != "holding")
            case "stopping":
                # One that is no longer registered has been told already; telling it again does no harm.
                if around.found is None or not scene.seen(move).registered:
                    self._stop(move)
                return True
            case "dead":
                return True
            case "relaunching" if move.launch not in self._launched:
                self._launched.add(move.launch)
                if scene.process_of(move) is None:
                    self._launcher.start(self._placement(move, scene), move.prompt)
                return True
        return False

    def _hold(self, move: Move, standing: bool) -> bool:
        """Let a hold stand while a slot is free; else the session works on. Return whether that is new."""
        row = self._store.one("SELECT * FROM holds WHERE conversation = ?", (move.conversation,))
        now = self._clock.monotonic()
        ours = row is not None and (row["pid"], row["start"]) == (self._own.pid, self._own.start)
        if standing == (row is not None) and (not standing or (ours and row["until_mono"] - now > _HOLD_LASTS / 2)):
            return False
        with self._store.transaction() as tx:
            if standing:
                swaps.set_hold(tx, move.conversation, move.id, self._own.pid, self._own.start, now + _HOLD_LASTS)
            else:
                swaps.lift_hold(tx, move.conversation)
            if standing != (row is not None):
                tx.emit(HoldChanged(conversation=move.conversation, standing=standing))
        return standing != (row is not None)

    def _stop(self, move: Move) -> None:
        now, target = self._clock.monotonic(), ProcessId(move.pid, move.start)
        if move.id not in self._deaths and (descriptor := process.open_pidfd(target)) is not None:
            self._deaths[move.id] = descriptor
        if now - self._signalled.get(move.id, -_TERM_AGAIN) < _TERM_AGAIN:
            return
        self._signalled[move.id] = now
        hard = now - move.at.get("stopping", now) > _KILL_AFTER and not self._refreshes_login(move)
        process.send_signal(target, signal.SIGKILL if hard else signal.SIGTERM)

    def _refreshes_login(self, move: Move) -> bool:
        """Say whether the binary may be in the middle of rewriting its login (killing it then would lose the login)."""
        return (self._config.account(move.source).config_dir / ".oauth_refresh.lock").exists()

    def _finish(self, row: SwapRow, moves: Sequence[Move]) -> str:
        took = self._store.now_ms() - row.started_ms
        outcome, sentence = swap.conclude(moves, took)
        stayed = sum(move.state not in ("verified", "stopped") for move in moves)
        with self._store.transaction() as tx:
            swaps.finish(tx, row.id, outcome, sentence, self._store.now_ms())
            tx.emit(
                SwapFinished(
                    swap=row.id,
                    source=row.source,
                    target=row.target,
                    outcome=outcome,
                    moved=len(moves) - stayed,
                    stayed=stayed,
                    duration_ms=took,
                    sentence=sentence,
                )
            )
            if row.order_id:
                result: orders.Outcome = "failed"
                if outcome in ("done", "refused"):
                    result = "done" if outcome == "done" else "refused"
                orders.finish(tx, row.order_id, self._store.now_ms(), result, f"swap {row.id}: {sentence}")
        for memory in (self._signalled, self._found, self._stopped, self._launched):
            memory.clear()
        return f"swap {row.id}: {sentence}"
