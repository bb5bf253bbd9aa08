"""What a sink is sent next: each notice by itself, several as one digest, or nothing yet.

What is decided here is written down before it is sent, so that a second try sends the very same under the same key.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from failover.core.notice import Severity
from failover.core.routing import rank

#: A digest shows so many of its notices, the worst first.
_SHOWN = 10
#: Of each of them so many characters, and of a notice by itself (Telegram takes 4,096 in all).
_LINE, LONGEST = 250, 2000
#: Seconds until a sink that failed is tried again, doubled each time.
_FIRST, _MOST = 2.0, 300.0


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A notice that waits for its sink. id: it goes by that order; at_ms: when it came in; held: it came into quiet
    hours."""

    id: int
    at_ms: int
    severity: Severity
    text: str
    held: bool = False


class Quiet(msgspec.Struct, frozen=True, kw_only=True):
    """Hours in which a sink is left in peace. begin, end: minutes of the day, by the clock on the wall in `zone`;
    breaks: from this severity on it is told nevertheless."""

    begin: int
    end: int
    zone: str
    breaks: Severity = "critical"


class Digest(msgspec.Struct, frozen=True, kw_only=True):
    """When more than `more_than` notices come within `within` seconds, the further ones become one summary."""

    more_than: int
    within: float


class Parcel(msgspec.Struct, frozen=True):
    """What is sent as one message: one notice, or a digest of several. ids: of the notices, ascending."""

    ids: tuple[int, ...]
    digest: bool = False


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """parcels: to be sent now, in this order; hold: notices that quiet hours hold back from now on."""

    parcels: tuple[Parcel, ...] = ()
    hold: tuple[int, ...] = ()


def is_quiet(quiet: Quiet | None, minute: int) -> bool:
    """Say whether it is quiet at a minute of the day. Hours may go over midnight."""
    if quiet is None:
        return False
    if quiet.begin <= quiet.end:
        return quiet.begin <= minute < quiet.end
    return minute >= quiet.begin or minute < quiet.end


def plan(
    waiting: Sequence[Waiting], recent: Sequence[int], quiet: Quiet | None, digest: Digest | None, *, minute: int,
    now_ms: int,
) -> Plan:  # fmt: skip
    """Decide. waiting: by id; recent: when parcels were sent lately (epoch milliseconds), see `sent`; minute: of the
    day, in the zone of the quiet hours."""
    if quiet is not None and is_quiet(quiet, minute):
        least = rank(quiet.breaks)
        loud = [one for one in waiting if rank(one.severity) >= least]
        hold = tuple(one.id for one in waiting if rank(one.severity) < least and not one.held)
        return Plan(parcels=_paced(loud, recent, digest, now_ms), hold=hold)
    if sum(one.held for one in waiting) > 1:
        # Whatever came in since stands behind them, and would overtake them if it went by itself.
        return Plan(parcels=(Parcel(tuple(one.id for one in waiting), digest=True),))
    return Plan(parcels=_paced(waiting, recent, digest, now_ms))


def _paced(waiting: Sequence[Waiting], recent: Sequence[int], digest: Digest | None, now_ms: int) -> tuple[Parcel, ...]:
    singly = tuple(Parcel((one.id,)) for one in waiting)
    if digest is None or not waiting:
        return singly
    window = int(digest.within * 1000)
    lately = still_recent(recent, window, now_ms)
    if len(waiting) <= digest.more_than - len(lately):
        return singly
    fresh = 0 <= now_ms - waiting[0].at_ms < window
    if lately and fresh and not any(one.severity == "critical" for one in waiting):
        return ()  # the summary goes out when its window is over; a critical notice takes it along at once
    return (Parcel(tuple(one.id for one in waiting), digest=len(waiting) > 1),)


def sent(recent: Sequence[int], parcel: Parcel, digest: Digest | None, now_ms: int) -> list[int]:
    """Return the moments of late sends with one more: a digest uses up what its window has room for."""
    if digest is None:
        return []
    kept = still_recent(recent, int(digest.within * 1000), now_ms)
    return [*kept, *[now_ms] * (digest.more_than if parcel.digest else 1)][-digest.more_than :]


def still_recent(times: Sequence[int], window_ms: int, now_ms: int) -> list[int]:
    """Return which of these moments lie in the window before now. One in the future (the clock was set) does not."""
    return [at for at in times if 0 <= now_ms - at < window_ms]


def summary(notices: Sequence[Waiting]) -> tuple[Severity, str]:
    """Return the severity and the words of a digest: counts, then the worst, each by its time."""
    counts: dict[Severity, int] = {}
    for one in notices:
        counts[one.severity] = counts.get(one.severity, 0) + 1
    order = sorted(counts, key=rank, reverse=True)
    worst = sorted(notices, key=lambda one: (-rank(one.severity), one.id))
    lines = [f"- {one.severity}: {cut(one.text, _LINE)}" for one in worst[:_SHOWN]]
    if len(worst) > _SHOWN:
        lines.append(f"- and {len(worst) - _SHOWN} more: claude-failover events")
    listed = ", ".join(f"{counts[severity]} {severity}" for severity in order)
    return order[0], "\n".join([f"{len(notices)} notices: {listed}", *lines])


def cut(text: str, most: int) -> str:
    """Return a text of at most so many characters: one that a service never takes would stand in the way of all."""
    return text if len(text) <= most else text[: most - 1] + "…"


def back_off(failures: int, draw: float) -> float:
    """Return the seconds until the next try after so many failures in a row. draw: from 0 to 1, so that many who failed
    together do not come back together."""
    return float(min(_MOST, _FIRST * 2 ** min(failures - 1, 16)) * (0.5 + draw / 2))


#: A sink that failed for this long is told of to the others (seconds).
DEAD_AFTER = 300.0
