"""After a cell of the crash matrix: is everything where it should be, is nothing lost, is nothing left behind?"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from failover.host import process
from failover.host.lock import RoleLock
from failover.host.process import ProcessId
from failover.sim import audit
from failover.sim.crash.stage import SESSIONS, SWITCHER, Stage
from failover.store.swaps import SwapRow

#: What the daemon says to a session of which an interrupt cut something off (failover/core/prompt.py).
_NAMED = "Its outcome is unknown"


@dataclass(frozen=True)
class Wanted:
    """What a cell must have come to.

    ends: the states in which its moves may end; target: where all sessions must be, empty where that is up to the
    daemon; task: the work that `tools` was given; restored: the sessions that ended after they had moved, and were
    brought back: what they were doing was cut off.
    """

    ends: Collection[str]
    target: str
    task: str
    restored: Collection[str]


def after(stage: Stage, swap: SwapRow, wanted: Wanted) -> list[str]:
    """Return what speaks against it that the swap recovered, in sentences; empty when nothing does."""
    problems = _swap(stage, swap, wanted.ends) + _places(stage, wanted.target)
    if problems:
        return problems  # sessions that are down never come to rest
    if _named(stage, swap) or "tools" in wanted.restored:
        stage.cut_off.add(wanted.task)
    stage.rest(cut_off=wanted.restored)
    stage.say()
    for name in SESSIONS if wanted.target else ():
        if (used := stage.requests(name)[-1]["account"]) != wanted.target:
            problems.append(f"{name} was moved to {wanted.target} and asked under {used}")
    return problems + _losses(stage) + _leftovers(stage)


def _swap(stage: Stage, swap: SwapRow, ends: Collection[str]) -> list[str]:
    problems = []
    if strays := {name: state for name, state in stage.moves(swap.id).items() if state not in ends}:
        told = ", ".join(f"{name} {state}" for name, state in strays.items())
        problems.append(f"{told}: the swap ended {swap.state}: {swap.sentence}")
    if stage.store.one("SELECT 1 FROM order_results WHERE order_id = ?", (swap.order_id,)) is None:
        problems.append("its order was never answered")
    return problems


def _places(stage: Stage, target: str) -> list[str]:
    problems = []
    panes, living = stage.world.tmux.panes(), stage.living()
    for name, placed in stage.placed().items():
        if name not in living:
            problems.append(f"{name} does not run")
        elif name not in panes or panes[name].pid != placed.pid:
            problems.append(f"{name} is not the process of its pane")
        if target and placed.account != target:
            problems.append(f"{name} is on {placed.account}")
    return problems


def _named(stage: Stage, swap: SwapRow) -> bool:
    row = stage.store.one("SELECT body FROM moves WHERE swap = ? AND session = 'tools'", (swap.id,))
    return row is not None and _NAMED in json.loads(row["body"])["prompt"]


def _losses(stage: Stage) -> list[str]:
    """Count in the logs of the API, of the tools and of the simulated binaries. What was named as cut off may show."""
    found = audit.audit(stage.api(), stage.world.steps(), stage.simulated())
    excused = tuple(f"of {task}" for task in stage.cut_off)
    problems = [
        f"lost: {loss.what} {loss.detail!r} of {loss.conversation or 'nobody'}"
        for loss in found.losses
        if not (loss.what == "tool_result" and loss.detail.endswith(excused))
    ]
    for word, steps in (("took effect", found.run_twice), ("was begun", found.started_twice)):
        problems += [f"step {step} of {task} {word} twice" for task, step in steps if task not in stage.cut_off]
    problems += [f"two processes at once, {old} and {new}, on {which}" for which, old, new in found.double_processes]
    return problems


def _leftovers(stage: Stage) -> list[str]:
    problems = []
    # Where the target was used up, the policy takes the others away from it in a swap of its own.
    stage.wait(lambda: all(row.state != "open" for row in stage.swaps().values()), "an end of all swaps")
    if holds := stage.store.query("SELECT conversation FROM holds"):
        problems.append(f"{len(holds)} holds stand though no swap is under way")
    lock = stage.world.shared / ".claude-failover.lock"
    if _is_held(lock) and RoleLock(lock).holder() != stage.roles()[SWITCHER][1]:
        problems.append("the lock of swaps is held, and not by the switcher that runs")
    placed = {ProcessId(one.pid, one.start): name for name, one in stage.placed().items()}
    table = process.of_user()
    for name, placement in stage.placed().items():
        others = [
            one
            for one, arguments in table.items()
            if placement.conversation in arguments and one not in placed and process.alive(one)
            if placement.pid not in process.ancestors(one.pid)
        ]
        problems += [f"process {one.pid} is on the conversation of {name} too" for one in others]
    tools = {str(stage.world.step), str(stage.gated)}
    problems += [
        f"process {one.pid} of a tool was left behind: {' '.join(arguments)}"
        for one, arguments in table.items()
        if tools.intersection(arguments) and process.alive(one)
    ]
    return problems


def _is_held(lock: Path) -> bool:
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
