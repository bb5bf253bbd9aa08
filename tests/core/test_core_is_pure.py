"""failover/core decides and does not act: it imports values, never the world."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import failover.core

CORE = Path(failover.core.__file__).parent
ALLOWED = {
    "__future__", "bisect", "collections", "collections.abc", "dataclasses", "enum", "functools", "heapq", "itertools",
    "json", "math", "msgspec", "operator", "re", "statistics", "string", "textwrap", "typing", "unicodedata",
}  # fmt: skip


@pytest.mark.parametrize("path", sorted(CORE.glob("*.py")), ids=lambda path: path.stem)
def test_a_core_module_imports_no_clock_and_no_input_or_output(path: Path) -> None:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where a name comes from"
            found.add(node.module or "")
    assert {name for name in found if not name.startswith("failover.core")} <= ALLOWED
