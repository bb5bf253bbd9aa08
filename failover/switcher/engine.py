"""Drive the open swap: look, ask the core, write the step, do it. One pass after another until nothing moves."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from failover import crash
from failover.claude.registry import Registry
from failover.clock import Clock
from failover.config import Config
from failover.core import move as table
from failover.core import policy, steps, swap
from failover.core.move import BEFORE_DEATH, RETURNING, TERMINAL, Around, Move, Step, Wait
from failover.errors import HostError
from failover.events import HoldChanged, MoveAdvanced, SwapFinished, SwapRetargeted
from failover.host import process
from failover.host.tmux import Pane, Tmux
from failover.store import orders, swaps
from failover.store.db import Store
from failover.store.swaps import SwapRow
from failover.switcher.holding import Holds
from failover.switcher.launcher import Launcher
from failover.switcher.look import Scene
from failover.switcher.restoring import Restorer
from failover.switcher.settling import Settler, placement
from failover.switcher.stopping import Stopper
from failover.switcher.waiting import Waiting, told

_MAX_PASSES = 30

#: What speaks against each target (empty: nothing; None: it is still looked at).
Preflight = Mapping[str, str | None]


class Engine:
    """The open swap's driver. It keeps nothing that it could not find again by looking."""

    def __init__(self, config: Config, store: Store, clock: Clock, tmux: Tmux, launcher: Launcher) -> None:
        self._config, self._store, self._clock, self._tmux, self._launcher = config, store, clock, tmux, launcher
        self._holds = Holds(store, clock)
        self._stopper = Stopper(config, clock, tmux)
        self._settler = Settler(store, config.replay)
        self._restorer = Restorer(config, store, clock, launcher)
        self._registry = Registry(config.shared_dir / "sessions")
        self._waiting = Waiting(clock)
        self._found: dict[int, float] = {}  # move that another switcher left `stopping` → when it was found (monotonic)
        self._stopped: set[int] = set()  # moves that this process itself took to `stopping`
        self._launched: set[tuple[str, int]] = set()  # launches that this process has carried out
        self._made: dict[str, Pane] = {}  # session → the pane in which this process started it
        # Sessions whose first step under the new account was awaited at last, and the prompt that each is to take.
        self.returning: Mapping[str, str] = {}

    def descriptors(self) -> Sequence[int]:
        """Return the pidfds of processes whose death is awaited."""
        return self._stopper.descriptors()

    def hear(self, sessions: Collection[str] | None) -> None:
        """Look at these sessions anew, since something was heard of them; None: at all."""
        self._waiting.forget(sessions)

    def scene(self) -> Scene:
        """Return a fresh look at the world."""
        return Scene(self._config, self._store, self._tmux, self._clock.epoch(), self._registry, self._made)

    def retarget(self, row: SwapRow, was: str, target: str, why: str) -> None:
        """Send the moves to `was` that have not been relaunched yet elsewhere; `why`: what is wrong with it."""
        with self._store.transaction() as tx:
            swaps.rule_out(tx, row, was, target)
            for move in swaps.moves(self._store, row.id):
                if move.target == was and move.state in (*BEFORE_DEATH, "stopping", "dead"):
                    swaps.save_move(tx, msgspec.structs.replace(move, target=target))
            tx.emit(SwapRetargeted(swap=row.id, source=row.source, was=was, target=target, why=why))

    def rule_out(self, row: SwapRow, target: str) -> SwapRow:
        """Note that a target of the swap is none, where there is no other."""
        with self._store.transaction() as tx:
            return swaps.rule_out(tx, row, target, target)

    def drive(self, row: SwapRow, moves: Sequence[Move], preflight: Preflight, paused: bool) -> str:
        """Take every step that can be taken now. Return what was done or is waited for, in one sentence.

        moves: those of the swap, as the store has them.
        """
        moves = list(moves)
        deadline = row.deadline_mono if row.host_boot == process.host_boot_id() else 0.0
        done: list[str] = []
        waits: dict[str, str] = {}
        refused = swaps.refused(row, moves)
        for _ in range(_MAX_PASSES):
            scene = self.scene()
            slots, progressed = self._slots(moves, scene), False
            turned: dict[bool, list[Move]] = {True: [], False: []}  # whose hold is to stand, and whose is not
            for index, move in enumerate(moves):
                if move.state in TERMINAL:
                    continue
                known = self._waiting.known(move, slots.has(move), deadline)
                if known is not None and not (paused or preflight.get(move.target)):
                    if (slot := slots.has(move)) != known.slot:
                        known = self._waiting.turn(move, slot)
                        if move.state == "holding":
                            turned[slot].append(move)
                    waits[move.session] = known.why if slot else "others are being moved"
                    continue
                decision: Step | Wait = Step("hold", "")
                been = {move.state}
                while isinstance(decision, Step) and move.state not in TERMINAL:
                    around = self._around(row, move, scene, slots, deadline, refused, preflight, paused)
                    decision = steps.decide(move, scene.seen(move), around)
                    if isinstance(decision, Step):
                        move = moves[index] = self._take(row, move, decision, scene)
                        slots, progressed = self._slots(moves, scene), True
                        refused |= set(move.refused)
                        done.append(f"{move.session} {move.state} ({decision.why})")
                    # What changes the world ends the pass for this session: the next step needs a new look. So does
                    # the way back to where it was: this pass would look no more, and go round for ever.
                    if self._act_safely(move, around, scene, waits) or move.state in been:
                        break
                    been.add(move.state)
                if isinstance(decision, Wait):
                    waits.setdefault(move.session, decision.why)
                    self._waiting.note(move, around.slot, scene.seen(move), decision.why)
            for standing in (one for one, some in turned.items() if some):
                self._holds.turn(turned[standing], standing)
            self.returning = {move.session: move.prompt for move in moves if move.state in RETURNING}
            if swap.is_over(moves):
                return self._finish(row, moves)
            if not progressed:
                break
        return "; ".join(done) or told(waits)

    def _around(
        self,
        row: SwapRow,
        move: Move,
        scene: Scene,
        slots: swap.Slots,
        deadline: float,
        refused: frozenset[str],
        preflight: Preflight,
        paused: bool,
    ) -> Around:
        # What it costs to know is only asked where the first turn failed: the accounts are looked at for it.
        failed = move.state == "answering" and bool(scene.seen(move).refusal)
        return Around(
            now=self._clock.monotonic(),
            deadline=deadline,
            urgency=row.urgency,
            slot=slots.has(move),
            preflight=preflight.get(move.target, ""),
            paused=paused and row.order_id == 0,
            found=self._found_for(move),
            refused=refused,
            other=self._other(row, move, refused, scene) if failed or move.state == "dead" else "",
            spent=failed and scene.is_spent(move.source),
        )

    def _slots(self, moves: Sequence[Move], scene: Scene) -> swap.Slots:
        """Return who may go. Who is at rest is only asked for where that decides: all have to be looked at for it."""
        most = self._config.failover.max_parallel
        free = swap.free_slots(moves, most)
        return swap.slots(moves, most, self._waiting.at_rest(moves, scene)) if free else swap.Slots(0)

    def _other(self, row: SwapRow, move: Move, refused: frozenset[str], scene: Scene) -> str:
        """Return where a move may go whose target cannot serve it, empty when nowhere."""
        if move.kind not in ("swap", "restore"):
            return ""
        if move.state == "dead" and move.target not in refused:
            return ""
        if row.target not in refused and row.target != move.target:
            return row.target
        found = policy.instead(move.source, scene.accounts, refused | {move.target}, scene.rules)
        return found.name if found else ""

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
            moved = self._settler.settle(tx, move, moved, step, scene)
            if state == "dead" or state in TERMINAL or state == "queued":
                swaps.lift_hold(tx, move.conversation)
                tx.emit(HoldChanged(conversation=move.conversation, standing=False))
            swaps.save_move(tx, moved)
            swaps.journal(tx, moved, was, self._store.now_ms())
            tx.emit(MoveAdvanced(swap=row.id, move=move.id, session=move.session, state=state, was=was, why=step.why))
        crash.point(self._config.paths.run_dir, state, "after")
        return moved

    # -- what is to be done in each state; all of it may be done again -----------------------------

    def _act_safely(self, move: Move, around: Around, scene: Scene, waits: dict[str, str]) -> bool:
        """Do what the move's state asks for; say whether that changed the world. Trouble is one session's alone."""
        try:
            return self._act(move, around, scene)
        except HostError as error:
            waits[move.session] = str(error)
            return True

    def _act(self, move: Move, around: Around, scene: Scene) -> bool:
        if move.state not in ("stopping", "leaving"):
            self._stopper.forget(move)
        match move.state:
            case "holding" | "at_boundary" | "checkpointed":
                return self._holds.turn([move], standing=around.slot or move.state != "holding")
            case "stopping":
                if move.id in self._stopped and not self._stopper.has_told(move) and not self._holds.stands(move):
                    # This process was stopped, or the host asleep, since it looked: the hold ran out, and the session
                    # may be at work again. Now it is as if another switcher had left the move here.
                    self._stopped.discard(move.id)
                    return True
                # One that is no longer registered has been told already; telling it again does no harm.
                if around.found is None or not scene.seen(move).registered:
                    self._stopper.stop(move, scene)
                return True
            case "leaving":
                self._stopper.stop(move, scene)
                return True
            case "dead":
                self._made.pop(move.session, None)
                return True
            case "relaunching" if (move.launch, move.launches) not in self._launched:
                self._launched.add((move.launch, move.launches))
                if scene.process_of(move) is None:
                    # Of a start that failed it is not known what comes of it: then tmux is asked.
                    self._made.pop(move.session, None)
                    self._made[move.session] = self._launcher.start(
                        placement(move, scene), move.prompt, scene.panes, scene.lines
                    )
                return True
        return False

    def _finish(self, row: SwapRow, moves: Sequence[Move]) -> str:
        took = round(process.seconds_since(self._clock, row) * 1000)
        outcome, sentence = swap.conclude(moves, took)
        stayed = sum(move.state not in ("verified", "stopped") for move in moves)
        told = self._restorer.report(row, moves) if row.kind == "restore" else "{}"
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
                    urgency=row.urgency,
                    kind=row.kind,
                )
            )
            if row.order_id:
                result: orders.Outcome = "failed"
                if outcome in ("done", "refused"):
                    result = "done" if outcome == "done" else "refused"
                orders.finish(tx, row.order_id, self._store.now_ms(), result, f"swap {row.id}: {sentence}", told)
        for memory in (self._stopper, self._waiting, self._found, self._stopped, self._launched, self._made):
            memory.clear()
        return f"swap {row.id}: {sentence}"
