"""Hold the record of a run against the promises. Pure: a Record in, one sentence for each broken promise out.

Nothing here believes the daemon where somebody else saw it too: tasks and tools are counted by what the tools and the
API noted, processes by who looked at the process table. What a kill or an interrupt by ourselves excuses is told in
losses, which counts losses.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise

from failover.core.move import TERMINAL, TRANSITIONS
from failover.sim import audit
from failover.sim.nemesis.losses import Run, cut_off, runs, task_runs
from failover.sim.nemesis.records import Record

#: How far two clocks readings of one moment may lie apart: a sampler's step, a busy machine's pause (seconds).
_BLUR = 1.0


def broken(record: Record) -> list[str]:
    """Return all broken promises."""
    checks = (
        one_swap_at_a_time, legal_journals, one_process_a_conversation, nothing_lost, tasks_in_one_place,
        tasks_done_once, sessions_survive, quiet_panes, no_secrets, nothing_left_over,
    )  # fmt: skip
    return [sentence for check in checks for sentence in check(record)]


# -- P1 ------------------------------------------------------------------------------------------------


def one_swap_at_a_time(record: Record) -> Iterator[str]:
    """P1: no swap begins before the one before it has ended, and no step of a move lies outside its swap."""
    for swap in record.swaps:
        if swap["state"] == "open":
            yield f"P1 swap {swap['id']} is still open"
    for before, after in pairwise(record.swaps):
        if after["started_ms"] < before["finished_ms"] or not before["finished_ms"]:
            yield f"P1 swap {after['id']} began before swap {before['id']} had ended"
    swap_of = {move["id"]: move["swap"] for move in record.moves}
    for one, other in pairwise(record.journal):
        if swap_of[other["move"]] < swap_of[one["move"]]:
            yield f"P1 swap {swap_of[other['move']]} took a step after swap {swap_of[one['move']]} had begun"


def legal_journals(record: Record) -> Iterator[str]:
    """P1: every journal is a path of the table that ends where it may, and the move is where its journal says."""
    paths = defaultdict(list)
    for step in record.journal:
        paths[step["move"]].append((step["was"], step["state"]))
    for move in record.moves:
        state, name = "queued", f"move {move['id']} of {move['session']}"
        for was, now in paths[move["id"]]:
            if was != state or now not in TRANSITIONS.get(was, {}).values():
                yield f"P1 {name}: no step leads from {state} by {was} to {now}"
            state = now
        if state != move["state"]:
            yield f"P1 {name} is {move['state']}, but its journal ends with {state}"
        if state not in TERMINAL:
            yield f"P1 {name} came to no end: it is {state} ({move['why']})"
        if state == "yielded":
            yield f"P2 {name} yielded, though nobody but us has its conversation: {move['why']}"


# -- P2, P5 ----------------------------------------------------------------------------------------------


def one_process_a_conversation(record: Record) -> Iterator[str]:
    """P2: no two processes at once on one conversation, by the process table and by the binaries' own log."""
    for twin in record.seen.twins:
        yield f"P2 two processes at once: {twin}"
    for conversation, older, newer in audit.double_processes(record.processes):
        yield f"P2 process {older} worked on {conversation} when {newer} had begun"


def sessions_survive(record: Record) -> Iterator[str]:
    """P5: a session's process ends when we killed it or a move that says so in its journal stopped it; never else."""
    crashed = {(crash.pid, crash.start) for crash in record.crashes}
    stopped: dict[tuple[int, int], float] = {}
    moves = {move["id"]: move for move in record.moves}
    for step in record.journal:
        move, at = moves[step["move"]], step["at_ms"] / 1000
        if step["state"] == "stopping":
            stopped.setdefault((move["pid"], move["start"]), at)
        if step["state"] == "leaving":
            # The process that could not be served under its account: the one that its session had just then.
            session = move["session"]
            for life in record.lives:
                if life.session == session and life.first <= at <= life.last + _BLUR:
                    stopped.setdefault((life.pid, life.start), at)
    for life in record.lives:
        key = (life.pid, life.start)
        if life.alive or key in crashed:
            continue
        if key not in stopped:
            yield f"P5 process {life.pid} of {life.session} ended, and neither we nor a move had stopped it"
        elif life.gone < stopped[key] - _BLUR:
            yield f"P5 process {life.pid} of {life.session} ended before a move told it to"
    placed = {row["session"]: (row["pid"], row["start"]) for row in record.placements}
    alive = {life.session: (life.pid, life.start) for life in record.lives if life.alive}
    for session in record.sessions:
        if session not in alive:
            yield f"P5 {session} has no process"
        elif placed.get(session) != alive[session]:
            yield f"P5 {session} is placed on process {placed.get(session, (0,))[0]}, but {alive[session][0]} is its"


def quiet_panes(record: Record) -> Iterator[str]:
    """P5: no pane shows anything of us."""
    for line in record.seen.traces:
        yield f"P5 a pane shows us: {line}"


# -- P3, P4 ----------------------------------------------------------------------------------------------


def nothing_lost(record: Record) -> Iterator[str]:
    """P3: no turn and no tool result is lost, and nothing is cut off, but where we or a named interrupt did it."""
    found = cut_off(record)
    for loss in found.losses:
        yield f"P3 lost {loss.what} of {loss.conversation}: {loss.detail} (missing in request {loss.missing_in})"
    for run in found.cut_runs:
        yield f"P3 step {run.step} of {run.task} in {run.session} was cut off, and nobody had interrupted it"
    for text in found.unnamed:
        yield f"P3 {text}"


