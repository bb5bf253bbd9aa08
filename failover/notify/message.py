"""What a sink is sent, and how it says no."""

from __future__ import annotations

import msgspec

from failover.core.notice import Severity
from failover.errors import HostError


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One notice, or a digest of several.

    key: the same at each try, another for each message; event: row in `events` (of a digest: of its last notice);
    at_ms: when that happened, epoch milliseconds; type: the event's, `digest` or `test`; count: notices in it; task,
    swap: rows, 0 for none.
    """

    key: str
    event: int
    at_ms: int
    type: str
    severity: Severity
    text: str
    count: int = 1
    accounts: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    task: int = 0
    swap: int = 0


class Unreachable(HostError):
    """A sink could not be told now. retry_after: the seconds that it asked for, None when it did not say."""

    def __init__(self, sentence: str, retry_after: float | None = None) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class Rejected(HostError):
    """A sink will never take this message; the next one may be taken."""


def facts(message: Message) -> dict[str, str | int]:
    """Return what a message is about as flat names and values, without those that say nothing."""
    about: dict[str, str | int] = {
        "key": message.key,
        "event": message.event,
        "type": message.type,
        "count": message.count if message.count > 1 else 0,
        "account": ",".join(message.accounts),
        "session": ",".join(message.sessions),
        "project": ",".join(message.projects),
        "task": message.task,
        "swap": message.swap,
    }
    return {name: value for name, value in about.items() if value}
