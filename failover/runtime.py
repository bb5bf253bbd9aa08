"""The one shell that all roles run in: lock, store, bus, signals, and the loop that calls the role.

A role is level-triggered. Its `cycle` looks at the store and the world, does what there is to do and says so in one
sentence; it is called when something it listens to was heard, when envelopes may have been missed, when one of its
descriptors is readable, and in any case after `wake_after` seconds.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec
import zmq

from failover import config as configuration
from failover import log as logs
from failover.bus.publisher import Publisher
from failover.bus.subscriber import Subscriber
from failover.clock import Clock, SystemClock
from failover.config import Config
from failover.errors import FailoverError, StoreBroken, StoreError
from failover.events import Envelope, RoleStarted
from failover.host.lock import RoleLock
from failover.host.process import PARENT_VARIABLE, ProcessId, die_with_parent, give_back_memory, identify
from failover.host.wake import pipe
from failover.paths import Paths
from failover.program import program
from failover.reloading import reread, sections
from failover.store.db import Store

#: Every role looks at least this often, whatever it heard (seconds).
RECONCILE_EVERY = 5.0
#: How long a role lets news settle that nobody waits for to a few milliseconds (seconds): who only listens has heard
#: it by then, and does not stand in line for a core behind those who act on it.
SETTLE = 0.01
_BACK_OFF_FIRST, _BACK_OFF_MOST = 0.25, 5.0
#: How long a role waits for the lock of a predecessor that is just ending (seconds).
_LOCK_WAIT = 2.0
_MOST_HEARD = 10_000
#: What a role says that was asked to read a configuration that it cannot take.
OLD_STAYS = "The old configuration stays"


class Role(Protocol):
    """What a role gives to the shell."""

    name: str

    @property
    def topics(self) -> tuple[str, ...]:
        """Return how the subjects begin that wake the role now (see events.subject). Of those that a cycle adds, the
        first may be missed: it asks to be called again soon."""

    def cycle(self, heard: Sequence[Envelope]) -> str:
        """Look at everything, do what is due, and return one sentence of what was done and why ("" for nothing).

        `heard` is only a hint (envelopes of `topics`, possibly none). FailoverError: try again with a back-off
        (StoreBroken: end, and be started anew).
        """

    def wake_after(self) -> float:
        """Return in how many seconds a cycle is wanted without any other cause."""

    def descriptors(self) -> Sequence[int]:
        """Return what wakes the role when readable; a cycle must read or drop what woke it."""

    def close(self) -> None:
        """Let go of what the role holds."""


@dataclass(frozen=True, slots=True)
class Host:
    """What a role stands on. boot: random name of this process start; process: this process.

    Whatever `store` commits is published.
    """

    config: Config
    paths: Paths
    store: Store
    clock: Clock
    boot: str
    process: ProcessId
    log: logging.Logger
    publisher: Publisher

    def started(self) -> None:
        """Report that the role is ready: its row in `roles` is what `up` waits for."""
        name, taken = self.log.name, msgspec.json.encode(sections(self.config)).decode()
        with self.store.transaction() as transaction:
            row = {
                "role": name,
                "boot": self.boot,
                "pid": self.process.pid,
                "start": self.process.start,
                "at_ms": self.store.now_ms(),
                "did": "",
                "config": taken,
                "program": program(),
            }
            transaction.put("roles", row)
            transaction.emit(RoleStarted(role=name, pid=self.process.pid))

    def did(self, sentence: str) -> None:
        """Log what the role did, and keep it in its row."""
        self.log.info("%s", sentence)
        with self.store.transaction() as transaction:
            transaction.execute(
                "UPDATE roles SET did = ?, at_ms = ? WHERE role = ? AND boot = ?",
                (sentence, self.store.now_ms(), self.log.name, self.boot),
            )


@contextlib.contextmanager
def hosted(name: str, environ: Mapping[str, str] = os.environ) -> Iterator[Host]:
    """Give a role its footing, and take it away in good order: parent, config, lock, store, publisher.

    Raises FailoverError when one of them is not to be had.
    """
    log = logs.setup(name)
    if parent := environ.get(PARENT_VARIABLE):
        die_with_parent(int(parent))
    elif "SUPERVISOR_ENABLED" in environ:  # a supervisord started by hand: whoever is the parent now
        die_with_parent()
    give_back_memory()
    config = configuration.load(configuration.find(environ))
    log = logs.setup(name, format=config.log.format, level=config.log.level)
    paths = config.paths
    paths.ensure()
    process = identify(os.getpid())
    assert process is not None
    with contextlib.ExitStack() as stack:
        lock = RoleLock(paths.locks_dir / f"{name}.lock")
        lock.acquire(wait=_LOCK_WAIT)
        stack.callback(lock.release)
        boot = os.urandom(8).hex()  # `secrets` brings OpenSSL: 0.7 MiB of each role
        store = Store.open(paths.store, name, boot)
        stack.callback(store.close)
        publisher = Publisher(paths.bus_in)
        stack.callback(publisher.close)

        def committed(envelopes: Sequence[Envelope]) -> None:
            for envelope in envelopes:
                logs.concerns(msgspec.structs.asdict(envelope.event).items())
            publisher.send(envelopes)

        store.on_commit = committed
        yield Host(config, paths, store, SystemClock(), boot, process, log, publisher)


def run(name: str, make: Callable[[Host], Role], *, rest: float = 0.0, settle: float = 0.0) -> None:
    """Run a role until SIGTERM or SIGINT; this is a worker's whole `main`.

    rest: how long after a look what is heard may wait for the next one (seconds); settle: how long the first that is
    heard waits for what comes with it. What descriptors tell waits for neither.
    Ends the process: 0 after a signal, 1 or 2 with a logged sentence when the role cannot start. An exception that is
    no FailoverError is logged with its traceback and ends the role with 1, so that supervisord starts it afresh.
    """
    try:
        with hosted(name) as host, _Signals() as signals:
            Shell(host, make, signals, rest, settle).run()
        if signals.reload:
            restart()
    except FailoverError as error:
        logging.getLogger(name).error("%s", error)
        sys.exit(error.exit_code)
    except Exception:
        logging.getLogger(name).exception("%s ended by an error of ours; supervisord starts it again", name)
        sys.exit(1)


def restart() -> None:
    """Become this program anew, as the same process; for a role that has let go of everything."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)  # what is ignored stays ignored across an exec
    os.execv(sys.executable, sys.orig_argv)


