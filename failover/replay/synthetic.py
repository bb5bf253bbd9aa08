"""Made-up demand, drawn from a seed: people in an office, batches in the night, or both."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from random import Random
from typing import Literal, cast, get_args

import msgspec

from failover.core.cost import Usage, weigh
from failover.errors import UsageError
from failover.replay.demand import FIVE_HOURS, ORDINARY, WEEK, Demand, Quota, Turn

Shape = Literal["mixed", "office", "night"]

#: A Monday, 00:00 UTC, so that days and hours can be told in what is made up.
MONDAY = 1_735_516_800
DAY, HOUR = 86400.0, 3600.0


#: What a batch is like, on the mean: seconds, tokens that are read and written in it.
_BATCH_SECONDS, _READ, _WRITTEN = 110.0, 2500, 900
#: Tokens of a context at its start, after it was compacted, and of the summary that then begins it.
_FRESH, _COMPACTED, _SUMMARY = 15_000, 20_000, 3_000


class Synthetic(msgspec.Struct, frozen=True, kw_only=True):
    """What made-up demand is like.

    shape: people in an office, batches in the night, or half of each and a few that never rest (mixed); small: so many
    of the accounts have a quarter of the quota, the preferred one first; weekly: a week's cap in 5-hour windows;
    context: tokens at which a conversation is compacted.
    """

    days: int = 30
    sessions: int = 20
    accounts: int = 5
    seed: int = 1
    shape: Shape = "mixed"
    small: int = 0
    weekly: int = ORDINARY[1] // ORDINARY[0]
    context: int = 160_000


_LIMITS = {
    "days": (1, 366), "sessions": (1, 500), "accounts": (1, 50), "seed": (0, 2**32), "small": (0, 50),
    "weekly": (1, int(WEEK / FIVE_HOURS)), "context": (20_000, 1_000_000),
}  # fmt: skip


def parse(text: str) -> Synthetic:
    """Return the parameters in `days=30,sessions=20,…`. Raises UsageError."""
    found: dict[str, int | str] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        key, _, value = part.partition("=")
        known = ", ".join(Synthetic.__struct_fields__)
        if key not in Synthetic.__struct_fields__ or key in found:
            fault = "is there twice" if key in found else "is no parameter"
            raise UsageError(f"synthetic demand: {key!r} {fault}; write e.g. days=30,sessions=20 (known: {known})")
        if key == "shape":
            if value not in get_args(Shape):
                raise UsageError(
                    f"synthetic demand: there is no shape {value!r}; use one of {', '.join(get_args(Shape))}"
                )
            found[key] = value
            continue
        low, high = _LIMITS[key]
        if not re.fullmatch(r"\d{1,10}", value, re.ASCII) or not low <= int(value) <= high:
            raise UsageError(f"synthetic demand: {key}={value} is no number from {low} to {high}")
        found[key] = int(value)
    made = msgspec.convert(found, Synthetic)
    if made.small > made.accounts:
        raise UsageError(f"synthetic demand: small={made.small} is more than accounts={made.accounts}")
    return made


def demand(given: Synthetic, about: str = "") -> Demand:
    """Return the demand that `given` describes; the same for the same parameters, on any machine."""
    turns: list[Turn] = []
    for number in range(given.sessions):
        random = Random(given.seed * 1000 + number)
        shape: str = given.shape
        if shape == "mixed":
            shape = ("office", "night", "office", "night", "always")[number % 5]
        came = _CAME[cast("Shape", shape)](random, given.days)
        turns += _turns(f"s-{number:02}", came, given, random)
    return Demand(
        about=about or f"made up: {', '.join(_said(given))}",
        start=MONDAY,
        seconds=int(given.days * DAY),
        accounts=tuple(_quota(number, given) for number in range(given.accounts)),
        turns=tuple(turns),
    )


def _said(given: Synthetic) -> list[str]:
    """Return the parameters that are not the usual ones, the seed in any case."""
    usual = msgspec.structs.asdict(Synthetic())
    return [f"{k}={v}" for k, v in msgspec.structs.asdict(given).items() if v != usual[k] or k == "seed"]


def _quota(number: int, given: Synthetic) -> Quota:
    five_hour = ORDINARY[0] // (4 if number < given.small else 1)
    return Quota(
        name=f"account-{number + 1}",
        five_hour=five_hour,
        seven_day=five_hour * given.weekly,
        week_ends=int(WEEK * (number + 1) / given.accounts),
    )


def _office(random: Random, days: int) -> Iterator[tuple[float, float]]:
    """Yield when a person's prompts come, each with how long it is worked on at most: five days, a lunch, pauses."""
    for day in range(days):
        if day % 7 > 4:
            continue
        at = day * DAY + random.gauss(9 * HOUR, 0.5 * HOUR)
        end = day * DAY + random.gauss(17.5 * HOUR, 0.7 * HOUR)
        lunch = day * DAY + random.gauss(12.3 * HOUR, 0.3 * HOUR)
        while at < end:
            if not lunch < at < lunch + 0.75 * HOUR:
                yield at, min(3600.0, random.lognormvariate(6.0, 0.7))
            at += random.lognormvariate(6.9, 0.8)


def _night(random: Random, days: int) -> Iterator[tuple[float, float]]:
    """Yield the long turns of a batch: each evening a list of them that is worked off one after another."""
    for day in range(days):
        at = day * DAY + 20 * HOUR + random.uniform(0, 0.5 * HOUR)
        for _ in range(random.randint(14, 24)):
            yield at, min(7200.0, random.lognormvariate(7.3, 0.5))


def _always(random: Random, days: int) -> Iterator[tuple[float, float]]:
    """Yield the turns of a session that is given work around the clock."""
    at = random.uniform(0, HOUR)
    while at < days * DAY:
        yield at, min(3600.0, random.lognormvariate(6.5, 0.6))
        at += random.lognormvariate(7.6, 0.6)


_CAME: dict[str, Callable[[Random, int], Iterator[tuple[float, float]]]] = {
    "office": _office, "night": _night, "always": _always,
}  # fmt: skip


def _turns(session: str, asked: Iterator[tuple[float, float]], given: Synthetic, random: Random) -> Iterator[Turn]:
    """Yield turns whose context grows until it is compacted, and whose cost follows from both."""
    context = _FRESH
    for at, seconds in asked:
        batches = max(1, round(seconds / _BATCH_SECONDS))
        tokens = 0.0
        for _ in range(batches):
            if context > given.context:
                tokens += weigh(Usage(cache_read_input_tokens=context, output_tokens=_SUMMARY))
                context = _COMPACTED
            # A message or a tool's result is read, and an answer or a call of a tool is written.
            came, said = int(random.expovariate(1 / _READ)), int(random.expovariate(1 / _WRITTEN))
            tokens += weigh(
                Usage(cache_read_input_tokens=context, cache_creation_input_tokens=came + said, output_tokens=said)
            )
            context += came + said
        yield Turn(
            session=session, at=round(at, 1), seconds=round(seconds, 1), tokens=max(1, round(tokens)), context=context,
            batches=batches,
        )  # fmt: skip
