"""The commands of docs/migrating.md, as a reader would type them."""

from __future__ import annotations

import re

from tests.cli.run import ROOT

PAGE = ROOT / "docs" / "migrating.md"


def commands(section: str) -> list[str]:
    """Return the command lines below the heading, or the paragraph in bold, that begins with `section`."""
    found: list[str] = []
    inside = False
    for line in PAGE.read_text().splitlines():
        if heading := re.match(r"(?:\*\*|## )(.*)", line):
            inside = heading[1].startswith(section)
        elif inside and line.startswith("    "):
            found.append(re.sub(r"\s{2,}# .*", "", line.strip()))
    assert found, f"{PAGE}: has no commands under {section!r}"
    return found
