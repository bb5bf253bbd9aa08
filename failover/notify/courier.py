"""A thread for each sink, so that one who hangs holds up nobody else. Only the role itself touches the store."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections import deque
from collections.abc import Sequence

import msgspec

from failover.errors import HostError
from failover.notify import Sink, make
from failover.notify.message import Message, Rejected, Unreachable
from failover.notify.spec import SinkSpec
from failover.redact import redact

_log = logging.getLogger("notifier")


class Outcome(msgspec.Struct, frozen=True):
    """What became of one message. trouble: what the sink said, empty when it took it; rejected: it never will;
    retry_after: seconds that it asked for."""

    key: str
    trouble: str = ""
    rejected: bool = False
    retry_after: float | None = None

    @property
    def is_settled(self) -> bool:
        """Say whether there is nothing more to do about the message."""
        return self.rejected or not self.trouble


class Courier:
    """Takes some messages at a time, one after the other; the first that does not get through ends the round."""

    def __init__(self, spec: SinkSpec, wake: int) -> None:
        """wake: a descriptor that is written a byte whenever there is an outcome."""
        self._spec, self._wake = spec, wake
        self._sink: Sink | None = None
        self._outcomes: deque[Outcome] = deque()
        self._thread: threading.Thread | None = None
        self._left = 0

    @property
    def is_busy(self) -> bool:
        """Say whether a round is under way, or what became of one is still to be taken."""
        return self._left > 0

    def carry(self, messages: Sequence[Message]) -> None:
        """Begin a round."""
        self._left = len(messages)
        self._thread = threading.Thread(target=self._round, args=(list(messages),), daemon=True)
        self._thread.start()

    def take(self) -> list[Outcome]:
        """Return what became of messages since the last call."""
        taken = []
        while self._outcomes:
            outcome = self._outcomes.popleft()
            self._left = self._left - 1 if outcome.is_settled else 0
            taken.append(outcome)
        return taken

    def join(self, timeout: float) -> None:
        """Wait for the end of the round, a while."""
        if self._thread is not None:
            self._thread.join(timeout)

    def _round(self, messages: list[Message]) -> None:
        for message in messages:
            outcome = self._try(message)
            self._outcomes.append(outcome)
            with contextlib.suppress(OSError):  # full: it wakes as it is; closed: the role is ending
                os.write(self._wake, b"\0")
            if not outcome.is_settled:
                return

    def _try(self, message: Message) -> Outcome:
        try:
            if self._sink is None:
                self._sink = make(self._spec)
            self._sink.send(message)
        except Rejected as error:
            return Outcome(message.key, redact(str(error)), rejected=True)
        except Unreachable as error:
            return Outcome(message.key, redact(str(error)), retry_after=error.retry_after)
        except HostError as error:
            return Outcome(message.key, redact(str(error)))
        except Exception as error:  # a library's: it must not end the thread without a word
            _log.exception("The sink %s failed by an error of ours or of a library", self._spec.name)
            return Outcome(message.key, redact(f"{type(error).__name__}: {error}"))
        return Outcome(message.key)
