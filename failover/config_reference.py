"""The reference of the configuration, made from its Structs: a part of docs/configuration.md (`scripts/manual`).

A key's meaning is what stands under its field, its kind and limits are those of the field's type, its default is the
field's. What a file writes otherwise than the Struct holds it (a word for None, a secret's three ways) is said here.
"""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from failover.config_kinds import limits
from failover.config_model import Config
from failover.config_notify import FACILITIES
from failover.config_yaml import duration_text
from failover.core.prompt import Templates
from failover.notify.spec import Kind, Secret, Settings, SinkSpec

#: What the page says around the part that is made; a test holds that part against this module.
BEGIN, END = "<!-- made from failover/config_model.py: scripts/manual -->", "<!-- end -->"
PAGE = Path(__file__).parents[1] / "docs" / "configuration.md"

#: Defaults that the Struct does not hold as a file would write them.
_DEFAULTS = {
    "version": "required",
    "state_dir": "`~/.local/state/claude-failover`",
    "shared_dir": "`~/.claude`",
    "accounts[].priority": "its place in the list, from 1",
    "accounts[].thresholds": "the general ones",
    "accounts[].env_file": "none",
    "accounts[].cap_usd_per_day": "none",
    "sessions[].account": "the preferred one",
    "sessions[].serves": "its own project",
    "failover.max_parallel": "`auto`",
    "dispatch.per_project": "`all`",
    "notify[].name": "the kind",
    "notify[].rules[].events": "any",
    "notify[].rules[].accounts": "any",
    "notify[].rules[].sessions": "any",
    "notify[].rules[].projects": "any",
    "notify[].quiet": "none",
    "notify[].digest": "`{more_than: 10, within: 5m}` for `apprise` and `telegram`, `never` for the others",
    "notify[].api": "Telegram's",
    "notify[].facility": "`daemon`",
    **{f"replay.{name}": "its sentence" for name in Templates.__struct_fields__},
}
#: What may be written where the type alone does not tell.
_WRITTEN = {
    "version": "`1`",
    "sessions[].name": "a name, or a range",
    "notify[].facility": ", ".join(f"`{name}`" for name in FACILITIES),
    "notify[].quiet": "`{from, to, zone, breaks}`",
    "notify[].digest": "`{more_than, within}`, or `never`",
    "notify[].templates": "event type → text",
    "notify[].rules": "a list, see below",
    "accounts[].thresholds": "as `thresholds`",
    "dispatch.limits": "a list, see below",
    "thresholds.models": "model → percentage",
    "claude.env": "name → text",
}
#: Words that are taken too.
_WORDS = {
    "failover.max_parallel": "`auto`",
    "dispatch.per_project": "`all`",
    "sessions[].serves": "`all`",
    "janitor.backup_every": "`0`",
}
_SIMPLE: dict[Any, str] = {str: "a text", Path: "a path", bool: "`true` or `false`", int: "a number", float: "a number"}
_MARKED = {"name": "a name", "duration": "a duration", "percentage": "a percentage", "amount": "an amount"}


class Row(msgspec.Struct, frozen=True):
    """One key of the reference: what may be written, what holds without it, and what it means."""

    key: str
    default: str
    written: str
    meaning: str


