"""What the pages tell a reader to type does what they say, on a host of its own and with a daemon of its own."""

from __future__ import annotations

import functools
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from failover.host.service import NAME
from tests.cli.run import ROOT
from tests.docs.host import Host
from tests.docs.lines import PAGES, Command, commands, options, parses, samples, synopsis
from tests.docs.plays import EVERYWHERE, LOOKED_AT, PLAYS, SAMPLES, How, Instead, Play, Unrun, Watched
from tests.places import short_dir

LINES = [line for page in PAGES for line in commands(page)]


def how(line: Command) -> How | None:
    """Return what the table says of a line: that of its page, else that of all pages."""
    play = PLAYS.get(line.page, Play())
    return play.how.get(line.text) or EVERYWHERE.get(line.text)


def is_run(line: Command) -> bool:
    return line.where != "prose" and line.page not in LOOKED_AT and not isinstance(how(line), Unrun)


@pytest.mark.parametrize("line", LINES, ids=str)
def test_verbs_options_and_scripts_exist(line: Command) -> None:
    parses(line.text)
    first = line.text.split()[0]
    if first.startswith("scripts/"):
        script = ROOT / first
        assert script.exists(), line
        assert options(line.text) <= options(said(script)), f"{line}: {script} knows no such option"
    if "pip install" in line.text:
        extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
        assert set(re.findall(r"claude-failover\[(\w+)]", line.text)) <= set(extras), line
    if first == "systemctl":
        assert line.text.split()[-1] == NAME, line


@functools.cache
def said(script: Path) -> str:
    """Return what a script says of itself: the help of what it starts, else its own text."""
    text = script.read_text()
    if module := re.search(r'-m (failover\S+) "\$@"', text):
        command = [sys.executable, "-m", module[1], "--help"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT, env={"COLUMNS": "200"})
        assert done.returncode == 0, done.stderr
        return done.stdout
    return text


def test_what_is_no_command_is_known_as_a_sample() -> None:
    found = {page: tuple(one.first for one in samples(page)) for page in PAGES if samples(page)}
    unknown = [
        f"{one.page}:{one.number}: {one.first}"
        for page in PAGES
        for place, one in enumerate(samples(page))
        if not one.first.startswith((*SAMPLES.get(page, ())[place : place + 1], "\0"))
    ]
    assert not unknown, "neither a command nor a sample that tests/docs/plays.py knows"
    assert {page: len(first) for page, first in SAMPLES.items()} == {page: len(first) for page, first in found.items()}


def test_the_table_speaks_of_lines_that_need_it() -> None:
    typed = [line for line in LINES if line.where != "prose" and line.page not in LOOKED_AT]
    for page, play in PLAYS.items():
        there = {line.text for line in typed if line.page == page}
        assert not {*play.how, *play.after} - there, page
    assert not set(EVERYWHERE) - {line.text for line in typed}
    assert set(LOOKED_AT) <= set(PAGES)


def test_each_page_with_commands_has_its_play() -> None:
    assert {line.page for line in LINES if is_run(line)} <= set(PLAYS)
    assert set(PLAYS) | set(LOOKED_AT) <= {line.page for line in LINES}


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    with short_dir() as root:
        monkeypatch.setenv("TMUX_TMPDIR", str(root))
        with Host(root) as made:
            yield made


@pytest.mark.parametrize("page", [page for page in PAGES if any(is_run(line) for line in commands(page))])
def test_a_reader_types_what_the_page_says(page: str, host: Host) -> None:
    play = PLAYS[page]
    if play.begins != "bare":
        host.configure()
    if play.begins == "launched":
        host.cli("accounts", "link")
        host.up()
        host.launch()
    if play.first is not None:
        play.first(host)
    for line in (one for one in commands(page) if is_run(one)):
        way = how(line)
        if isinstance(way, Watched):
            poke = functools.partial(host.shell, way.poke) if way.poke else lambda: None
            ended, shown = host.watch(line.text, way.shows, poke, way.keys)
            assert ended in way.ends, f"{line}: exit {ended}\n{shown}"
        else:
            typed, code = (way.lines, way.code) if isinstance(way, Instead) else ((line.text,), 0)
            assert isinstance(way, Instead) or not synopsis(line.text), f"{line}: nobody can type that as it stands"
            assert options(line.text) <= options(" ".join(typed)), f"{line}: an option of it is not tried"
            for one in typed:
                done = host.shell(one)
                assert done.returncode == code, f"{line}\n$ {one}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        if then := play.after.get(line.text):
            then(host)
