"""Keep what was told: news becomes a row and an event, what belongs to another account is refused and reported."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from failover.core.intake import belongs_to
from failover.core.usage import LIMIT_RECORD, STATUSLINE, Reading, fuse, worth_noting
from failover.events import UsageNoted, UsageRead
from failover.store import usage
from failover.store.db import Store

#: Told by a session: whose figures they are is not proven by who tells them.
_TOLD_BY_SESSIONS = frozenset({STATUSLINE, LIMIT_RECORD})
#: So many of the last readings of a window are what a new one is held against.
_KNOWN = 60


class Ledger:
    """The readings table, as its one writer sees it."""

    def __init__(self, store: Store, accounts: Collection[str]) -> None:
        """accounts: the names of all that there are."""
        self._store, self._accounts = store, accounts
        self._last: dict[tuple[str, str], Reading] = {}  # by account and window: what was kept last
        self._refused: set[tuple[str, str, str, int | None]] = set()  # reported already

    def keep(self, answers: Sequence[Sequence[Reading]]) -> bool:
        """Keep the news in `answers`, and say whether there was any; each of them holds what one source told of one
        account at one moment."""
        answers = [answer for answer in answers if any(map(self._is_news, answer))]
        if not answers:
            return False
        now_ms = self._store.now_ms()
        windows = {reading.window for answer in answers for reading in answer}
        known = [
            reading
            for account in self._accounts
            for window in windows
            for reading in usage.newest_of(self._store, account, window, _KNOWN)
        ]
        was = {note.sentence for note in fuse(known, now_ms / 1000).notes}
        kept: list[Reading] = []
        odd: list[UsageNoted] = []
        for answer in answers:
            owner = belongs_to(answer, known) if answer[0].source in _TOLD_BY_SESSIONS else ""
            if owner:
                odd += self._refuse(answer, owner)
                continue
            for reading in filter(self._is_news, answer):
                self._last[reading.account, reading.window] = reading
                kept.append(reading)
                known.append(reading)
        odd += [
            UsageNoted(account=note.account, window=note.window, what=note.what, sentence=note.sentence)
            for note in fuse(known, now_ms / 1000).notes
            if note.sentence not in was
        ]
        with self._store.transaction() as tx:
            for reading in kept:
                usage.note(tx, reading)
                tx.emit(
                    UsageRead(
                        account=reading.account,
                        window=reading.window,
                        used=reading.used,
                        resets_at=reading.resets_at,
                        source=reading.source,
                    )
                )
            for event in odd:
                tx.emit(event)
        return True

    def _is_news(self, reading: Reading) -> bool:
        last = self._last.get((reading.account, reading.window))
        if last is not None and last.observed_ms > self._store.now_ms():
            last = msgspec.structs.replace(last, observed_ms=0)  # the clock was set back: it says nothing of the order
        return worth_noting(last, reading)

    def _refuse(self, answer: Sequence[Reading], owner: str) -> list[UsageNoted]:
        """Report once for each session and period that its figures are another account's."""
        found = []
        for reading in answer:
            key = (reading.account, reading.window, reading.origin, reading.resets_at)
            if key not in self._refused:
                self._refused.add(key)
                who = reading.origin or "a session"
                sentence = (
                    f"{who} tells of {reading.used:g} % of the {reading.window} window of {reading.account}, but with "
                    f"the reset time of {owner}'s: refused; is {reading.account} logged in as somebody else?"
                )
                found.append(
                    UsageNoted(account=reading.account, window=reading.window, what="foreign", sentence=sentence)
                )
        return found
