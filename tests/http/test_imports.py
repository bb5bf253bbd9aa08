"""The control plane loads what it uses."""

from __future__ import annotations

import subprocess
import sys

import pytest

_LOAD = """
import sys
from litestar import get
from failover.http.routes import Plain
import failover.mcp, workers.control_plane

@get("/")
async def nothing() -> dict[str, str]:
    return {}

Plain([nothing])
heavy = ("pydantic", "attrs", "mcp", "apprise", "rich", "textual", "matplotlib")
print(*(name for name in heavy if name in sys.modules))
"""


def test_models_of_others_stay_away_even_where_they_are_installed() -> None:
    pytest.importorskip("pydantic")
    done = subprocess.run([sys.executable, "-c", _LOAD], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
