"""The table of faults names tests that exist, and all that bear a number."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import tests.faults

TESTS = Path(__file__).resolve().parents[1]


def table() -> list[tuple[int, str, str]]:
    """Return (number, file, test) of each line of the table."""
    assert tests.faults.__doc__ is not None
    number, file, found = 0, "", []
    for line in tests.faults.__doc__.splitlines()[4:]:
        if fault := re.match(r" ?(\d+) ", line):
            number = int(fault[1])
        elif line.startswith("     "):
            found.append((number, file, line.strip()))
        elif line.strip():
            file = line.strip()
    return found


def defined(file: Path) -> set[str]:
    return {node.name for node in ast.parse(file.read_text()).body if isinstance(node, ast.FunctionDef)}


def test_every_test_of_the_table_exists() -> None:
    rows = table()
    assert len(rows) > 80
    missing = [(file, name) for _, file, name in rows if name not in defined(TESTS / file)]
    assert missing == []


def test_every_test_with_a_number_is_in_the_table_under_it() -> None:
    named = {
        (int(found[1]), f"faults/{file.name}", name)
        for file in Path(__file__).parent.glob("test_*.py")
        for name in defined(file)
        if (found := re.match(r"test_(\d\d)_", name))
    }
    rows = {row for row in table() if re.match(r"test_\d\d_", row[2])}
    assert named == rows
