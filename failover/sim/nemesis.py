"""The nemesis: a made-up host at work, and for minutes everything that can go wrong with it; then the promises are held
against what was seen.

scripts/nemesis --seed N --minutes M [--real] [--sessions 6] [--json] [--keep]

Tasks flow, accounts run out and open again, people order swaps, while roles are killed and stopped, the daemon is
ended, its disk filled, its bus fed with garbage, the API throttled and sessions crashed (failover.sim.nemesis_plan says
when, from the seed alone). Then everything is let come to rest, each session is asked a last question, and
failover.sim.nemesis_checks reads the store, the journals and what outsiders noted. The last line on stdout is one JSON
object; exit 0 means that no promise was broken.
"""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from failover.host import daemon, process
from failover.host.process import ProcessId
from failover.sim import audit, nemesis_checks, nemesis_losses, nemesis_plan, nemesis_record, real_cli
from failover.sim.demo import keep_copy
from failover.sim.nemesis_disk import Disk
from failover.sim.nemesis_hands import LEFT_OUT, Hands
from failover.sim.nemesis_plan import Pace, TaskSpec
from failover.sim.nemesis_record import Record
from failover.sim.nemesis_watch import Watch
from failover.sim.world import World

ACCOUNTS = ("main", "backup", "spare")
#: How long a window lasts here, and how long after the start each account's first one ends (seconds).
_WINDOW_5H, _WINDOW_7D, _STAGGER = 40.0, 60.0, 11.0
_FAILOVER = {
    "cooldown": "3s",
    "margin": 5,
    "deadline": {"soft": "60s", "hard": "10s"},
    "wait_if_reset_within": "0s",
}
#: A task that sessions were killed under so often is nobody's fault but ours.
_DISPATCH = {"max_attempts": 25}
_TICK = 0.05


