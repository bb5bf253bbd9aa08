"""From every prefix of every journal, and whatever happens in between, a move ends legally and nothing runs twice.

The world here is a model of the real one, as small as the questions that `decide` asks of it: who lives, who is told to
end, what the target answers. The switcher is the real table and the real decisions; it is killed before and after
writing any step, and what it knew in memory is gone then.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from failover.core.move import BEFORE_DEATH, TERMINAL, Around, Move, Seen, Step, Wait, advance
from failover.core.session import Standing
from failover.core.steps import decide

TICK = 0.5
Happening = Literal[
    "tick", "killed before", "killed after", "turn", "boundary", "old dies", "server dies", "elsewhere", "closed",
    "new dies", "limit", "logged out", "throttled", "own fault", "answers", "pause", "resume", "target refused",
]  # fmt: skip
HAPPENINGS: tuple[Any, ...] = Happening.__args__  # type: ignore[attr-defined]


class Life(msgspec.Struct):
    """The world of one move, and the switcher that drives it."""

    move: Move
    journal: list[str]
    now: float = 0.0
    urgency: Any = "soft"
    # what is so
    old: bool = True
    told: bool = False
    server: bool = True
    closed: bool = False
    working: bool = True
    elsewhere: bool = False
    new: str = ""  # account of the new process, empty when there is none
    new_told: bool = False
    new_busy: int = 0
    refuses: str = ""
    answers: bool = False
    paused: bool = False
    preflight: str = ""
    # what the switcher keeps in memory
    own_stop: bool = False
    found: float | None = None
    started: set[int] = set()

    def seen(self) -> Seen:
        """Look as the switcher's Scene does."""
        standing = Standing(None, "a turn is open") if self.working else Standing("tool", "held")
        state = self.move.state
        if state in BEFORE_DEATH:
            return Seen(
                alive=self.old,
                server_died=not self.old and not self.server,
                elsewhere=(7,) if self.elsewhere else (),
                standing=standing if self.old else Standing(None, "gone"),
            )
        if state == "stopping":
            return Seen(alive=self.old, registered=self.old and not self.told)
        if state == "leaving":
            return Seen(alive=bool(self.new))
        if state == "dead":
            return Seen(elsewhere=(7,) if self.elsewhere else (), closed=self.closed and self.server)
        trouble = self.refuses if self.new and self.new_busy else ""
        return Seen(
            launched=bool(self.new),
            registered=bool(self.new),
            status="idle",
            taken=bool(self.new),
            answered=bool(self.new) and self.answers and not trouble,
            trouble=trouble,
            refusal=trouble,  # type: ignore[arg-type]
        )

    def around(self) -> Around:
        """Gather what else bears on the move, as the engine does."""
        found = None
        if self.move.state == "stopping" and not self.own_stop:
            self.found = self.now if self.found is None else self.found
            found = self.now - self.found
        refused = frozenset(self.move.refused)
        others = [name for name in ("b", "c") if name not in refused and name != self.move.target]
        return Around(
            now=self.now,
            deadline=60.0,
            urgency=self.urgency,
            slot=True,
            preflight=self.preflight,
            paused=self.paused,
            found=found,
            refused=refused,
            other=others[0] if others else "",
            spent=self.urgency == "hard",
        )

    def tick(self, kill: Literal["", "before", "after"] = "") -> None:
        """Let the switcher look once and take one step; `kill` it around the writing of that step."""
        self.now += TICK
        self._bodies_fall()
        decision = decide(self.move, self.seen(), self.around())
        if isinstance(decision, Step):
            if kill == "before":
                return self.forget()
            self._write(decision)
        if kill:
            return self.forget()
        return self._act()

    def forget(self) -> None:
        """Lose what only the switcher's memory held."""
        self.own_stop, self.found, self.started = False, None, set()

    def _bodies_fall(self) -> None:
        if self.told:
            self.old = False
        if self.new_told:
            self.new, self.new_told = "", False
        if self.new:
            self.new_busy += 1

    def _write(self, step: Step) -> None:
        was = self.move.state
        state = advance(was, step.event)  # raises when it is not legal
        self.journal.append(f"{was} -{step.event}> {state}")
        changes: dict[str, Any] = {"state": state, "at": {**self.move.at, state: self.now}}
        if step.event == "bound":
            changes["outcome"] = step.outcome
        if step.event == "lost":
            changes["outcome"] = "interrupted"
        if step.event in ("died", "lost"):
            assert not self.old, "a death that is none"
            changes["prompt"] = "go on"
        if step.event == "relaunch":
            assert step.target
            changes |= {"target": step.target, "launches": self.move.launches + 1}
        if step.event in ("leave", "park"):
            if self.refuses != "service":
                changes["refused"] = (*self.move.refused, self.move.target)
            if step.target and step.target != self.move.target:
                assert step.target not in self.move.refused, "ping-pong"
                changes |= {"target": step.target, "launches": 0}
        if state == "stopping":
            assert not self.paused
            self.own_stop = True
        self.move = msgspec.structs.replace(self.move, **changes)

    def _act(self) -> None:
        state = self.move.state
        if state == "stopping":
            if self.own_stop or self.told:
                self.told = True
        elif state == "leaving":
            self.new_told = True
        elif state == "relaunching" and self.move.launches not in self.started:
            self.started.add(self.move.launches)
            if not self.new:
                assert not self.old, "two processes on one conversation"
                if not self.elsewhere:  # the launcher refuses then
                    self.new, self.new_busy, self.server, self.closed = self.move.target, 0, True, False


