"""The reference of the configuration says what the types say, and a file is held to the limits that it states."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from failover.config import load
from failover.config_reference import BEGIN, END, PAGE, Row, renewed, sections
from failover.config_yaml import duration_text, seconds_in
from failover.errors import ConfigError

ROWS = {row.key: row for _, _, rows in sections() for row in rows}
LEAST = {"version": "1", "accounts": "[{name: main, config_dir: m}, {name: other, config_dir: o}]"}
NUMBERS = {key: row for key, row in ROWS.items() if re.match(r"`\d+` to `\d+`", row.written)}
DURATIONS = {key: row for key, row in ROWS.items() if row.written.startswith("a duration")}
PERCENTAGES = {key: row for key, row in ROWS.items() if row.written.startswith("a percentage")}


def test_the_page_is_the_one_that_the_types_make() -> None:
    text = PAGE.read_text()
    assert renewed(text) == text, f"{PAGE} is stale; make it anew with: scripts/manual"


def test_a_page_without_the_part_is_refused() -> None:
    for text in ("", BEGIN, END):
        with pytest.raises(ValueError, match="no part"):
            renewed(text)


def test_each_key_has_a_meaning_and_says_what_may_be_written() -> None:
    assert [row.key for row in ROWS.values() if not (row.meaning.endswith(".") and row.written and row.default)] == []


def taken(folder: Path, key: str, value: str) -> bool:
    """Tell whether a configuration with this value of one key is taken; of what is a list, in its first entry."""
    given = dict(LEAST)
    head, *rest = re.split(r"\.", key)
    others = {
        "accounts[]": "name: main, config_dir: m, ", "dispatch.limits[]": "project: p, ",
        "notify[]": "kind: webhook, url: 'https://h/', secret_env: S, ",
    }  # fmt: skip
    if key == "dispatch.limits[].at_once":
        given |= {"projects": "[p]", "dispatch": f"{{limits: [{{project: p, at_once: {value}}}]}}"}
    elif head.endswith("[]"):
        given[head[:-2]] = f"[{{{others[head]}{rest[0]}: {value}}}]"
    else:
        text = value
        for name in reversed(rest):
            text = f"{{{name}: {text}}}"
        given[head] = text
    file = folder / "config.yaml"
    file.write_text("".join(f"{name}: {text}\n" for name, text in given.items()))
    try:
        load(file, {"HOME": str(folder)})
    except ConfigError as error:
        assert error.key.startswith(re.sub(r"\[]", "[0]", key).rpartition(".")[0]), (key, str(error))
        return False
    return True


@pytest.mark.parametrize("row", NUMBERS.values(), ids=NUMBERS)
def test_numbers_are_held_to_their_limits(row: Row, tmp_path: Path) -> None:
    low, high = map(int, re.findall(r"`(\d+)`", row.written)[:2])
    told = [taken(tmp_path, row.key, str(number)) for number in (low - 1, low, high, high + 1)]
    assert told == [False, True, True, False]


@pytest.mark.parametrize("row", DURATIONS.values(), ids=DURATIONS)
def test_durations_are_held_to_their_limits(row: Row, tmp_path: Path) -> None:
    least = re.search(r"`(\w+)` or more", row.written)
    low = seconds_in(least[1]) if least else None
    if low is not None:
        assert not taken(tmp_path, row.key, duration_text(low - 1))
        assert taken(tmp_path, row.key, duration_text(low))
    assert taken(tmp_path, row.key, "0") == row.written.endswith("or `0`")
    assert not taken(tmp_path, row.key, "90")


@pytest.mark.parametrize("row", PERCENTAGES.values(), ids=PERCENTAGES)
def test_percentages_are_held_to_their_limits(row: Row, tmp_path: Path) -> None:
    assert taken(tmp_path, row.key, "0") == (not row.written.endswith("above 0"))
    assert taken(tmp_path, row.key, "100") == (not row.written.endswith("under 100"))
    assert not taken(tmp_path, row.key, "100.5")


@pytest.mark.parametrize(("seconds", "text"), [(0, "0"), (90, "90s"), (300, "5m"), (86400, "1d"), (0.5, "0.5s")])
def test_a_duration_is_written_in_the_largest_unit_that_needs_no_fraction(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text
