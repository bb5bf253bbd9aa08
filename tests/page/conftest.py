"""A browser for all tests of the page, and what they look at."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from failover.errors import HostError
from failover.sim.chromium import chromium
from tests.http.plane import Plane, plane
from tests.page.browser import Reader, read
from tests.page.pool import pool


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return Debian's Chromium, without a window. A module's own: its event loop would be in the way of other tests."""
    try:
        with chromium() as found:
            yield found
    except HostError as error:
        pytest.skip(str(error))


@pytest.fixture
def reader(browser: Browser) -> Iterator[Callable[..., Reader]]:
    """Return what opens a page as a reader would; each is closed at the end, and must have complained of nothing."""
    readers: list[Reader] = []

    def look(address: str, **options: object) -> Reader:
        readers.append(read(browser, address, **options))
        return readers[-1]

    yield look
    for one in readers:
        one.close()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def shown() -> Iterator[Plane]:
    """Return a control plane alone, on a port that it keeps, with a made-up pool in mid-swap in its store."""
    with plane() as found:
        found.stop()
        text = found.file.read_text().replace("127.0.0.1:0", f"127.0.0.1:{free_port()}")
        found.file.write_text(text.replace("s-{0..1}", "s-{0..5}").replace("name: b,", "name: backup-of-b,"))
        found.start()
        pool(found.store, [f"s-{number}" for number in range(6)], ("a", "backup-of-b"), found.folder / "p")
        yield found
