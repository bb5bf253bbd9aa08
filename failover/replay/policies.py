"""The policies that are compared: those of configuration files, or the default one and three simpler ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from failover.config import Account, Config, Failover, Thresholds, load
from failover.core.choice import Strategy
from failover.errors import UsageError
from failover.replay.demand import Quota


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """A policy by its configuration: its accounts are those of the demand. bill: it knows what a move costs."""

    name: str
    config: Config
    bill: bool = True


#: What the simpler ones choose among the accounts that are below their threshold. They know no margin, no cool-down, no
#: bill of a move, no forecast and no waiting for a reset, and never go home.
SIMPLER: dict[str, Strategy] = {
    "static threshold": "priority",
    "most headroom": "most_headroom",
    "soonest reset": "soonest_reset",
}


def usual(accounts: Sequence[Quota]) -> list[Policy]:
    """Return the default policy and the simpler ones."""
    simpler = [
        Policy(name=name, config=_made(accounts, _simple(strategy)), bill=False) for name, strategy in SIMPLER.items()
    ]
    return [Policy(name="default", config=_made(accounts, Failover())), *simpler]


def of_files(files: Sequence[Path], accounts: Sequence[Quota]) -> list[Policy]:
    """Return the policies of configuration files. Raises ConfigError, and UsageError where accounts do not match."""
    found: list[Policy] = []
    for file in files:
        config = load(file)
        name = file.stem if file.stem not in [one.name for one in found] else str(file)
        found.append(Policy(name=name, config=_matched(config, accounts)))
    return found


def _matched(config: Config, accounts: Sequence[Quota]) -> Config:
    """Return `config` with its accounts in the order of the demand: by name if it has those names, else one by one."""
    by_name = {account.name: account for account in config.accounts}
    if all(quota.name in by_name for quota in accounts):
        return msgspec.structs.replace(config, accounts=tuple(by_name[quota.name] for quota in accounts))
    if len(config.accounts) != len(accounts):
        raise UsageError(
            f"{config.file}: it has {len(config.accounts)} accounts and the demand is for {len(accounts)}"
            f" ({', '.join(quota.name for quota in accounts)}); give it as many, or name them so"
        )
    return config


def _simple(strategy: Strategy) -> Failover:
    return Failover(
        strategy=strategy, margin=0.0, cooldown=0.0, wait_if_reset_within=0.0, fail_back=False, forecast=False
    )


def _made(accounts: Sequence[Quota], failover: Failover) -> Config:
    nowhere = Path("/nonexistent")
    return Config(
        file=nowhere,
        version=1,
        state_dir=nowhere,
        shared_dir=nowhere,
        accounts=tuple(
            Account(name=quota.name, config_dir=nowhere, priority=place, thresholds=Thresholds())
            for place, quota in enumerate(accounts, start=1)
        ),
        failover=failover,
    )