def tasks_in_one_place(record: Record) -> Iterator[str]:
    """P4: each task's file is in exactly one folder with what belongs to it, as the store says, and nothing else is."""
    rows = defaultdict(list)
    for row in record.tasks:
        rows[row["name"]].append(row)
    places = defaultdict(list)
    for project, folder, file in record.files:
        if file.endswith(".md"):
            places[file.removesuffix(".md")].append((project, folder))
        elif not (folder in ("done", "failed") and file.endswith(".result.json")):
            yield f"P4 {folder}/{file} of {project} belongs to no task"
    results = {(project, folder, file) for project, folder, file in record.files if file.endswith(".result.json")}
    for name, task in record.dropped.items():
        where = places.pop(name, [])
        if len(where) != 1 or where[0][0] != task.project:
            yield f"P4 task {name} is in {where or 'no folder'}"
            continue
        states = [row["state"] for row in rows[name]]
        if states != [where[0][1]]:
            yield f"P4 task {name} is in {where[0][1]}/, and {states} in the store"
        elif (task.project, where[0][1], f"{name}.result.json") not in results:
            yield f"P4 task {name} in {where[0][1]}/ has no result"
        elif where[0][1] == "failed":
            yield f"P4 task {name} failed after {rows[name][0]['attempt']} attempts: {rows[name][0]['reason']}"
    for name, where in places.items():
        yield f"P4 {name} in {where} was never dropped"


def tasks_done_once(record: Record) -> Iterator[str]:
    """P4: what is done was done, by one session at a time, and done again only where an attempt was cut short."""
    attempts = {row["name"]: int(row["attempt"]) for row in record.tasks}
    done = {row["name"] for row in record.tasks if row["state"] == "done"}
    # Asked a last question, a session that crashed in the middle of a task may well go on with that.
    worked = task_runs(run for run in runs(record) if run.start < record.rested)
    for name, own in worked.items():
        task = record.dropped.get(name)
        if task is None:
            continue
        ended = Counter(run.step for run in own if run.end is not None)
        missing = [step for step in range(1, len(task.steps) + 1) if not ended[step]]
        if name in done and missing:
            yield f"P4 task {name} is done, but its steps {missing} never ended"
        turns = _turns(own)
        if len(turns) > max(1, attempts.get(name, 0)):
            yield f"P4 task {name} was worked on by {', '.join(turns)} in {attempts.get(name, 0)} attempts"
        yield from _at_once(name, own)
        for step, times in ended.items():
            if times > max(1, attempts.get(name, 0)) and not any(run.excused for run in own if run.step == step):
                yield f"P4 step {step} of {name} ended {times} times in {attempts.get(name, 0)} attempts"
    for name in done - set(worked):
        if name in record.dropped:
            yield f"P4 task {name} is done, but no step of it ever ran"
    yield from _attempts(record)
    yield from _two_hands(record)


def _turns(own: list[Run]) -> list[str]:
    """Return who worked on a task, one after the other."""
    return [run.session for number, run in enumerate(own) if not number or own[number - 1].session != run.session]


def _at_once(name: str, own: list[Run]) -> Iterator[str]:
    for number, one in enumerate(own):
        for other in own[number + 1 :]:
            overlap = one.session != other.session and one.end is not None and other.start < one.end
            # The tool of a binary that we killed runs on as an orphan; its session does not.
            if overlap and not one.orphan:
                yield f"P4 {one.session} and {other.session} worked on {name} at once (step {one.step}, {other.step})"


def _attempts(record: Record) -> Iterator[str]:
    """Say which tasks were offered again although the process of the session that had them was never killed by us."""
    taken = defaultdict(list)
    for event in record.events:
        if event["type"] == "task.dispatched":
            taken[event["name"]].append(event)
    for name, events in taken.items():
        for attempt, times in Counter(event["attempt"] for event in events).items():
            if times > 1:
                yield f"P4 attempt {attempt} of task {name} was taken {times} times"
        for one, other in pairwise(events):
            since, until = one["at_ms"] / 1000 - _BLUR, other["at_ms"] / 1000
            if not any(c.session == one["session"] and since - 5 <= c.t <= until for c in record.crashes):
                yield f"P4 task {name} was taken from {one['session']} and offered again, and nobody had killed it"


def _two_hands(record: Record) -> Iterator[str]:
    """Say which prompts of tasks reached more than one conversation."""
    seen = defaultdict(set)
    for conversation, chain in audit.main_requests(record.api).items():
        for request in chain:
            for message in request["messages"]:
                for block in message["blocks"]:
                    head = str(block.get("head", ""))
                    if message["role"] == "user" and head.startswith("[task "):
                        seen[head.partition("]")[0]].add(conversation)
                    if message["role"] == "user" and head.count("[task ") > 1:
                        seen[f"{head[:60]} … is two prompts in one"] |= {"", conversation}
    for mark, conversations in seen.items():
        if len(conversations) > 1:
            yield f"P4 the prompt {mark}] was given to {len(conversations)} conversations"


# -- P6 and the rest -----------------------------------------------------------------------------------


def no_secrets(record: Record) -> Iterator[str]:
    """P6: no token anywhere but in the binaries' own files."""
    for where in record.seen.secrets:
        yield f"P6 a token stands in {where}"


def nothing_left_over(record: Record) -> Iterator[str]:
    """Everything came to rest, and nothing is left of what was under way."""
    yield from record.found
    for text in record.unrest:
        yield f"not at rest: {text}"
    for text in record.leftovers:
        yield f"left over: {text}"
