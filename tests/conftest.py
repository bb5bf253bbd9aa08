"""What several folders of tests need."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from failover.bus.proxy import Proxy
from failover.paths import Paths
from tests.places import short_dir


@pytest.fixture
def paths() -> Iterator[Paths]:
    """Return the names inside an empty state dir whose sockets' paths are short enough."""
    with short_dir() as place:
        made = Paths(place / "s")
        made.ensure()
        yield made


@pytest.fixture
def bus(paths: Paths) -> Iterator[Proxy]:
    """Return a bus that runs in threads of this process."""
    proxy = Proxy(paths)
    yield proxy
    proxy.close()
