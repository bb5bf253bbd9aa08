from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.http.plane import Plane, plane


@pytest.fixture(scope="module")
def control() -> Iterator[Plane]:
    with plane() as found:
        yield found
