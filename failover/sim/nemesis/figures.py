"""The figures of a run, counted from its record."""

from __future__ import annotations

from collections import Counter
from typing import Any

from failover.sim import audit
from failover.sim.nemesis import losses
from failover.sim.nemesis.hands import Hands
from failover.sim.nemesis.records import Record


def figures(record: Record, hands: Hands) -> dict[str, Any]:
    """Return what is worth knowing of a run."""
    found, counted = losses.cut_off(record), audit.audit(record.api, record.witness)
    return {
        "sessions": len(record.sessions),
        "faults": dict(sorted(hands.faults.items())),
        "skipped": hands.skipped,
        "swaps": len(record.swaps),
        "moves": dict(Counter(move["state"] for move in record.moves)),
        "interrupted": sum(move["outcome"] == "interrupted" for move in record.moves),
        "tasks": dict(Counter(row["state"] for row in record.tasks)),
        "attempts": sum(int(row["attempt"]) for row in record.tasks),
        "lost_turns": sum(loss.what != "tool_result" for loss in found.losses),
        "lost_tool_results": sum(loss.what == "tool_result" for loss in found.losses),
        "cut_off": len(found.cut_runs),
        "excused": found.excused,
        "double_processes": len(record.seen.twins) + len(audit.double_processes(record.processes)),
        "processes": len(record.lives),
        "samples": record.seen.samples,
        "blackout_ms": _spread(counted.blackout_ms),
        "recovery_ms": _spread(recoveries(record)),
    }


def recoveries(record: Record) -> list[float]:
    """Return for each role that we killed how long it took until its successor reported (milliseconds)."""
    found = []
    for at, role in record.kills:
        back = (e["at_ms"] for e in record.events if e["type"] == "role.started" and e["role"] == role)
        took = next((ms - at * 1000 for ms in back if ms >= at * 1000), None)
        found += [took] if took is not None else []
    return found


def _spread(values: list[float]) -> dict[str, int | None]:
    ordered = sorted(values)
    if not ordered:
        return {"p50": None, "max": None}
    return {"p50": round(ordered[len(ordered) // 2]), "max": round(ordered[-1])}
