"""What the pages claim of the code is so: notices, tests, messages, links, pictures."""

from __future__ import annotations

import ast
import itertools
import re
import textwrap
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from failover.config import load
from failover.core.notice import KINDS
from tests.cli.run import ROOT
from tests.docs.lines import PAGES, samples


def text(page: str) -> str:
    return (ROOT / page).read_text()


def test_each_notice_has_its_entry_with_what_it_means_what_to_look_at_and_what_to_do() -> None:
    entries = re.findall(r"^### `([a-z.-]+)`\n(.*?)(?=^#|\Z)", text("docs/operations.md"), re.MULTILINE | re.DOTALL)
    assert sorted(kind for kind, _ in entries) == sorted(KINDS)
    for kind, entry in entries:
        assert re.findall(r"^- \*\*(.+?)\*\*: \S", entry, re.MULTILINE) == ["Means", "Look at", "Do"], kind


def test_the_states_that_a_session_may_be_told_of_are_explained() -> None:
    entry = text("docs/operations.md").partition("### `session.changed`")[2].partition("### ")[0]
    assert all(f"*{state}*" in entry for state in ("limited", "waiting", "unknown", "starting"))
    noted = text("docs/operations.md").partition("### `usage.noted`")[2].partition("### ")[0]
    assert all(f"*{what}*" in noted for what in ("poll_failed", "foreign", "did_not_fall", "not_reset"))


@pytest.mark.parametrize("page", ["docs/security.md"])
def test_the_tests_that_a_page_names_exist(page: str) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text(page))
    assert len(named) > 20
    for file, name in named:
        defined = {one.name for one in ast.parse(text(file)).body if isinstance(one, ast.FunctionDef)}
        assert name in defined, f"{page} names {file}::{name}, which does not exist"


@cache
def said() -> tuple[str, ...]:
    """Return every text of the program, with a mark where something is filled in."""
    found = []
    for file in [*(ROOT / "failover").rglob("*.py"), *(ROOT / "workers").glob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.JoinedStr):
                parts = [one.value if isinstance(one, ast.Constant) else "\0" for one in node.values]
                found.append("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return tuple(found)


def messages() -> list[str]:
    table = text("docs/troubleshooting.md").partition("## What is printed")[2].partition("\n## ")[0]
    return re.findall(r"^\| `(.+?)` \|", table, re.MULTILINE)


@pytest.mark.parametrize("message", messages())
def test_each_message_that_is_explained_is_one_that_is_printed(message: str) -> None:
    parts = [re.escape(part.strip()) for part in message.split("…") if part.strip()]
    wanted = re.compile(".*".join(parts), re.DOTALL)
    assert any(wanted.search(one) for one in said()), message


@pytest.mark.parametrize(("page", "first"), [("accounts", "accounts:"), ("api", "http:"), ("usage", "usage:")])
def test_samples_of_the_configuration_are_taken(page: str, first: str, tmp_path: Path) -> None:
    (number,) = [one.number for one in samples(f"docs/{page}.md") if one.first.startswith(first)]
    lines = itertools.takewhile(
        lambda line: line.startswith("    "), text(f"docs/{page}.md").splitlines()[number - 1 :]
    )
    sample = textwrap.dedent("\n".join(lines))
    least = "version: 1\n" + ("" if first == "accounts:" else "accounts: [{name: main, config_dir: m}]\n")
    file = tmp_path / "config.yaml"
    file.write_text(least + sample)
    load(file, {"HOME": str(tmp_path)})


def anchors(page: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text(page), flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def links(page: str) -> Iterator[tuple[str, str]]:
    """Return path and anchor of each link of a page to something of ours."""
    for target in re.findall(r"\]\(([^)\s]+)\)", text(page)):
        if not target.startswith(("http:", "https:")):
            path, _, anchor = target.partition("#")
            yield path, anchor


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for path, anchor in links(page):
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), f"{page}: {path} does not exist"
        if anchor:
            name = str(target.resolve().relative_to(ROOT))
            assert anchor in anchors(name), f"{page}: {name} has no heading for #{anchor}"


def test_the_index_leads_to_every_page_and_every_picture_is_shown() -> None:
    listed = {str(Path("docs") / path) for path, _ in links("docs/README.md") if not path.startswith("..")}
    assert listed == {page for page in PAGES if page.startswith("docs/")} - {"docs/README.md"}
    shown = {Path(path).name for page in PAGES for path, _ in links(page)}
    drawn = {file.name for kind in ("svg", "png") for file in (ROOT / "docs").glob(f"*.{kind}")}
    assert not drawn - shown


@pytest.mark.parametrize("file", sorted((ROOT / "docs").glob("concepts-*.svg")), ids=lambda file: file.stem)
def test_a_picture_says_what_it_shows_and_its_words_stay_inside(file: Path) -> None:
    root = ElementTree.fromstring(file.read_text())
    space = "{http://www.w3.org/2000/svg}"
    title = root.find(f"{space}title")
    assert title is not None and title.text
    width, height = map(float, root.attrib["viewBox"].split()[2:])
    for one in root.iter(f"{space}text"):
        size = {"name": 7.8, "mid": 0.0}.get(one.attrib["class"].split()[-1], 6.4)  # pixels a letter takes, at most
        assert float(one.attrib["x"]) + size * len(one.text or "") <= width, one.text
        assert 0 < float(one.attrib["y"]) < height, one.text