def begin(urgency: str) -> Life:
    move = Move(
        id=1, swap=1, session="s", conversation="c", cwd="/p", source="a", target="b", kind="swap", pid=1, start=1
    )
    return Life(move=move, journal=[], urgency=urgency)


def happen(life: Life, what: Happening) -> None:
    """Let one thing happen in the world."""
    match what:
        case "tick":
            life.tick()
        case "killed before":
            life.tick(kill="before")
        case "killed after":
            life.tick(kill="after")
        case "turn":
            life.working = True
        case "boundary":
            life.working = False
        case "old dies":
            life.old = False
        case "server dies":
            life.server, life.old, life.new = False, False, ""
        case "elsewhere":
            life.elsewhere = not life.elsewhere
        case "closed":
            life.closed, life.new = True, ""
            life.old = False
        case "new dies":
            life.new = ""
        case "limit" | "logged out" | "throttled" | "own fault":
            words = {"limit": "limit", "logged out": "account", "throttled": "service", "own fault": "turn"}
            life.refuses = words[what]
        case "answers":
            life.refuses, life.answers = "", True
        case "pause" | "resume":
            life.paused = what == "pause"
        case "target refused":
            life.preflight = "not logged in"


@settings(max_examples=1500, deadline=None)
@given(st.sampled_from(["idle", "soft", "hard"]), st.lists(st.sampled_from(HAPPENINGS), max_size=60))
@example("hard", ["boundary", *["tick"] * 5, "server dies", "killed after", "tick", "limit", *["tick"] * 9])
def test_whatever_happens_and_whenever_it_is_killed_a_move_ends_legally(urgency: str, story: list[Happening]) -> None:
    life = begin(urgency)
    for what in story:
        happen(life, what)
    quiet(life)


def quiet(life: Life) -> None:
    """Let nothing more happen, and see that the move comes to its end and says so truly."""
    life.working, life.paused, life.elsewhere = False, False, False
    life.answers = True
    if life.move.state in ("answering", "relaunched", "leaving"):
        life.refuses = ""
    for _ in range(400):
        if life.move.state in TERMINAL:
            break
        life.tick()
    state = life.move.state
    assert state in TERMINAL, f"it stays {state}: {life.journal[-3:]}"
    decision = decide(life.move, life.seen(), life.around())
    assert isinstance(decision, Wait), "an end is an end"
    if state == "stayed":
        assert not life.told, "what was told to end cannot be said to have stayed"
    if state in ("failed", "yielded"):
        assert not life.old


def test_every_prefix_of_the_whole_way_can_be_taken_up_again() -> None:
    """The journal of an undisturbed move, cut after each step, by a kill before and after its writing."""
    whole = begin("soft")
    whole.working, whole.answers = False, True
    while whole.move.state not in TERMINAL:
        whole.tick()
    assert whole.move.state == "verified"
    steps = len(whole.journal)
    for cut in range(steps):
        for kill in ("before", "after"):
            life = begin("soft")
            life.working, life.answers = False, True
            while len(life.journal) < cut:
                life.tick()
            life.tick(kill=kill)
            quiet(life)
            assert life.move.state == "verified", (cut, kill, life.journal)
            assert life.new == "b"


def test_a_second_limit_goes_on_to_the_next_account_and_then_waits() -> None:
    life = begin("hard")
    life.working, life.refuses = False, "limit"
    for _ in range(100):
        life.tick()
    assert life.move.state == "parked"
    assert life.move.refused == ("b", "c")
    assert [line for line in life.journal if "-leave>" in line] == ["answering -leave> leaving"]


def test_an_account_that_is_logged_out_sends_it_back_when_there_is_no_other() -> None:
    life = begin("soft")
    life.working, life.refuses = False, "account"
    while life.move.state not in TERMINAL and life.move.target != "a":
        life.tick()
    life.refuses, life.answers = "", True
    quiet(life)
    assert (life.move.state, life.new) == ("verified", "a")


def test_a_provider_that_cannot_serve_is_tried_again_a_few_times() -> None:
    life = begin("soft")
    life.working, life.refuses = False, "service"
    for _ in range(200):
        life.tick()
    assert life.move.state == "parked"
    assert life.move.refused == ()