@click.command()
@click.option("--seed", default=1, show_default=True, help="What happens and when follows from this number alone.")
@click.option("--minutes", default=1.0, show_default=True, help="How long faults are made.")
@click.option("--real", is_flag=True, help="With the real Claude Code (installed from npm if need be).")
@click.option("--sessions", "count", type=int, help="How many sessions; by default 6, with --real 3.")
@click.option("--patience", default=300.0, show_default=True, help="Seconds in which all must come to rest at the end.")
@click.option("--json", "quiet", is_flag=True, help="Show nothing but the JSON object.")
@click.option("--keep", is_flag=True, help="Keep a copy of everything if a promise was broken; its path is printed.")
def main(seed: int, minutes: float, real: bool, count: int | None, patience: float, quiet: bool, keep: bool) -> None:
    """Break what can be broken and see whether the promises hold."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupted)
    binary = real_cli.real_claude() if real else None
    say = _silent if quiet else lambda line: print(line, file=sys.stderr, flush=True)
    result = run(seed, minutes, binary, count or (3 if real else 6), say=say, keep=keep, patience=patience)
    click.echo(json.dumps(result))
    raise SystemExit(1 if result["broken"] else 0)


def _interrupted(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _silent(line: str) -> None:
    pass


def run(
    seed: int,
    minutes: float,
    real: Path | None,
    sessions: int,
    *,
    say: Callable[[str], None],
    keep: bool = False,
    patience: float = 300.0,
) -> dict[str, Any]:
    """Run the nemesis and return its figures; `broken` holds one sentence for each broken promise."""
    names = {f"ccl-{number}": ("app" if number % 2 == 0 else "web") for number in range(sessions)}
    extra = {"dispatch": _DISPATCH}
    with contextlib.ExitStack() as stack:
        world = World(real=real, accounts=ACCOUNTS, sessions=names, failover=_FAILOVER, extra=extra)
        disk = Disk(world.state)
        stack.callback(disk.remove)
        stack.enter_context(world)
        nemesis = Nemesis(world, disk, seed, nemesis_plan.REAL if real else nemesis_plan.SIMULATED, say)
        record = nemesis.rage(minutes * 60, patience)
        broken = nemesis_checks.broken(record)
        result = {"seed": seed, "minutes": minutes, **nemesis.figures(record), "broken": broken}
        if broken and keep:
            (world.root / "nemesis.log").write_text("\n".join([*nemesis.hands.log, "", *broken, ""]))
            result["kept"] = str(keep_copy(world))
        for sentence in broken:
            say(f"BROKEN {sentence}")
    return result


class Nemesis:
    """One run on one world."""

    def __init__(self, world: World, disk: Disk, seed: int, pace: Pace, say: Callable[[str], None]) -> None:
        self.hands = Hands(world, disk, say)
        self._world, self._seed, self._pace = world, seed, pace
        self._watch = Watch(world)
        self._tasks = nemesis_plan.tasks(seed, list(world.projects), pace)
        self._dropped: dict[str, TaskSpec] = {}
        self._rested = float("inf")

    def rage(self, seconds: float, patience: float) -> Record:
        """Start everything, make faults for `seconds`, let it come to rest, and return what was seen.

        patience: seconds that it may take to come to rest, since tasks are left over, accounts have to open again, and
        machines are busy.
        """
        world, hands = self._world, self.hands
        self._set_up()
        acts = nemesis_plan.acts(self._seed, seconds, list(world.sessions), ACCOUNTS, self._pace)
        began = time.monotonic()
        fed = 0.0
        while (now := time.monotonic() - began) < seconds:
            while acts and acts[0].at <= now:
                hands.do(acts.pop(0))
            hands.pump()
            if now >= fed:
                fed = now + 0.5
                self._feed()
                hands.watch_daemon()
            time.sleep(_TICK)
        hands.note("no more faults")
        unrest = self._come_to_rest(patience)
        self._watch.stop()
        record = nemesis_record.read(world)
        record.dropped, record.seen, record.unrest = self._dropped, self._watch.seen, unrest
        record.rested = self._rested
        record.crashes, record.kills, record.found = hands.crashes, hands.kills, hands.found
        record.seen.secrets += [f"the file {path}" for path in nemesis_record.secrets(world)]
        return record

    def _set_up(self) -> None:
        world = self._world
        accounts = {}
        for number, name in enumerate(ACCOUNTS):
            resets = {"reset5_in": _WINDOW_5H - number * _STAGGER, "reset7_in": _WINDOW_7D - number * _STAGGER}
            windows = {"window5": _WINDOW_5H, "window7": _WINDOW_7D}
            accounts[name] = {"u5": 0.1, "u7": 0.1, "cost5": 0.001, **windows, **resets}
        world.api.control(chunk_delay=0.01, accounts=accounts)
        world.up()
        self._watch.start()
        world.launch()
        self.hands.note(f"{len(world.sessions)} sessions run; seed {self._seed}")

    def _feed(self) -> None:
        """Keep as many tasks in the inboxes as there are sessions."""
        inboxes = [project / ".agent-queue" / "inbox" for project in self._world.projects.values()]
        waiting = sum(path.suffix == ".md" for inbox in inboxes for path in inbox.iterdir())
        for _ in range(len(self._world.sessions) - waiting):
            task = next(self._tasks)
            self._dropped[task.name] = task
            _drop(self._world, task)

    # -- coming to rest ---------------------------------------------------------------------------------

    def _come_to_rest(self, patience: float) -> list[str]:
        """End all faults and wait until nothing is under way; return what did not come to rest."""
        world, hands = self._world, self.hands
        world.api.control(accounts={name: {"mode": "ok", "u5": 0.02, "u7": 0.02} for name in ACCOUNTS})
        while hands.busy:
            hands.pump()
            hands.watch_daemon()
            time.sleep(_TICK)
        unrest = [trouble for trouble in (hands.bring_up(), hands.launch()) if trouble]
        until = time.monotonic() + patience
        freed: set[str] = set()
        while (trouble := list(self._unrest())) and time.monotonic() < until:
            self._free_limited(freed)
            time.sleep(0.2)
        hands.note(f"at rest: {'; '.join(trouble) or 'all'}")
        unrest += trouble
        if not unrest:
            self._rested = time.time()
            for name in world.sessions:
                unrest += self._ask(name)
            unrest += self._calm_down()
        elif trouble:
            unrest.append(world.report())
        return unrest

    def _unrest(self) -> Iterator[str]:
        world = self._world
        supervisor = daemon.find(world.config.paths)
        rows = world.query("SELECT role, pid, start FROM roles")
        living = {row["role"] for row in rows if process.alive(ProcessId(row["pid"], row["start"]))}
        if supervisor is None or living != set(daemon.ROLES):
            yield f"roles that do not run: {', '.join(sorted(set(daemon.ROLES) - living))}"
        for row in world.query("SELECT id FROM swaps WHERE state = 'open'"):
            yield f"swap {row['id']} is open"
        for row in world.query("SELECT id FROM orders WHERE id NOT IN (SELECT order_id FROM order_results)"
                               " AND verb NOT IN ('pause', 'resume')"):  # fmt: skip
            yield f"order {row['id']} has no result"
        closed = {row["name"] for row in world.query("SELECT name FROM tasks WHERE state IN ('done', 'failed')")}
        if open_tasks := sorted(set(self._dropped) - closed):
            yield f"tasks that are not at their end: {', '.join(open_tasks)}"
        for name in world.sessions:
            if (state := world.state_of(name)) != "idle":
                yield f"{name} is {state}"

    def _free_limited(self, freed: set[str]) -> None:
        """Restart, as a person would, a session that waits in a limit's menu while every account has room."""
        for name in self._world.sessions:
            if name not in freed and self._world.state_of(name) == "limited":
                freed.add(name)
                self.hands.note(f"{name} waits in a limit's menu; restarting it")
                self.hands.restart(name)

    def _ask(self, name: str) -> list[str]:
        """Ask a session a last question, so that its whole history is seen by the API once more."""
        world = self._world
        conversation = world.placement(name).conversation
        unrest = []
        if left := _typed(world.screen(name)):
            unrest.append(f"a line that nobody sent stands in {name}: {left[:80]}")
            world.tmux.keys(world.placement(name).pane, *["BSpace"] * len(left))
        text = f"last words to {name}"
        try:
            world.type(name, text)
            world.wait(lambda: _answered(world, conversation, text), f"an answer of {name}", 120)
        except TimeoutError as error:
            unrest.append(str(error))
        return unrest

    def _calm_down(self) -> list[str]:
        """Wait until orphans of killed binaries have ended and holds are gone; what stays is found by the record."""
        world = self._world

        def calm() -> bool:
            supervisor = daemon.find(world.config.paths)
            holds = world.query("SELECT 1 FROM holds")
            return not holds and not nemesis_record.orphans(world, supervisor) and not list(self._unrest())

        try:
            world.wait(calm, "calm", 60)
        except TimeoutError:
            return list(self._unrest())
        return []

    # -- figures ------------------------------------------------------------------------------------------

    def figures(self, record: Record) -> dict[str, Any]:
        """Return what is worth knowing of a run."""
        found, counted = nemesis_losses.cut_off(record), audit.audit(record.api, record.witness)
        return {
            "sessions": len(record.sessions),
            "faults": dict(sorted(self.hands.faults.items())),
            "skipped": {**self.hands.skipped, **{kind: [why] for kind, why in LEFT_OUT.items()}},
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


def _drop(world: World, task: TaskSpec) -> None:
    """Put a task into its project's inbox by rename. Each step's length stands in a list that the shell looks up."""
    inbox = world.projects[task.project] / ".agent-queue" / "inbox"
    lengths = " ".join(str(seconds) for seconds in task.steps)
    command = f"set -- {lengths}; {world.step} {task.name} {{step}} ${{{{step}}}}"
    text = f'# {task.name}\n\nPLAN{{name={task.name} steps={len(task.steps)} command="{command}"}}\n'
    temporary = inbox.parent / f"{task.name}.new"
    temporary.write_text(text)
    temporary.rename(inbox / f"{task.name}.md")


def _typed(screen: str) -> str:
    """Return what stands in the prompt box of a pane."""
    lines = [line for line in screen.splitlines() if line.startswith("❯")]
    return lines[-1].removeprefix("❯").strip() if lines else ""


def _answered(world: World, conversation: str, text: str) -> bool:
    whole = audit.completed(world.api.records())
    for request in world.api.requests(conversation):
        heads = [str(block.get("head", "")) for message in request["messages"] for block in message["blocks"]]
        if any(text in head for head in heads) and request["n"] in whole:
            return True
    return False


if __name__ == "__main__":
    main()
