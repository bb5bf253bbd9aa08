"""What the operator's own command answers: one JSON object on standard output.

    {"readings": [{"account": "main", "window": "five_hour", "used": 42.5, "resets_at": 1795538100}]}

account: a name of the configuration; window: five_hour, seven_day or seven_day_<model>; used: percent; resets_at: epoch
seconds, or null where it is not known; observed_at: epoch seconds, without it the moment of the answer.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Annotated

import msgspec

from failover.core.usage import OPERATOR, Reading, is_window
from failover.errors import HostError

#: No reset time lies further ahead, and no observation further back, than a week and a day (seconds).
_FAR = 8 * 86400


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    account: str
    window: str
    used: Annotated[float, msgspec.Meta(ge=0, le=1000)]
    resets_at: float | None
    observed_at: float | None = None


class _Answer(msgspec.Struct, forbid_unknown_fields=True):
    readings: Annotated[list[_Entry], msgspec.Meta(max_length=1000)]


_UNKNOWN = re.compile(r"Object contains unknown field `.*`(?= - at|$)", re.DOTALL)
_answer = msgspec.json.Decoder(_Answer)


def parse(output: bytes, accounts: Collection[str], now_ms: int) -> list[Reading]:
    """Return the readings of an answer; `accounts` are those that there are. now_ms: epoch milliseconds.

    Raises HostError, naming the place, when any of it is wrong: half of an answer is none.
    """
    try:
        entries = _answer.decode(output).readings
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        told = "is empty" if not output.strip() else f"is not of the schema: {_told(error)}"
        raise HostError(f"its answer {told}; docs/usage.md says what it has to print") from None
    found = []
    for place, entry in enumerate(entries):
        wrong = _wrong(entry, accounts, now_ms / 1000)
        if wrong:
            raise HostError(f"its answer is wrong at $.readings[{place}]: {wrong}")
        found.append(
            Reading(
                account=entry.account,
                window=entry.window,
                used=entry.used,
                resets_at=None if entry.resets_at is None else int(entry.resets_at),
                observed_ms=now_ms if entry.observed_at is None else int(entry.observed_at * 1000),
                source=OPERATOR,
            )
        )
    return found


def _told(error: Exception) -> str:
    """Return what is wrong, and nothing that the command itself wrote: it may be anything."""
    text = str(error)
    return _UNKNOWN.sub("a field that is not in it", text) if isinstance(error, msgspec.ValidationError) else "no JSON"


def _wrong(entry: _Entry, accounts: Collection[str], now: float) -> str:
    if entry.account not in accounts:
        return f"an account that the configuration does not name; it names {', '.join(sorted(accounts))}"
    if not is_window(entry.window):
        return "no window; name it five_hour, seven_day or seven_day_<model>"
    if entry.resets_at is not None and not now - _FAR <= entry.resets_at <= now + _FAR:
        return "resets_at is no time of this week in epoch seconds"
    if entry.observed_at is not None and not now - _FAR <= entry.observed_at <= now + 60:
        return "observed_at is no time of the last week in epoch seconds"
    return ""
