"""A statusline that goes from 89 to 91 % starts a swap at once, on the real CLI."""

from __future__ import annotations

import pytest

from failover.bench.effort import Effort
from failover.bench.threshold import threshold
from failover.sim.real_cli import real_claude

pytestmark = pytest.mark.real


def test_a_statusline_from_89_to_91_percent_starts_the_swap_at_once() -> None:
    """The figure (budget: 500 ms) is printed; what is asserted is its share of the swap that follows, in the same run:
    both are slow on a busy host."""
    found, share = threshold(Effort(real=real_claude(), trials=2))
    print(found, share)
    assert share.verdict == "within", (found, share)
