"""Every benchmark runs: small, so that it is seen to be broken before somebody needs its figure."""

from __future__ import annotations

import math

import pytest

from failover.bench.effort import QUICK
from failover.bench.main import BENCHMARKS, measure
from failover.errors import HostError


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_runs_and_tells_figures(name: str) -> None:
    """Nothing is asked of how good they are: that would be this machine, at this moment."""
    try:
        rows = measure(name, QUICK)
    except HostError as error:
        pytest.skip(str(error))
    assert rows
    assert len({row.name for row in rows}) == len(rows)
    for row in rows:
        assert math.isfinite(row.value) and row.value >= 0, row
        assert row.limit is None or row.limit > 0, row
        assert row.benchmark == name and row.binary == "simulated", row
    assert any(row.value > 0 for row in rows), rows
