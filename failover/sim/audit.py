"""Count what really happened, from the fake API's log and the witness log that the tools themselves wrote.

Pure functions on lists of records. API records are those of failover.sim.api; a witness record is
`{"t", "task", "step", "event": "start" | "end", "pid"}`, a process record one line of the simulated CLI's own log.
Nothing here believes what a session, a transcript or the daemon says of itself.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from failover.sim.brain import is_unknown
from failover.sim.digest import sha

Record = Mapping[str, Any]
Key = tuple[str, ...]

WINDOWS = {"five_hour": "u5", "seven_day": "u7"}
THRESHOLDS = {"five_hour": 0.90, "seven_day": 0.95}


@dataclass(frozen=True)
class Loss:
    """Something that a conversation no longer knows: in which request (its number) it should have been."""

    conversation: str
    what: str  # answer | prompt | tool_result
    detail: str
    missing_in: int | None


@dataclass(frozen=True)
class Absence:
    """One change of account of one conversation: how long nothing of it was heard, in milliseconds.

    `working` is false where the turn under the old account was over, so that nobody waited for it.
    """

    conversation: str
    source: str
    target: str
    last_sign: float
    first_request: float
    working: bool

    @property
    def ms(self) -> float:
        """Return the length in milliseconds."""
        return round((self.first_request - self.last_sign) * 1000, 1)


@dataclass(frozen=True)
class Crossing:
    """The answer with which an account first passed a threshold in a window."""

    account: str
    window: str
    t: float
    utilization: float


@dataclass(frozen=True)
class Audit:
    """All counts of a run, with what they were counted from."""

    losses: list[Loss]
    absences: list[Absence]
    crossings: list[Crossing]
    run_twice: list[tuple[str, str]]  # (task, step) that ended more than once
    started_twice: list[tuple[str, str]]  # ... that was begun more than once, as after an unknown outcome
    double_processes: list[tuple[str, int, int]]
    tasks_done: list[str]

    @property
    def lost_turns(self) -> int:
        """Count answers and prompts that were lost."""
        return sum(loss.what != "tool_result" for loss in self.losses)

    @property
    def lost_tool_results(self) -> int:
        """Count finished tools whose result the model never got, or got and lost again."""
        return sum(loss.what == "tool_result" for loss in self.losses)

    @property
    def tools_run_twice(self) -> int:
        """Count steps that took effect more than once."""
        return len(self.run_twice)

    @property
    def moves(self) -> int:
        """Count changes of account, over all conversations."""
        return len(self.absences)

    @property
    def blackout_ms(self) -> list[float]:
        """Return how long each moved session was away, of those that were at work."""
        return [absence.ms for absence in self.absences if absence.working]

    @property
    def threshold_crossed(self) -> dict[str, float]:
        """Return when each account first passed a threshold, epoch seconds."""
        first: dict[str, float] = {}
        for crossing in self.crossings:
            first.setdefault(crossing.account, crossing.t)
        return first


def audit(
    api: Sequence[Record],
    witness: Sequence[Record] = (),
    processes: Sequence[Record] = (),
    prompts: Iterable[tuple[str, str]] = (),
    thresholds: Mapping[str, float] = THRESHOLDS,
) -> Audit:
    """Count everything.

    `prompts` are (conversation, text) pairs known to have been accepted; `thresholds` are fractions per window.
    """
    chains, whole = main_requests(api), completed(api)
    losses = [loss for name, chain in chains.items() for loss in lost_between(name, chain, whole)]
    losses += unanswered(chains, whole, prompts)
    losses += lost_results(api, witness)
    ends, starts = _steps(witness, "end"), _steps(witness, "start")
    return Audit(
        losses=losses,
        absences=absences(api, witness),
        crossings=crossings(api, thresholds),
        run_twice=sorted(step for step, count in ends.items() if count > 1),
        started_twice=sorted(step for step, count in starts.items() if count > 1),
        double_processes=double_processes(processes),
        tasks_done=sorted(tasks_done(api)),
    )


def main_requests(api: Iterable[Record]) -> dict[str, list[Record]]:
    """Return the main requests of each conversation in their order (no sub-agents, no side queries)."""
    chains: dict[str, list[Record]] = defaultdict(list)
    for record in sorted((r for r in api if r.get("event") == "request"), key=lambda r: r["n"]):
        if record.get("kind") == "main" and record.get("conversation"):
            chains[str(record["conversation"])].append(record)
    return dict(chains)


def completed(api: Iterable[Record]) -> dict[int, float]:
    """Return when each answer was out whole: number of the request -> epoch seconds. Refusals are no answers."""
    return {int(r["n"]): float(r["t"]) for r in api if r.get("event") == "end" and r.get("status") == 200}


def lost_between(conversation: str, chain: Sequence[Record], whole: Mapping[int, float]) -> list[Loss]:
    """Return what one main request had, or was answered, that the next one of the conversation no longer has."""
    lost = []
    for before, after in pairwise(chain):
        there = Counter(_keys(after["messages"]))
        for key in dict.fromkeys(_keys(before["messages"])):
            if key not in there and key[0] in ("prompt", "answer", "tool_result"):
                lost.append(Loss(conversation, key[0], key[-1], int(after["n"])))
        if int(before["n"]) in whole:
            answer = list(_keys([{"role": "assistant", "blocks": before["response"]}]))
            gone = [key for key in answer if key not in there]
            if gone:
                lost.append(Loss(conversation, "answer", gone[0][-1], int(after["n"])))
    return lost


def unanswered(
    chains: Mapping[str, Sequence[Record]], whole: Mapping[int, float], prompts: Iterable[tuple[str, str]] = ()
) -> list[Loss]:
    """Return prompts that no whole answer of the conversation ever followed."""
    lost = []
    wanted: dict[str, dict[Key, str]] = defaultdict(dict)
    for conversation, text in prompts:
        wanted[conversation][("prompt", sha(text))] = text[:60]
    for conversation, chain in chains.items():
        for request in chain:
            for message in request["messages"]:
                for block in message["blocks"]:
                    if message["role"] == "user" and block["type"] == "text" and not block.get("reminder"):
                        wanted[conversation].setdefault(("prompt", block["sha"]), block["head"][:60])
    for conversation, texts in wanted.items():
        answered: set[Key] = set()
        for request in chains.get(conversation, ()):
            if int(request["n"]) in whole:
                answered.update(_keys(request["messages"]))
        lost += [Loss(conversation, "prompt", head, None) for key, head in texts.items() if key not in answered]
    return lost


def lost_results(api: Sequence[Record], witness: Iterable[Record]) -> list[Loss]:
    """Return the steps that ended according to the witness and whose result no later request carries."""
    chains = main_requests(api)
    calls: dict[str, list[tuple[str, str]]] = defaultdict(list)  # label -> (conversation, tool_use id)
    carried: dict[str, float] = {}  # tool_use id -> time of the last request that has a real result of it
    for conversation, chain in chains.items():
        for request in chain:
            for block in _blocks(request):
                if block["type"] == "tool_use" and (conversation, block["id"]) not in calls[block.get("label", "")]:
                    calls[block.get("label", "")].append((conversation, str(block["id"])))
                elif block["type"] == "tool_result" and not is_unknown(block["text"]):
                    carried[str(block["id"])] = float(request["t"])
    told = [
        (float(request["t"]), block["text"])
        for request in api
        for message in request.get("messages") or ()
        for block in message["blocks"]
        if block["type"] == "tool_result" and not is_unknown(block["text"])
    ]
    lost = []
    for record in witness:
        if record.get("event") != "end":
            continue
        label, end = f"step {record['step']} of {record['task']}", float(record["t"])
        known = calls.get(label, [])
        # A call without that description (a sub-agent's, say) is known by what its tool printed.
        if any(carried.get(ident, 0.0) >= end for _, ident in known):
            continue
        if not any(at >= end and label in text for at, text in told):
            lost.append(Loss(known[0][0] if known else "", "tool_result", label, None))
    return lost


def tasks_done(api: Iterable[Record]) -> set[str]:
    """Return the tasks that the model declared done in a main answer."""
    found = set()
    for chain in main_requests(api).values():
        for request in chain:
            for block in request["response"]:
                if block["type"] == "text" and str(block["head"]).startswith("TASK-DONE "):
                    found.add(str(block["head"]).removeprefix("TASK-DONE ").strip())
    return found


def absences(api: Sequence[Record], witness: Iterable[Record] = ()) -> list[Absence]:
    """Return one entry per change of account of a conversation.

    The last sign of life is the end of the last answer under the old account (of a sub-agent's too), or the end of a
    tool of that conversation if that came later.
    """
    ended = {int(r["n"]): float(r["t"]) for r in api if r.get("event") in ("end", "disconnect")}
    whole = completed(api)
    signs: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for record in api:
        if record.get("event") == "request" and record.get("conversation"):
            at = ended.get(int(record["n"]), float(record["t"]))
            signs[str(record["conversation"])].append((at, str(record["account"])))
    tools = [(float(r["t"]), f"step {r['step']} of {r['task']}") for r in witness if r.get("event") == "end"]
    found = []
    for conversation, chain in main_requests(api).items():
        labels = {b.get("label") for request in chain for b in _blocks(request) if b["type"] == "tool_use"}
        for before, after in pairwise(chain):
            if before["account"] == after["account"]:
                continue
            first = float(after["t"])
            heard = [at for at, account in signs[conversation] if account == before["account"] and at <= first]
            heard += [t for t, label in tools if label in labels and float(before["t"]) <= t <= first]
            over = int(before["n"]) in whole and all(b["type"] != "tool_use" for b in before["response"])
            last = max(heard, default=float(before["t"]))
            accounts = (str(before["account"]), str(after["account"]))
            found.append(Absence(conversation, *accounts, last, first, working=not over))
    return found


def crossings(api: Iterable[Record], thresholds: Mapping[str, float]) -> list[Crossing]:
    """Return when each account passed a threshold (window -> fraction), once per rise, in order of time."""
    found = []
    above: set[tuple[str, str]] = set()
    for record in sorted((r for r in api if r.get("event") == "request" and "u5" in r), key=lambda r: r["n"]):
        for window, threshold in thresholds.items():
            before, after = record[WINDOWS[window]]
            mark = (str(record["account"]), window)
            if after < threshold:
                above.discard(mark)
            elif mark not in above:
                above.add(mark)
                found.append(Crossing(*mark, float(record["t"]), float(max(before, after))))
    return found


def double_processes(processes: Iterable[Record]) -> list[tuple[str, int, int]]:
    """Return (conversation, older pid, newer pid) where the older one gave a sign of life after the newer's start.

    Numbers are given anew: what has one is another process from its next start on.
    """
    lives: dict[str, list[_Life]] = defaultdict(list)  # by conversation
    present: dict[int, _Life] = {}
    for record in sorted((r for r in processes if r.get("conversation")), key=lambda r: r["t"]):
        pid, conversation, at = int(record["pid"]), str(record["conversation"]), float(record["t"])
        if record["event"] == "start":
            present[pid] = _Life(pid, conversation, at, at)
            lives[conversation].append(present[pid])
        elif (life := present.get(pid)) and life.conversation == conversation:
            life.last = at
    return [
        (conversation, older.pid, newer.pid)
        for conversation, all_on_it in lives.items()
        for newer in all_on_it
        for older in all_on_it
        if older.start < newer.start < older.last
    ]


@dataclass
class _Life:
    """A process. conversation: what it was started on; start, last: when, and when it last gave a sign there (epoch
    seconds)."""

    pid: int
    conversation: str
    start: float
    last: float


def _keys(messages: Iterable[Record]) -> Iterable[Key]:
    for message in messages:
        for block in message["blocks"]:
            if block["type"] == "text" and message["role"] != "system" and not block.get("reminder"):
                yield ("prompt" if message["role"] == "user" else "answer", str(block["sha"]))
            elif block["type"] == "tool_use":
                yield ("answer", str(block["id"]))
            elif block["type"] == "tool_result":
                yield ("tool_result", str(block["id"]))


def _blocks(request: Record) -> list[Record]:
    return [b for m in request["messages"] for b in m["blocks"]] + list(request["response"])


def _steps(witness: Iterable[Record], event: str) -> Counter[tuple[str, str]]:
    return Counter((str(r["task"]), str(r["step"])) for r in witness if r.get("event") == event)
