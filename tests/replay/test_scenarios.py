"""On each published scenario the default policy does at least as much work as each simpler one."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import click
import pytest

from failover.cli.simulate import results_table
from failover.replay.compare import Result, compare
from failover.replay.policies import SIMPLER, usual
from failover.replay.trace import read

DOCS = Path(__file__).parents[2] / "docs"
SCENARIOS = ("office", "night", "scarce")


@cache
def results(scenario: str) -> tuple[Result, ...]:
    demand = read(DOCS / "scenarios" / f"{scenario}.jsonl")
    return tuple(result for result, _ in compare(demand, usual(demand.accounts)))


def test_the_published_scenarios_are_these() -> None:
    assert {path.stem for path in (DOCS / "scenarios").glob("*.jsonl")} == set(SCENARIOS)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_default_policy_does_at_least_as_much_work_as_each_simpler_one(scenario: str) -> None:
    default, *simpler = results(scenario)
    assert default.policy == "default"
    assert [one.policy for one in simpler] == list(SIMPLER)
    less = {one.policy: one.done - default.done for one in simpler if one.done > default.done}
    assert not less, f"tokens of work that the default policy leaves undone: {less}"


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_table_in_the_docs_is_what_the_simulator_says(scenario: str) -> None:
    table = "\n".join(f"    {line}" for line in click.unstyle(results_table(results(scenario))).splitlines())
    assert table in (DOCS / "policy.md").read_text(), f"renew it with: scripts/pictures; it should be\n{table}"
