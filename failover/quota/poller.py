"""Ask for readings, one question at a time, without ever holding the role up: the binary, or the operator's command.

Who is asked when is decided in failover/core/polling.py. A question is written down before it is put, as one that
failed: so its back-off holds whatever becomes of it, or of this process.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from failover.candidates import candidates, telling
from failover.claude import usage_command
from failover.claude.launch import AUTH_VARIABLES
from failover.core.polling import Ask, Askable, Asked, Pace, backed_off, plan
from failover.core.usage import Reading
from failover.errors import HostError
from failover.events import UsageNoted
from failover.host import process
from failover.host.process import ProcessId
from failover.quota import operator
from failover.quota.child import Child
from failover.runtime import Host
from failover.store import swaps, usage
from failover.store.usage import Poll

_OPERATOR = "command"
#: How often it is looked whether somebody is to be asked (seconds).
_LOOK_EVERY = 5.0


class _Question(msgspec.Struct, frozen=True):
    """What is being asked. poll: as it was written down; parse: makes readings of the answer, or raises HostError."""

    poll: Poll
    what: str
    child: Child
    parse: Callable[[bytes], list[Reading]]


class Poller:
    """The questions of this host."""

    def __init__(self, host: Host) -> None:
        self._config, self._paths = host.config, host.paths
        self._store, self._clock, self._log = host.store, host.clock, host.log
        self._question: _Question | None = None
        self._look_at = 0.0
        self._asked_at: dict[str, tuple[int, float]] = {}  # name → asked_ms, the same by the monotonic clock
        for poll in usage.polls(self._store).values():
            if poll.pid:  # a predecessor was ended while it waited for this one
                process.send_signal(ProcessId(poll.pid, poll.start), signal.SIGTERM)

    def step(self) -> list[list[Reading]]:
        """Hear the answer that has come, or put the next question; return the readings of an answer, by account."""
        if self._question is not None:
            return self._hear(self._question)
        if self._clock.monotonic() >= self._look_at:
            self._look_at = self._clock.monotonic() + _LOOK_EVERY
            self._ask_next()
        return []

    def descriptors(self) -> list[int]:
        """Return what becomes readable when an answer comes."""
        return self._question.child.descriptors() if self._question else []

    def close(self) -> None:
        """End what is being asked; whoever comes next asks again in time."""
        if self._question is not None:
            self._question.child.close()

    def _ask_next(self) -> None:
        wanted, polls = self._config.usage, usage.polls(self._store)
        own = polls.get(_OPERATOR)
        if wanted.command and (own is None or self._since(own) >= backed_off(wanted.every, own.failures)):
            self._ask_operator(own)
        elif wanted.poll:
            chosen = plan(self._askable(polls), Pace(least=wanted.least, most=wanted.most, host=self._host(polls)))
            if isinstance(chosen, Ask):
                self._ask_account(chosen.account, polls.get(_name(chosen.account)))

    def _askable(self, polls: Mapping[str, Poll]) -> list[Askable]:
        swap = swaps.open_swap(self._store)
        live = {*telling(self._store), *((swap.source, swap.target) if swap else ())}
        return [
            Askable(
                account=account.name,
                live=account.name in live,
                readings=account.readings,
                thresholds=account.thresholds,
                asked=Asked(self._since(poll), poll.failures) if (poll := polls.get(_name(account.name))) else None,
            )
            for account in candidates(self._config, self._store, self._clock.epoch())
            # No other kind can be asked: the provider refuses it to tokens, and keys and clouds have no windows.
            if account.enabled and self._config.account(account.name).kind == "subscription"
        ]

    def _host(self, polls: Mapping[str, Poll]) -> Asked | None:
        """Return the last question to any account; its failures: of how many accounts none has answered since."""
        asked = [(self._since(poll), poll.failures) for name, poll in polls.items() if name != _OPERATOR]
        answered = min((since for since, failures in asked if not failures), default=float("inf"))
        failing = sum(1 for since, failures in asked if failures and since < answered)
        return Asked(min(since for since, _ in asked), failing) if asked else None

    def _since(self, poll: Poll) -> float:
        """Return the seconds since a question: by the monotonic clock once this process has seen it."""
        now = self._clock.monotonic()
        if self._asked_at.get(poll.name, (None, 0.0))[0] != poll.asked_ms:
            self._asked_at[poll.name] = (poll.asked_ms, now - max(0.0, self._clock.epoch() - poll.asked_ms / 1000))
        return now - self._asked_at[poll.name][1]

    def _ask_account(self, name: str, last: Poll | None) -> None:
        config_dir, asked_ms = self._config.account(name).config_dir, self._store.now_ms()

        def parse(output: bytes) -> list[Reading]:
            kept = usage_command.cached(config_dir)
            return usage_command.parse(output, kept, name, asked_ms, self._store.now_ms())

        command = [self._config.claude.command, *usage_command.ARGUMENTS]
        env = usage_command.environment(self._config.claude.env, config_dir)
        lock = config_dir / usage_command.REFRESH_LOCK
        self._ask(_name(name), f"claude -p /usage of {name}", last, command, env, self._paths.state_dir, parse, lock)

    def _ask_operator(self, last: Poll | None) -> None:
        names = [account.name for account in self._config.accounts]

        def parse(output: bytes) -> list[Reading]:
            return operator.parse(output, names, self._store.now_ms())

        env = {key: value for key, value in os.environ.items() if key not in AUTH_VARIABLES}
        command = self._config.usage.command
        self._ask(_OPERATOR, f"usage.command {command[0]}", last, command, env, self._config.file.parent, parse)

    def _ask(
        self,
        name: str,
        what: str,
        last: Poll | None,
        command: Sequence[str],
        env: Mapping[str, str],
        cwd: Path,
        parse: Callable[[bytes], list[Reading]],
        lock: Path | None = None,
    ) -> None:
        failures = last.failures if last else 0
        poll = Poll(name=name, asked_ms=self._store.now_ms(), failures=failures + 1, said=f"{what} was asked")
        self._asked_at[name] = (poll.asked_ms, self._clock.monotonic())
        self._keep(poll)
        try:
            child = Child(command, env, cwd, clock=self._clock, timeout=self._config.usage.timeout, lock=lock)
        except HostError as error:
            self._failed(poll, what, error)
            return
        if child.id is not None:
            poll = msgspec.structs.replace(poll, pid=child.id.pid, start=child.id.start)
            self._keep(poll)
        self._question = _Question(poll, what, child, parse)

    def _hear(self, question: _Question) -> list[list[Reading]]:
        poll = msgspec.structs.replace(question.poll, pid=0, start=0)
        try:
            output = question.child.answer()
            if output is None:
                return []
            readings = question.parse(output)
        except HostError as error:
            self._question = None
            self._failed(poll, question.what, error)
            return []
        self._question = None
        shown = ", ".join(f"{one.account} {one.window} {one.used:g} %" for one in readings[:8])
        said = f"{question.what} says: {shown or 'nothing'}"
        self._keep(msgspec.structs.replace(poll, failures=0, said=said))
        self._log.info("%s", said)
        return [[one for one in readings if one.account == name] for name in sorted({one.account for one in readings})]

    def _failed(self, poll: Poll, what: str, error: HostError) -> None:
        """Keep a question that came to nothing; the first one in a row is reported."""
        said = f"{what} {error}"
        self._log.warning("%s (%d in a row)", said, poll.failures)
        noted = UsageNoted(account=poll.name.partition("/")[2], window="", what="poll_failed", sentence=said)
        self._keep(msgspec.structs.replace(poll, said=said), noted if poll.failures == 1 else None)

    def _keep(self, poll: Poll, event: UsageNoted | None = None) -> None:
        with self._store.transaction() as tx:
            usage.keep_poll(tx, poll)
            if event is not None:
                tx.emit(event)


def _name(account: str) -> str:
    return f"account/{account}"
