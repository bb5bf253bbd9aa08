"""The accounts of the configuration: what each is called, how it logs in, when it is left and what it may cost."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast, get_args

import msgspec

from failover.claude.kinds import KINDS, KindName
from failover.config_kinds import whole
from failover.config_model import Account, Thresholds
from failover.config_yaml import Value
from failover.core.choice import Use


def thresholds(value: Value, general: Thresholds) -> Thresholds:
    """Return thresholds, with the general ones where none is named. Raises ConfigError."""
    found = value.fields(Thresholds.__struct_fields__)
    models = dict(general.models)
    for model, entry in found.pop("models").mapping().items() if "models" in found else ():
        models[model] = entry.percent(zero=False)
    windows = {name: entry.percent(zero=False) for name, entry in found.items()}
    return msgspec.structs.replace(general, models=models, **windows)


def accounts(value: Value, general: Thresholds, shared_dir: Path, state_dir: Path) -> tuple[Account, ...]:
    """Return the accounts. Raises ConfigError for a name, a folder or an env file that is there twice."""
    listed: list[Account] = []
    taken = {shared_dir.resolve(): "shared_dir", state_dir.resolve(): "state_dir"}
    for place, entry in enumerate(value.items(), start=1):
        found = entry.fields(Account.__struct_fields__, required=("name", "config_dir"))
        account = Account(
            name=found["name"].name(),
            config_dir=found["config_dir"].path(),
            priority=whole(found["priority"], Account, "priority") if "priority" in found else place,
            thresholds=thresholds(found["thresholds"], general) if "thresholds" in found else general,
            enabled=found["enabled"].boolean() if "enabled" in found else True,
            reserve=found["reserve"].percent(zero=True) if "reserve" in found else 0.0,
            standby=found["standby"].boolean() if "standby" in found else False,
            **_kind(found),
        )
        if account.reserve >= 100:
            found["reserve"].fail("leaves nothing of the account", "write less than 100, or enabled: false")
        if any(other.name == account.name for other in listed):
            found["name"].fail(f"the name {account.name} is taken by an account above", "give each account its own")
        owner = taken.setdefault(account.config_dir.resolve(), f"account {account.name}")
        if owner != f"account {account.name}":
            found["config_dir"].fail(f"is the same folder as that of {owner}", "give each account a folder of its own")
        if account.env_file and account.env_file in [other.env_file for other in listed]:
            found["env_file"].fail("is that of an account above", "give each account a login of its own")
        listed.append(account)
    if not any(account.enabled for account in listed):
        value.fail("no account is enabled", "add or enable one")
    return tuple(listed)


def _kind(found: Mapping[str, Value]) -> dict[str, Any]:
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
