"""How values of the configuration are written, and the limits that a file is held to.

The kinds are marks on the types of `config_model`: the reference names them, and `held` enforces their limits.
"""

from __future__ import annotations

from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from failover.config_yaml import Value, duration_text

Name = Annotated[str, Meta(extra={"kind": "name"})]
Duration = Annotated[float, Meta(extra={"kind": "duration"})]
"""Seconds; more than none where no other limit is set."""
Percent = Annotated[float, Meta(extra={"kind": "percentage"})]
"""Of a usage window; more than none where no other limit is set, and at most 100."""
Dollars = Annotated[float, Meta(extra={"kind": "amount"})]
"""US dollars, more than none."""


class Limits(msgspec.Struct, frozen=True):
    """What a field may be: its kind, and from where (`low`) to where (`high`, or up to but not `under`)."""

    kind: str = ""
    low: float | None = None
    high: float | None = None
    under: float | None = None


def limits(hint: Any) -> Limits:
    """Return what the marks on a type say."""
    marks = [mark for mark in getattr(hint, "__metadata__", ()) if isinstance(mark, Meta)]
    if not marks and get_origin(hint) is not None:
        inner = [one for one in get_args(hint) if hasattr(one, "__metadata__")]
        return limits(inner[0]) if len(inner) == 1 else Limits()
    found = Limits()
    for mark in marks:
        found = Limits(
            kind=(mark.extra or {}).get("kind", found.kind),
            low=found.low if mark.ge is None else mark.ge,
            high=found.high if mark.le is None else mark.le,
            under=found.under if mark.lt is None else mark.lt,
        )
    return found


def whole(value: Value, struct: type[msgspec.Struct], field: str) -> int:
    """Return a whole number within the limits of a field. Raises ConfigError."""
    found = limits(get_type_hints(struct, include_extras=True)[field])
    assert found.low is not None and found.high is not None
    return value.integer(int(found.low), int(found.high))


def lasting(value: Value, struct: type[msgspec.Struct], field: str, why: str = "", instead: str = "") -> float:
    """Return a duration (s) that is not under the limit of a field. why, instead: said around the mend.

    Raises ConfigError.
    """
    low = limits(get_type_hints(struct, include_extras=True)[field]).low
    seconds = value.duration(zero=low == 0)
    if low is not None and seconds < low:
        value.fail(f"is under {duration_text(low)}", f"{why}write {duration_text(low)} or more{instead}")
    return seconds
