"""The commands that stand in the Markdown: what a reader would copy into a shell."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import click

from failover.cli import verbs
from tests.cli.run import ROOT

PAGES = ("README.md", "CONTRIBUTING.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")))
#: What a command begins with, after assignments; a line that begins otherwise is none.
_PROGRAMS = re.compile(
    r"(\$ )?(\w+=(\S*) )*("
    r"(claude-failover|claude|scripts/\S+)( |$)|"
    r"(cd|curl|tmux|systemctl|journalctl|supervisorctl|launchctl|sudo|pip|python3|mv|cp|rsync|ssh|tar|export|crontab|tail|"
    r"kill|man|du|df|sqlite3|chmod|mkdir|ls|cat|~/\S+/bin/\S+) \S|"
    r"\w+=\$\()"
)
_LANGUAGES_OF_COMMANDS = ("", "sh", "bash", "console")

Where = Literal["block", "table", "prose"]


@dataclass(frozen=True)
class Command:
    """One command of a page. number: its line in the file; where: in a block, or a code span of a table or of prose."""

    page: str
    number: int
    text: str
    where: Where

    def __str__(self) -> str:
        return f"{self.page}:{self.number}: {self.text}"


@dataclass(frozen=True)
class Sample:
    """A stretch of a block that is no command: output, a configuration, a file. first: its first line."""

    page: str
    number: int
    first: str


def commands(page: str) -> list[Command]:
    """Return the commands of a page in the order in which a reader meets them."""
    return [one for one in _read(page) if isinstance(one, Command)]


def samples(page: str) -> list[Sample]:
    """Return what stands in the blocks of a page and is no command."""
    return [one for one in _read(page) if isinstance(one, Sample)]


def _read(page: str) -> Iterator[Command | Sample]:
    lines = (ROOT / page).read_text().splitlines()
    fence: str | None = None
    counts, inside, before = True, False, ""
    place = 0
    while place < len(lines):
        number, line = place + 1, lines[place]
        place += 1
        if mark := re.match(r" *```(\w*)", line):
            fence = None if fence is not None else mark[1]
            # The manual shows how a verb is called, and its columns; what it has as examples are commands.
            counts = page != "docs/cli.md" or before.strip() == "Examples:"
            inside = False
        elif fence is not None or re.match(r" {4,}\S", line):
            while line.endswith("\\"):
                line = f"{line[:-1].rstrip()} {lines[place].strip()}"
                place += 1
            if not counts and fence is not None:
                pass
            elif (fence or "") in _LANGUAGES_OF_COMMANDS and _PROGRAMS.match(line.strip()):
                inside = False
                yield Command(page, number, without_comment(line), "block")
            elif line.strip() and not inside and (fence or "") in _LANGUAGES_OF_COMMANDS and not _is_comment(line):
                inside = True
                yield Sample(page, number, line.strip())
        else:
            inside = inside and not line.strip()
            where: Where = "table" if line.startswith("|") else "prose"
            for span in re.findall(r"`([^`]+)`", line):
                if re.match(r"(claude-failover|scripts/[\w.-]+)( |$)", span):
                    yield Command(page, number, span, where)
        before = line if line.strip() else before


def _is_comment(line: str) -> bool:
    """Tell whether a line is what is said of the command above it: it stands under that command's second column."""
    return bool(re.match(r" {12,}\S", line)) and not line.lstrip().startswith(("{", '"', "-"))


def without_comment(line: str) -> str:
    """Return a line of a block as it is typed: without the prompt, and without what a second column says of it."""
    text = re.split(r"\s{2,}|\s+# ", line.strip().removeprefix("$ "), maxsplit=1)[0].rstrip()
    shlex.split(text)  # raises ValueError where the cut is within quotes
    return text


def synopsis(text: str) -> bool:
    """Tell whether a line shows how a command may be called, so that it cannot be typed as it stands."""
    return bool(re.search(r"\[[^]]*\]|[A-Z]{3,}\b(?![=.\w])|…| \.\.\.", re.sub(r"'[^']*'|\"[^\"]*\"", "", text)))


def options(text: str) -> set[str]:
    """Return the options that a line speaks of."""
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))


def parses(text: str) -> None:
    """Fail unless each part of the line that is ours has verbs and options that exist.

    What is in brackets is tried too; arguments that a line of prose leaves out are not missed.
    """
    for part in re.split(r"&& | \| |\$\(", text.partition(" < ")[0].partition(" > ")[0]):
        found = re.search(r"(?<![/\w'])claude-failover( .*)?$", re.sub(r"[\[\]]|\)\"?$|…|\.\.\.", " ", part).strip())
        if found:
            _parse(shlex.split(found[1] or ""), text)


def _parse(words: list[str], text: str) -> None:
    command: click.Command = verbs
    while isinstance(command, click.Group):
        context = click.Context(command)
        takes_value = {name for one in command.params if not getattr(one, "is_flag", False) for name in one.opts}
        while words and words[0].startswith("--"):
            if words[0] == "--help":
                return
            assert any(words[0] in one.opts for one in command.params), f"{text}: {words[0]} does not exist"
            words = words[2:] if words[0] in takes_value else words[1:]
        if not words:
            return
        found = command.get_command(context, words[0])
        assert found is not None, f"{text}: there is no verb {words[0]}"
        command, words = found, words[1:]
    known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)} | {"--help"}
    unknown = options(" ".join(words)) - known
    assert not unknown, f"{text}: {', '.join(sorted(unknown))} does not exist"
