"""Chromium without a window, for the pictures of the page, its measurements and its tests."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

from failover.errors import HostError

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_COMMAND = "/usr/bin/chromium"
#: Nothing of it may ask anybody outside this machine.
_ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Give Debian's Chromium. Raises HostError when it, or what drives it, is missing."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise HostError("playwright is missing; install it with: scripts/setup --dev") from None
    if shutil.which(_COMMAND) is None:
        raise HostError(f"{_COMMAND} is missing; on Debian: apt-get install chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=_COMMAND, args=list(_ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()
