"""The keys of an account that tell how it logs in and what it may cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast, get_args

from failover.claude.kinds import KINDS, KindName
from failover.config_yaml import Value
from failover.core.choice import Use


def fields(found: Mapping[str, Value]) -> dict[str, Any]:
    """Return kind, env_file, paid and cap_usd_per_day from the keys of one account. Raises ConfigError.

    The env file itself is not looked at: a configuration may be checked where it is not.
    """
    kind: KindName = "subscription"
    if "kind" in found:
        kind = cast(KindName, found["kind"].choice(list(get_args(KindName))))
    needs_file = kind != "subscription"
    if needs_file and "env_file" not in found:
        found["kind"].fail(f"{kind} needs an env_file", "add env_file: PATH (docs/accounts.md shows what stands in it)")
    if not needs_file and "env_file" in found:
        found["env_file"].fail("a subscription logs in inside its config_dir", "remove it, or add kind: token")
    use: Use = "never"
    if "paid" in found:
        use = cast(Use, found["paid"].choice(list(get_args(Use))))
    for key in ("paid", "cap_usd_per_day"):
        if key in found and not KINDS[kind].paid:
            found[key].fail(f"{kind} is not paid by use", "remove it; extra usage is switched off at claude.ai")
    if use == "last_resort" and "cap_usd_per_day" not in found:
        found["paid"].fail("last_resort needs a cap", "add cap_usd_per_day: 20, in US dollars")
    return {
        "kind": kind,
        "env_file": found["env_file"].path() if needs_file else None,
        "paid": use,
        "cap_usd_per_day": found["cap_usd_per_day"].amount() if "cap_usd_per_day" in found else None,
    }
