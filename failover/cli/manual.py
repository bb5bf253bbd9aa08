"""The manual, made from the verbs themselves: docs/cli.md and the man page (`python -m failover.cli.manual`).

What click words differently from release to release is not used, so that the pages change only when a verb does.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import click

from failover.cli import verbs

_DOCS = Path(__file__).parents[2] / "docs"
_KINDS = {"integer": "number", "integer range": "number", "float": "number"}
MARKDOWN, MAN = _DOCS / "cli.md", _DOCS / "claude-failover.1"

_INTRO = """# The command line
Made from the verbs' own help by `scripts/manual`; change it there. The same as a man page:
`man docs/claude-failover.1`.

Names of accounts, sessions, projects and tasks complete in bash, zsh and fish: `claude-failover completion --help`.

With `--json` a verb prints one JSON value (`events` and `tap`: one object per line) whose keys are those that the HTTP
interface gives (`/schema`): keys are added, never renamed. Moments are epoch milliseconds where the key ends in `_ms`,
else epoch seconds. What is wrong is said on standard error and by the exit code, also with `--json`.
"""


def commands() -> Iterator[tuple[str, click.Command]]:
    """Return every command that does something, with its whole name, in the order of the help."""

    def walk(path: list[str], command: click.Command) -> Iterator[tuple[str, click.Command]]:
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                found = command.get_command(context, name)
                assert found is not None
                yield from walk([*path, name], found)
        else:
            yield " ".join(path), command

    yield from walk(["claude-failover"], verbs)


def usage(name: str, command: click.Command) -> str:
    """Return how a command is called."""
    parts = [name, *(["[OPTIONS]"] if any(isinstance(one, click.Option) for one in command.params) else [])]
    for one in command.params:
        if isinstance(one, click.Argument):
            word = one.metavar or _choice(one) or (one.name or "").upper()
            word += "..." if one.nargs == -1 else ""
            parts.append(word if one.required else f"[{word}]")
    return " ".join(parts)


def options(command: click.Command) -> list[tuple[str, str]]:
    """Return the options of a command, each with what it does and its default."""
    rows = []
    for one in command.params:
        if not isinstance(one, click.Option) or one.hidden:
            continue
        value = (
            ""
            if one.is_flag
            else " " + (one.metavar or _choice(one) or _KINDS.get(one.type.name, one.type.name).upper())
        )
        text = one.help or ""
        if one.show_default and one.default not in (None, ""):
            text = f"{text.rstrip('.')} (default: {one.default})."
        rows.append((", ".join(one.opts) + value, text))
    return rows


def _choice(one: click.Parameter) -> str:
    return "|".join(map(str, one.type.choices)) if isinstance(one.type, click.Choice) else ""


def _paragraphs(text: str | None) -> list[tuple[bool, str]]:
    """Return the parts of a help: are its lines kept as they are, and its text."""
    parts = []
    for part in re.split(r"\n{2,}", inspect.cleandoc(text or "").split("\f")[0].strip()):
        kept = part.startswith("\b\n")
        parts.append((kept, part[2:] if kept else " ".join(part.split())))
    return [one for one in parts if one[1]]


def markdown() -> str:
    """Return docs/cli.md."""
    lines = [_INTRO, "## claude-failover", "```", "claude-failover [OPTIONS] VERB ...", "```"]
    lines += _described(verbs)
    for name, command in commands():
        lines += [f"## {name.removeprefix('claude-failover ')}", "```", usage(name, command), "```"]
        lines += _described(command)
    return "\n".join(lines).rstrip() + "\n"


def _described(command: click.Command) -> list[str]:
    lines: list[str] = []
    for kept, text in _paragraphs(command.help):
        lines += _fenced(text) if kept else [text, ""]
    if rows := options(command):
        lines += [*(f"- `{term}`" + (f": {text}" if text else "") for term, text in rows), ""]
    for kept, text in _paragraphs(command.epilog):
        lines += _fenced(text) if kept else [text, ""]
    return lines


def _fenced(text: str) -> list[str]:
    title, _, rest = text.partition("\n")
    return [title, "```", textwrap.dedent(rest).rstrip(), "```", ""]


def man() -> str:
    """Return the man page, in man(7)."""
    lines = [
        '.TH CLAUDE-FAILOVER 1 "" "claude-failover" "User Commands"',
        ".SH NAME",
        r"claude-failover \- keep Claude Code sessions at work when an account's quota runs out",
        ".SH SYNOPSIS",
        r".B claude-failover",
        r"[\fIOPTIONS\fR] \fIVERB\fR ...",
        ".SH DESCRIPTION",
        *_roff(verbs),
        ".SH VERBS",
    ]
    for name, command in commands():
        lines += [f".SS {_escaped(usage(name, command).removeprefix('claude-failover '))}", *_roff(command)]
    lines += [
        ".SH FILES", ".TP", _escaped("~/.config/claude-failover/config.yaml"),
        "the configuration, unless ./config.yaml is there, or FAILOVER_CONFIG or --config names another one",
        ".SH ENVIRONMENT", ".TP", "FAILOVER_CONFIG", "the configuration file", ".TP", "NO_COLOR",
        "no colours, whatever its value, unless it is empty",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _roff(command: click.Command) -> list[str]:
    lines: list[str] = []
    for text, kept in [(text, kept) for kept, text in _paragraphs(command.help)]:
        lines += _kept(text) if kept else [".PP", _escaped(text)]
    for term, text in options(command):
        lines += [".TP", rf"\fB{_escaped(term)}\fR", _escaped(text)]
    for kept, text in _paragraphs(command.epilog):
        lines += _kept(text) if kept else [".PP", _escaped(text)]
    return lines


def _kept(text: str) -> list[str]:
    title, _, rest = text.partition("\n")
    return [".PP", _escaped(title), ".nf", *map(_escaped, rest.splitlines()), ".fi"]


def _escaped(text: str) -> str:
    text = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{text}" if text.startswith((".", "'")) else text


if __name__ == "__main__":
    MARKDOWN.write_text(markdown())
    MAN.write_text(man())
    print(MARKDOWN.name, MAN.name)
