"""A trace is read as it was written, and what is wrong in one is named by file and line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from failover.errors import ConfigError, UsageError
from failover.replay import synthetic
from failover.replay.demand import Demand, Quota, Turn
from failover.replay.trace import read, write

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=64)
TOKENS = st.integers(1, 10**12)


@st.composite
def demands(draw: st.DrawFn) -> Demand:
    seconds = draw(st.integers(1, 366 * 86400))
    turns: list[Turn] = []
    for session in draw(st.lists(NAMES, min_size=1, max_size=3, unique=True)):
        for at in sorted(draw(st.lists(st.floats(0, seconds, exclude_max=True), min_size=1, max_size=4))):
            turns.append(Turn(
                session=session, at=at, seconds=draw(st.floats(1e-3, 1e6)), tokens=draw(TOKENS),
                context=draw(st.integers(0, 10**8)), batches=draw(st.integers(1, 10_000)),
            ))  # fmt: skip
    names = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    accounts = tuple(Quota(name=name, five_hour=draw(TOKENS), seven_day=draw(TOKENS)) for name in names)
    return Demand(
        about=draw(st.text(st.characters(codec="utf-8"), max_size=40)), start=draw(st.integers(0, 2**33)),
        seconds=seconds, accounts=accounts, turns=tuple(turns),
    )  # fmt: skip


@given(demand=demands())
def test_what_is_written_is_read(demand: Demand, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("t") / "trace.jsonl"
    write(demand, path)
    assert read(path) == demand
    assert [one.name for one in path.parent.iterdir()] == ["trace.jsonl"]


HEADER = '{"trace":1,"seconds":100,"accounts":[{"name":"a"}]}\n'
TURN = '{"session":"s","at":1,"seconds":2,"tokens":3,"context":4}\n'


def test_a_short_trace_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_text(HEADER + TURN)
    assert read(path).turns == (Turn(session="s", at=1, seconds=2, tokens=3, context=4),)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 1, "truncated"),
        ("garbage\n", 1, "malformed"),
        ("[]\n", 1, "Expected `object`"),
        ('{"trace":2}\n', 1, "Invalid enum value 2"),
        ('{"trace":1}\n' + TURN, 1, "0 is no number from 1"),
        ('{"trace":1,"seconds":100}\n' + TURN, 1, "accounts"),
        ('{"trace":1,"seconds":9,"accounts":[{"name":"a"},{"name":"a"}]}\n', 1, "a name of its own"),
        ('{"trace":1,"seconds":9,"accounts":[{"name":"a","five_hour":0}]}\n', 1, "`int` >= 1"),
        ('{"trace":1,"seconds":9,"accounts":[{"name":"a\\n"}]}\n', 1, "matching regex"),
        ('{"trace":1,"synthetic":"days=0"}\n', 1, "no number from 1"),
        ('{"trace":1,"synthetic":"days=1","seconds":5}\n', 1, "follow from it"),
        ('{"trace":1,"synthetic":"days=1"}\n' + TURN, 2, "a turn stands here"),
        (HEADER, 1, "there is no turn"),
        (HEADER + TURN + TURN.replace('"at":1', '"at":0'), 3, "a later turn of 's' stands above"),
        (HEADER + TURN.replace('"at":1', '"at":100'), 2, "after the end"),
        (HEADER + TURN.replace('"at":1', '"at":NaN'), 2, "malformed"),
        (HEADER + TURN.replace('"at":1', '"at":1e999'), 2, "out of range"),
        (HEADER + TURN.replace('"at":1', '"at":-1'), 2, ">= 0"),
        (HEADER + TURN.replace('"seconds":2', '"seconds":0'), 2, "> 0"),
        (HEADER + TURN.replace('"tokens":3', '"tokens":3.5'), 2, "Expected `int`"),
        (HEADER + TURN.replace('"context":4', '"context":4,"prompt":"x"'), 2, "unknown field `prompt`"),
        (HEADER + TURN + "\n", 3, "truncated"),
        (HEADER + "x" * 70_000, 2, "longer than"),
        (HEADER + TURN[:20], 2, "truncated"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_file_and_line(text: str, line: int, says: str, tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}:{line}:")
    assert says in str(caught.value)
    assert caught.value.mend


@given(raw=st.binary(max_size=300))
def test_no_input_does_more_than_be_refused(raw: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("t") / "trace.jsonl"
    path.write_bytes(HEADER.encode() + raw)
    with pytest.raises(ConfigError):
        read(path)


def test_a_file_that_is_not_there_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file"):
        read(tmp_path / "none")


@pytest.mark.parametrize(
    "text",
    ["days", "days=x", "days=-1", "days=٣", "days=400", "day=3", "days=1,days=2", "shape=square", "accounts=1,small=2"],
)
def test_parameters_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="synthetic demand: "):
        synthetic.parse(text)
