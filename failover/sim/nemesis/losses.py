"""What was lost or cut off in a run, and for which of it there is an excuse.

Two things may lose something, and only what they touched:

- **We killed the binary of a session** (a crash, as by the kernel's OOM killer). Gone may be: the answer that was being
  streamed, the tool that ran, and records that the binary had not yet written: it writes about 0.1 s late, and up to
  `_UNWRITTEN` on a busy machine (measured on 2.1.330: 3.1 s at load 20). What had reached the API or had ended longer
  before the kill is not excused.
- **A move interrupted a session** at its hard deadline (`outcome: interrupted` in its journalled move). Gone may be the
  answer or the tool that the SIGTERM met; and the replay prompt has to say that something was interrupted and that its
  outcome is unknown. Without these words it is a loss.

Everything else that is missing is lost: above all whatever a move at a boundary, a role's death or a full disk did.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from failover.sim import audit
from failover.sim.audit import Loss
from failover.sim.nemesis.records import Record

#: How long what a binary has may not be on disk (seconds).
_UNWRITTEN = 5.0
#: How far the clocks of two logs may lie apart (seconds).
_BLUR = 1.0
_NAMED = ("interrupted", "outcome is unknown")


@dataclass
class Run:
    """One run of a tool. start, end: epoch seconds; end None: it was cut off.

    excused: something that we allow met it; orphan: its binary was killed while it ran.
    """

    task: str
    step: int
    session: str
    start: float
    end: float | None = None
    excused: bool = False
    orphan: bool = False


@dataclass(frozen=True)
class Cut:
    """A moment at which something may have been lost. t: epoch seconds."""

    t: float
    session: str
    conversation: str
    kill: bool


@dataclass
class CutOff:
    """What is missing. losses, cut_runs: without an excuse; excused: how many had one; unnamed: sentences."""

    losses: list[Loss] = field(default_factory=list)
    cut_runs: list[Run] = field(default_factory=list)
    unnamed: list[str] = field(default_factory=list)
    excused: int = 0


def cuts(record: Record) -> list[Cut]:
    """Return the moments at which we killed a session or a move interrupted one."""
    found = [Cut(crash.t, crash.session, crash.conversation, True) for crash in record.crashes]
    moves = {move["id"]: move for move in record.moves}
    for step in record.journal:
        move = moves[step["move"]]
        if step["state"] == "stopping" and move["outcome"] == "interrupted":
            found.append(Cut(step["at_ms"] / 1000, move["session"], move["conversation"], False))
    return found


def runs(record: Record) -> list[Run]:
    """Return the runs of tools in the order of their starts, with their excuses."""
    sessions, all_cuts = record.session_of_pane(), cuts(record)
    found: list[Run] = []
    latest: dict[tuple[Any, ...], Run] = {}
    for note in sorted(record.witness, key=lambda note: float(note["t"])):
        key = (note["task"], note["step"], note["pid"], note["pane"])
        if note["event"] == "start":
            session = sessions.get(note["pane"]) or str(note["pane"])
            run = Run(str(note["task"]), int(note["step"]), session, float(note["t"]))
            found.append(run)
            latest[key] = run
        elif key in latest:
            latest[key].end = float(note["t"])
    for run in found:
        until = run.end + _UNWRITTEN if run.end is not None else float("inf")
        met = [cut for cut in all_cuts if cut.session == run.session and run.start - _BLUR <= cut.t <= until]
        run.excused = bool(met)
        run.orphan = any(cut.kill for cut in met)
    return found


def task_runs(found: Iterable[Run]) -> dict[str, list[Run]]:
    """Return the runs by task."""
    by_task: dict[str, list[Run]] = defaultdict(list)
    for run in found:
        by_task[run.task].append(run)
    return dict(by_task)


def cut_off(record: Record) -> CutOff:
    """Return what is missing from the record, less what is excused."""
    found, own_runs, all_cuts = CutOff(), runs(record), cuts(record)
    chains, whole = audit.main_requests(record.api), audit.completed(record.api)
    by_label: dict[str, list[Run]] = defaultdict(list)
    for run in own_runs:
        by_label[f"step {run.step} of {run.task}"].append(run)
        # The next run of that step in the same place shows that it was not simply still at work.
        if run.end is None:
            if run.excused:
                found.excused += 1
            else:
                found.cut_runs.append(run)
    for loss in audit.audit(record.api, record.witness).losses:
        if loss.what == "tool_result" and loss.missing_in is None:
            excuse = any(run.excused for run in by_label[loss.detail])
        else:
            arrived = _arrived(loss, chains.get(loss.conversation, ()), whole)
            own = [cut.t for cut in all_cuts if cut.conversation == loss.conversation]
            excuse = any(arrived - _BLUR <= t <= arrived + _UNWRITTEN for t in own)
        if excuse:
            found.excused += 1
        else:
            found.losses.append(loss)
    found.unnamed = list(_unnamed(record, own_runs))
    return found


def _arrived(loss: Loss, chain: Sequence[Mapping[str, Any]], whole: Mapping[int, float]) -> float:
    """Return when what was lost came to be: a prompt or result when first sent, an answer when it was out."""
    for request in chain:
        blocks = [block for message in request["messages"] for block in message["blocks"]]
        if any(loss.detail in (block.get("sha"), block.get("id")) or _begins(block, loss) for block in blocks):
            return float(request["t"])
        if any(loss.detail in (block.get("sha"), block.get("id")) for block in request["response"]):
            return whole.get(int(request["n"]), float(request["t"]))
    return 0.0


def _begins(block: Mapping[str, Any], loss: Loss) -> bool:
    return loss.missing_in is None and str(block.get("head", "\0"))[:60] == loss.detail


def _unnamed(record: Record, own_runs: Sequence[Run]) -> Iterable[str]:
    """Say which interrupts cut off a tool and did not say so to the session."""
    steps = {(step["move"], step["state"]): step["at_ms"] / 1000 for step in record.journal}
    for move in record.moves:
        at = steps.get((move["id"], "stopping"))
        if move["outcome"] != "interrupted" or at is None or (move["id"], "relaunched") not in steps:
            continue
        cut = [
            run for run in own_runs if run.session == move["session"] and run.end is None and run.start <= at + _BLUR
        ]
        last = cut[-1] if cut else None
        if last is not None and at - last.start < 60 and not all(word in move["prompt"] for word in _NAMED):
            yield f"move {move['id']} cut off step {last.step} of {last.task} in {move['session']} and did not say so"
