"""The document shows the tables as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from failover.core.diagram import BEGIN, END, mermaid, renewed

DOCUMENT = Path(__file__).parents[2] / "docs" / "swap.md"


def test_the_document_shows_the_tables_as_they_are() -> None:
    text = DOCUMENT.read_text()
    assert renewed(text) == text, "docs/swap.md is stale; make it anew with: scripts/pictures"


def test_steps_between_the_same_states_share_a_line() -> None:
    shown = mermaid({"a": {"go": "b", "run": "b"}, "b": {}}, "a").splitlines()
    assert shown == ["stateDiagram-v2", "    [*] --> a", "    a --> b: go, run", "    b --> [*]"]


def test_a_document_without_the_section_is_refused() -> None:
    for text in ("", BEGIN, END):
        with pytest.raises(ValueError, match="no section"):
            renewed(text)
