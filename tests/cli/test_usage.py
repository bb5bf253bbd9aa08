"""What is seen of accounts: the table, the chart and the picture, of a made-up week, while the daemon is down."""

from __future__ import annotations

import csv
import io
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from failover.cli.account_table import forecast_words
from failover.cli.bars import bar, countdown, window_name
from failover.config import load
from failover.core.forecast import Forecast
from failover.sim import week
from failover.store import flags
from failover.store.db import Store
from tests.cli.run import PROGRAM, ROOT, Answer, cli
from tests.places import short_dir

NAMES = ("main", "backup", "spare")


@pytest.fixture(scope="module")
def file() -> Iterator[Path]:
    with short_dir() as folder:
        made = folder / "config.yaml"
        made.write_text(
            f"version: 1\nstate_dir: {folder}/s\nshared_dir: {folder}/shared\naccounts:\n"
            + "".join(f"  - {{name: {name}, config_dir: {folder}/{name}}}\n" for name in NAMES)
            + f"  - {{name: key, config_dir: {folder}/key, kind: api_key, env_file: {folder}/key.env,"
            " paid: last_resort, cap_usd_per_day: 20}\n"
        )
        paths = load(made).paths
        paths.ensure()
        store = Store.open(paths.store, "quota-monitor", "boot")
        week.fill(store, NAMES, time.time())
        now = store.now_ms()
        with store.transaction() as tx:
            flags.disable(tx, "spare", now, now + 7_200_000, "ann")
        store.close()
        yield made


def shown(file: Path, *words: str) -> Answer:
    answer = cli(file, *words)
    assert (answer.code, answer.err) == (0, "")
    return answer


def test_the_table_fits_80_columns_and_has_no_colour_in_a_pipe(file: Path) -> None:
    text = shown(file, "accounts", "list").out
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text
    assert re.search(r"backup  priority 2\n  5 hours .{16} +\d+ % \w+ +\d+m statusline", text)
    assert re.search(r"spare is disabled by ann, (2h00m|1h59m) more", text)
    assert "key  priority 4, api_key, a last resort, $20 a day" in text
    assert "unknown" in text


def test_json_and_csv_of_the_accounts_are_complete(file: Path) -> None:
    found = {one["name"]: one for one in shown(file, "accounts", "list", "--json").json}
    assert list(found) == [*NAMES, "key"]
    assert [window["window"] for window in found["key"]["windows"]] == ["spend"]
    assert found["spare"]["disabled_by"] == "ann"
    assert found["backup"]["windows"][1]["forecast"]["window"] == "seven_day"
    rows = list(csv.DictReader(io.StringIO(shown(file, "accounts", "list", "--csv").out)))
    assert [(row["account"], row["window"]) for row in rows][-2:] == [("spare", "seven_day"), ("key", "spend")]
    for row, window in zip(rows, (w for one in found.values() for w in one["windows"]), strict=True):
        assert row["used"] == ("" if window["used"] is None else str(window["used"]))
        assert (row["resets_at"] == "") == (window["resets_at"] is None)


def test_the_chart_marks_thresholds_resets_and_swaps_in_80_columns(file: Path) -> None:
    text = shown(file, "usage").out
    assert max(map(len, text.splitlines())) <= 80
    for mark in ("main · 5 hours", "╌", "┴", "▲", "▼", "█", "100 %", "  0 %", "now", "swaps; the last:"):
        assert mark in text, mark
    assert "key · money" in text and "no reading in this time" in text
    assert "backup ·" not in shown(file, "usage", "--account", "main", "--since", "2d").out
    assert "there is no account mian (did you mean main?)" in cli(file, "usage", "--account", "mian").err
    assert cli(file, "usage", "--since", "2 fortnights").code == 2


def test_the_data_behind_the_chart_can_be_had(file: Path) -> None:
    found = shown(file, "usage", "--since", "1d", "--account", "backup", "--json").json
    assert {window["account"] for window in found["windows"]} == {"backup"}
    five = found["windows"][0]
    assert five["threshold"] == 90 and five["resets"]
    assert all(found["since"] <= step["at"] <= found["until"] for step in five["steps"])
    assert all("backup" in (swap["source"], swap["target"]) for swap in found["swaps"])
    rows = list(csv.DictReader(io.StringIO(shown(file, "usage", "--since", "1d", "--account", "backup", "--csv").out)))
    assert len(rows) == sum(len(window["readings"]) for window in found["windows"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", rows[0]["observed"])


def test_a_picture_is_drawn_whole_or_not_at_all(file: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    target = tmp_path / "week.png"
    assert shown(file, "usage", "--png", str(target)).out.strip() == str(target)
    assert target.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert [path.name for path in tmp_path.iterdir()] == ["week.png"]
    answer = cli(file, "usage", "--png", str(tmp_path / "no" / "week.png"))
    assert (answer.code, "mkdir -p" in answer.err) == (2, True)


def test_the_verbs_load_nothing_heavy(file: Path) -> None:
    code = (
        "import sys; from failover.cli import verbs; verbs.main({!r}, standalone_mode=False);"
        "print([m for m in {!r} if m in sys.modules], file=sys.stderr)"
    )
    heavy = ["matplotlib", "numpy", "rich", "zmq", "litestar", "watchfiles", "supervisor"]
    for words in (["accounts", "list"], ["usage"]):
        done = subprocess.run(
            [PROGRAM[0], "-c", code.format(words, heavy)], cwd=ROOT, capture_output=True, text=True, timeout=60,
            env={"FAILOVER_CONFIG": str(file), "PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        assert done.stderr == "[]\n", words


def test_status_shows_accounts_of_every_kind_in_a_line(file: Path) -> None:
    text = shown(file, "status").out
    assert re.search(r"^key +4 +0 +unknown +- ", text, flags=re.MULTILINE)


def test_a_bar_shows_use_threshold_and_ignorance_apart() -> None:
    assert bar(0, 90, 10) == "         │"
    assert bar(50, 90, 10) == "█████    │"
    assert bar(53, 90, 10) == "█████▎   │"
    assert bar(100, 90, 10) == bar(140, 90, 10) == "█" * 10
    assert bar(None, 90, 10) == "·" * 10
    assert len({len(bar(used, 95, 16)) for used in range(120)}) == 1


def test_words_are_short() -> None:
    assert [countdown(seconds) for seconds in (-5, 45, 600, 3900, 270_000)] == ["0s", "45s", "10m", "1h05m", "3d03h"]
    assert [window_name(name) for name in ("five_hour", "spend", "seven_day_opus")] == ["5 hours", "money", "opus"]
    assert len(window_name("seven_day_a_long_name")) == 7


def seen(crosses: float | None, earliest: float | None, latest: float | None) -> str:
    told = Forecast(account="a", window="five_hour", rate=1.0, crosses=crosses, earliest=earliest, latest=latest)
    return forecast_words(told, 90, 1000.0)


def test_a_forecast_is_told_with_its_interval() -> None:
    assert seen(3400, 2500, 5200) == "90 % in 40m (25m–70m)"
    assert seen(3400, 2500, None) == "90 % in 40m (25m–reset)"
    assert seen(None, 2500, None) == "90 % in 25m at worst"
    assert seen(None, None, None) == "lasts to its reset"
    assert seen(1000, 1000, 1000) == "reached"
    assert forecast_words(None, 90, 1000.0) == ""
