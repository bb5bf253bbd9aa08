"""Demand in a file: one JSON object a line, the first says what it is, each further one is a turn.

The first line is either `{"trace": 1, "about": …, "start": …, "seconds": …, "accounts": […]}` or
`{"trace": 1, "about": …, "synthetic": "days=30,…"}` alone. docs/policy.md has the fields.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, NoReturn, TypeVar

import msgspec

from failover.errors import ConfigError, UsageError
from failover.replay import synthetic
from failover.replay.demand import Demand, Quota, Turn

_MAX_LINE, _MAX_TURNS = 64 * 1024, 2_000_000
T = TypeVar("T")


class _Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    trace: Literal[1]
    about: str = ""
    synthetic: str = ""
    start: int = 0
    seconds: int = 0
    accounts: tuple[Quota, ...] = ()


_header, _turn = msgspec.json.Decoder(_Header), msgspec.json.Decoder(Turn)


def write(demand: Demand, path: Path) -> None:
    """Write a demand to `path` in one step."""
    header = _Header(trace=1, about=demand.about, start=demand.start, seconds=demand.seconds, accounts=demand.accounts)
    half = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with half.open("wb") as file:
            for line in (header, *demand.turns):
                file.write(msgspec.json.encode(line) + b"\n")
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)


def read(path: Path) -> Demand:
    """Return the demand in `path`. Raises ConfigError, with the line, for the first thing that is wrong."""
    if not path.is_file():
        _fail(
            path, 0, "", "there is no such file", "name a trace, or record one: claude-failover simulate --record FILE"
        )
    turns: list[Turn] = []
    came: dict[str, float] = {}
    with path.open("rb") as file:
        header = _decoded(path, 1, _header, file.readline(_MAX_LINE), 'write {"trace": 1, …} first (docs/policy.md)')
        made = _checked(path, header)
        number = 1
        while line := file.readline(_MAX_LINE):
            number += 1
            if made is not None:
                _fail(
                    path, number, "", "a turn stands here although the demand is synthetic", "keep the first line only"
                )
            turn = _decoded(path, number, _turn, line, "one turn a line, as docs/policy.md has it")
            if turn.at >= header.seconds:
                _fail(path, number, "at", f"{turn.at:g} is after the end ({header.seconds} s)", "make `seconds` longer")
            if turn.at < came.get(turn.session, 0.0):
                _fail(path, number, "at", f"a later turn of {turn.session!r} stands above", "put its turns in order")
            if number > _MAX_TURNS:
                _fail(path, number, "", f"more than {_MAX_TURNS} turns", "record a shorter time")
            came[turn.session] = turn.at
            turns.append(turn)
    if made is not None:
        return made
    if not turns:
        _fail(path, number, "", "there is no turn", "add one a line")
    return Demand(
        about=header.about, start=header.start, seconds=header.seconds, accounts=header.accounts, turns=tuple(turns)
    )


def _checked(path: Path, header: _Header) -> Demand | None:
    """Return the demand that the header alone describes, if it is synthetic."""
    if header.synthetic:
        if header.accounts or header.seconds or header.start:
            _fail(path, 1, "synthetic", "accounts, start and seconds follow from it", "leave these out")
        try:
            return synthetic.demand(synthetic.parse(header.synthetic), header.about)
        except UsageError as error:
            _fail(path, 1, "synthetic", str(error), "see docs/policy.md")
    if not 1 <= header.seconds <= 366 * 86400:
        _fail(path, 1, "seconds", f"{header.seconds} is no number from 1 to {366 * 86400}", "say how long it is")
    if not 0 <= header.start <= 2**33:
        _fail(path, 1, "start", f"{header.start} is no time", "write epoch seconds")
    names = [account.name for account in header.accounts]
    if not names or len(set(names)) != len(names):
        _fail(path, 1, "accounts", "an account of a name of its own is needed, at least one", "name each differently")
    return None


def _decoded(path: Path, number: int, decoder: msgspec.json.Decoder[T], line: bytes, mend: str) -> T:
    if len(line) >= _MAX_LINE:
        _fail(path, number, "", f"the line is longer than {_MAX_LINE} bytes", mend)
    try:
        return decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        _fail(path, number, "", str(error), mend)


def _fail(path: Path, line: int, key: str, problem: str, mend: str) -> NoReturn:
    raise ConfigError(str(path), line, key, problem, mend) from None