class _Signals:
    """TERM and INT stop, HUP asks for the configuration to be read again; each wakes a poll by a byte in a pipe."""

    def __init__(self) -> None:
        self.stopping = self.reload = False

    def __enter__(self) -> _Signals:
        self.descriptor, self._end = pipe()
        signal.set_wakeup_fd(self._end, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._came)
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # the role is ending: a second signal must not cut that short
        os.close(self.descriptor)
        os.close(self._end)

    def _came(self, number: int, frame: object) -> None:
        if number == signal.SIGHUP:
            self.reload = True
        else:
            self.stopping = True

    def drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self.descriptor, 64):
                pass


class Shell:
    """The loop around one role."""

    def __init__(
        self, host: Host, make: Callable[[Host], Role], signals: _Signals, rest: float = 0.0, settle: float = 0.0
    ) -> None:
        self._host, self._signals, self._rest, self._settle = host, signals, rest, settle
        self._role = make(host)
        self._subscriber = Subscriber(host.paths.bus_out, self._role.topics)
        self._back_off = 0.0
        self._said = ""

    def run(self) -> None:
        """Call the role until a signal says stop, or says reload and the configuration is right."""
        try:
            self._host.started()
            heard: Sequence[Envelope] = ()
            while not self._signals.stopping:
                if self._signals.reload and self._config_is_right():
                    return
                wait = self._cycle(heard)
                heard = self._listen(wait)
        finally:
            self._role.close()
            self._subscriber.close()

    def _cycle(self, heard: Sequence[Envelope]) -> float:
        """Call the role once; return how long it may rest (seconds)."""
        with logs.cycle():
            return self._guarded(heard)

    def _guarded(self, heard: Sequence[Envelope]) -> float:
        try:
            self._say(self._role.cycle(heard))
        except StoreBroken:
            raise
        except FailoverError as error:
            self._back_off = min(max(self._back_off * 2, _BACK_OFF_FIRST), _BACK_OFF_MOST)
            with contextlib.suppress(StoreError):  # a store that cannot be written takes no sentence; the log has it
                self._say(f"Trying again, since {error}")
            return self._back_off
        self._back_off = 0.0
        return min(max(self._role.wake_after(), 0.0), RECONCILE_EVERY)

    def _say(self, sentence: str) -> None:
        if sentence and sentence != self._said:
            self._said = sentence
            self._host.did(sentence)

    def _listen(self, wait: float) -> list[Envelope]:
        """Wait until the role is to be called; return what it heard. A back-off is slept through to its end."""
        poller = zmq.Poller()
        publisher, subscriber = self._host.publisher, self._subscriber
        descriptors = set() if self._back_off else set(self._role.descriptors())
        for one in (publisher.socket, *descriptors, self._signals.descriptor):
            poller.register(one, zmq.POLLIN)
        subscriber.topics = self._role.topics
        heard: list[Envelope] = []
        now = time.monotonic()
        until, hears_at = now + wait, now + min(self._rest, wait)
        hears = False
        while True:
            now = time.monotonic()
            if not hears and now >= hears_at:
                hears = True
                for socket in subscriber.sockets:
                    poller.register(socket, zmq.POLLIN)
            left = (until if hears else hears_at) - now
            ready = {key for key, _ in poller.poll(math.ceil(max(0, left) * 1000))}
            publisher.pump()
            woken = bool(ready & descriptors)
            missed = False
            if hears or woken:
                heard += subscriber.receive()
                del heard[_MOST_HEARD:]
                missed = subscriber.take_gap()
            if self._signals.descriptor in ready:
                self._signals.drain()
            if self._signals.stopping or self._signals.reload or (hears and left <= 0):
                return heard
            if self._back_off:
                continue
            if missed or woken or (heard and not self._settle):
                return heard
            if heard and hears:  # the rest of the wait is for what comes with it
                hears, until = False, min(until, time.monotonic() + self._settle)
                hears_at = until
                for socket in subscriber.sockets:
                    poller.unregister(socket)

    def _config_is_right(self) -> bool:
        """Check the configuration file; when it is wrong, say so and go on with the old one."""
        try:
            reread(self._host.config, self._host.store)
        except FailoverError as error:
            self._signals.reload = False
            self._host.did(f"{OLD_STAYS}, since {error}")
            return False
        return True