@functools.cache
def meanings(struct: type[msgspec.Struct]) -> dict[str, str]:
    """Return what stands under each field of a Struct."""
    (made,) = ast.parse(textwrap.dedent(inspect.getsource(struct))).body
    assert isinstance(made, ast.ClassDef)
    found = {}
    for field, after in zip(made.body, made.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(after, ast.Expr):
            found[field.target.id] = " ".join(ast.literal_eval(after.value).split())
    return found


def written(hint: Any, key: str) -> str:
    """Return what may be written for a type, with its limits."""
    if key in _WRITTEN:
        return _WRITTEN[key]
    text = _kind(hint)
    found = limits(hint)
    if found.low is not None and found.high is not None:
        text = f"`{found.low:g}` to `{found.high:.0f}`"
    elif found.under is not None:
        text += f" under {found.under:g}"
    elif found.kind == "duration" and found.low:
        text += f", `{duration_text(found.low)}` or more"
    elif found.kind == "duration" and found.low == 0:
        text += " or `0`"
    elif found.kind == "percentage" and found.low is None:
        text += " above 0"
    return f"{text}, or {_WORDS[key]}" if key in _WORDS else text


def _kind(hint: Any) -> str:
    parts = get_args(hint)
    if get_origin(hint) is typing.Annotated:
        return _MARKED.get(limits(hint).kind) or _kind(parts[0])
    if get_origin(hint) is Literal:
        names = [f"`{one}`" for one in parts]
        return ", ".join(names[:-1]) + f" or {names[-1]}"
    if get_origin(hint) is tuple:
        return f"a list of {_kind(parts[0]).partition(' ')[2]}s"
    known = [one for one in parts if one is not type(None)] or [hint]
    return _SIMPLE[known[0]] if known[0] in _SIMPLE else _kind(known[0])


def default(struct: type[msgspec.Struct], field: str, key: str, hint: Any) -> str:
    """Return what holds where the key is left out."""
    if key in _DEFAULTS:
        return _DEFAULTS[key]
    (found,) = [one for one in msgspec.structs.fields(struct) if one.name == field]
    if found.default is msgspec.NODEFAULT and found.default_factory is msgspec.NODEFAULT:
        return "required"
    value = found.default if found.default_factory is msgspec.NODEFAULT else found.default_factory()
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, (tuple, dict)):
        assert not value, key
        return "`[]`" if isinstance(value, tuple) else "`{}`"
    if limits(hint).kind == "duration":
        return f"`{duration_text(value)}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def rows(struct: type[msgspec.Struct], prefix: str) -> Iterator[Row]:
    """Return the keys of a part of the configuration. Raises KeyError for a field of which nothing is said."""
    hints = get_type_hints(struct, include_extras=True)
    said = meanings(struct)
    for field in struct.__struct_fields__:
        hint, key = hints[field], prefix + field
        parts = _parts(hint)
        if hint in (Secret, Secret | None):
            needed = "none" if hint != Secret else "one of the three"
            yield Row(key, needed, "a text", said[field])
            yield Row(f"{key}_env", needed, "a name of a variable", "The environment variable with it.")
            yield Row(f"{key}_file", needed, "a path", "The file with it, yours alone (mode 0600).")
        elif parts and get_origin(hint) is not tuple and not prefix.endswith("[]."):
            yield from rows(parts[0], f"{key}.")
        else:
            yield Row(key, default(struct, field, key, hint), written(hint, key), said[field])
            if parts and get_origin(hint) is tuple:
                yield from rows(parts[0], f"{key}[].")


def _parts(hint: Any) -> list[type[msgspec.Struct]]:
    return [one for one in (hint, *get_args(hint)) if isinstance(one, type(msgspec.Struct)) and one is not Secret]


def sections() -> Iterator[tuple[str, str, list[Row]]]:
    """Return the parts of the reference: heading, what is said of it, its keys."""
    hints, said = get_type_hints(Config, include_extras=True), meanings(Config)
    simple = [field for field in Config.__struct_fields__ if field != "file" and not _parts(hints[field])]
    top = [Row(field, default(Config, field, field, hints[field]), written(hints[field], field), said[field])
           for field in simple]  # fmt: skip
    listed = [field for field in Config.__struct_fields__ if get_origin(hints[field]) is tuple and _parts(hints[field])]
    top += [
        Row(field, default(Config, field, field, hints[field]), "a list, see below", said[field]) for field in listed
    ]
    yield "Top level", "", top
    for field in Config.__struct_fields__:
        if field in simple or field == "file":
            continue
        (struct,) = _parts(hints[field])
        if struct is SinkSpec:
            yield from _sinks()
            continue
        prefix = f"{field}[]." if field in listed else f"{field}."
        yield f"`{prefix.removesuffix('.')}`", about(struct), list(rows(struct, prefix))


def _sinks() -> Iterator[tuple[str, str, list[Row]]]:
    hints, said = get_type_hints(SinkSpec, include_extras=True), meanings(SinkSpec)
    common = [Row("notify[].kind", "required", _kind(Kind), said["settings"])]
    for field in SinkSpec.__struct_fields__:
        key = f"notify[].{field}"
        if field != "settings":
            common.append(
                Row(key, default(SinkSpec, field, key, hints[field]), written(hints[field], key), said[field])
            )
            if field == "rules":
                common += rows(_parts(hints[field])[0], f"{key}[].")
    yield "`notify[]`", about(SinkSpec), common
    for struct in get_args(Settings):
        if struct.__struct_fields__:
            yield (
                f"`notify[]` of the kind `{struct.__struct_config__.tag}`",
                about(struct),
                list(rows(struct, "notify[].")),
            )


def about(struct: type[msgspec.Struct]) -> str:
    """Return what a Struct says of itself in its first paragraph."""
    return " ".join(inspect.cleandoc(struct.__doc__ or "").split("\n\n")[0].split())


def section() -> str:
    """Return the part of the page that is made."""
    lines = [BEGIN]
    for heading, text, keys in sections():
        lines += ["", f"### {heading}", *([text] if text else []), "", "| key | default | what may be written | |",
                  "|---|---|---|---|"]  # fmt: skip
        lines += [
            f"| `{one.key}` | {one.default} | {one.written} | {one.meaning} |".replace("|  |", "| |") for one in keys
        ]
    return "\n".join([*lines, "", END])


def renewed(text: str) -> str:
    """Return the page with its reference made anew. Raises ValueError when it has no place for it."""
    before, found, rest = text.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not found or not ended:
        raise ValueError(f"the page has no part from {BEGIN} to {END}; put both lines where it belongs")
    return before + section() + after


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text()))
    print(PAGE.name)
