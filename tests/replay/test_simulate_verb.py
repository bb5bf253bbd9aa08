"""`claude-failover simulate` as its user calls it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from failover.store.db import Store
from tests.cli.run import ROOT, cli

SHORT = "days=2,sessions=6,accounts=2,weekly=2,seed=3"


def test_the_table_fits_eighty_columns() -> None:
    answer = cli(None, "simulate", "--synthetic", SHORT)
    assert answer.code == 0, answer.err
    lines = answer.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.split("  ")[0] for line in lines[-4:]] == [
        "default", "static threshold", "most headroom", "soonest reset",
    ]  # fmt: skip
    assert "…" not in "".join(lines[2:]), "nothing is cut"
    assert answer.err == ""


def test_json_has_these_fields_and_does_not_depend_on_the_hash_seed() -> None:
    first, second = (cli(None, "simulate", "--synthetic", SHORT, "--json", PYTHONHASHSEED=seed) for seed in "12")
    assert first.out == second.out
    found = first.json
    assert set(found) == {"about", "sessions", "accounts", "seconds", "results"}
    assert (found["sessions"], found["accounts"], found["seconds"]) == (6, ["account-1", "account-2"], 172800)
    for one in found["results"]:
        kinds = {key: type(value) for key, value in one.items()}
        assert kinds == {
            "policy": str, "asked": int, "done": int, "left": int, "blocked": float, "swaps": int, "moves": int,
            "limits": int, "recached": int, "unused": dict,
        }  # fmt: skip
        assert one["done"] + one["left"] == one["asked"]
        assert set(one["unused"]) == {"five_hour", "seven_day"}
        assert all(set(window) == {"periods", "tokens", "percent"} for window in one["unused"].values())


def config(folder: Path, names: str, more: str = "") -> Path:
    path = folder / f"{names}.yaml"
    accounts = ", ".join(f"{{name: {name}, config_dir: {folder}/{name}}}" for name in names)
    path.write_text(f"version: 1\nstate_dir: {folder}/state\naccounts: [{accounts}]\n{more}")
    return path


def test_policies_are_configuration_files(tmp_path: Path) -> None:
    ours = config(tmp_path, "ab")
    low = config(tmp_path, "ba", "thresholds: {five_hour: 20}\nfailover: {cooldown: 1h}\n")
    answer = cli(None, "simulate", "--synthetic", SHORT, "--policy", str(ours), "--policy", str(low), "--json")
    assert answer.code == 0, answer.err
    one, other = answer.json["results"]
    assert (one["policy"], other["policy"]) == ("ab", "ba")
    assert one["swaps"] != other["swaps"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "give one of --trace FILE, --synthetic"),
        (["--synthetic", "days=1", "--trace", "x"], "give one of"),
        (["--synthetic", "day=1"], "'day' is no parameter"),
        (["--trace", "nowhere.jsonl"], "there is no such file"),
        (["--synthetic", SHORT, "--png", "x.gif"], ".png or .svg"),
        (["--synthetic", SHORT, "--png", "no/x.png"], "its folder does not exist"),
        (["--synthetic", SHORT, "--policy", "nowhere.yaml"], "cannot be read"),
        (["--record", "x.jsonl", "--since", "soon"], "no duration"),
    ],
)
def test_wrong_usage_is_told_with_its_mend(arguments: list[str], says: str, tmp_path: Path) -> None:
    answer = cli(None, "simulate", *arguments, cwd=tmp_path)
    assert answer.code == 2
    assert says in answer.err
    assert answer.err.count("\n") == 1


def test_a_configuration_for_fewer_accounts_is_refused(tmp_path: Path) -> None:
    answer = cli(None, "simulate", "--synthetic", SHORT, "--policy", str(config(tmp_path, "a")))
    assert answer.code == 2
    assert "it has 1 accounts and the demand is for 2" in answer.err


def test_it_is_drawn(tmp_path: Path) -> None:
    for name, begins in (("x.png", b"\x89PNG"), ("x.svg", b"<?xml")):
        answer = cli(None, "simulate", "--synthetic", SHORT, "--png", name, cwd=tmp_path)
        assert answer.code == 0, answer.err
        assert (tmp_path / name).read_bytes().startswith(begins)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.png", "x.svg"]


def test_without_matplotlib_it_says_what_to_install(tmp_path: Path) -> None:
    program = "import sys; sys.modules['matplotlib'] = None; from failover.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "simulate", "--synthetic", SHORT, "--png", str(tmp_path / "x.png")],
        capture_output=True, text=True, timeout=30, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 1
    assert "pip install 'claude-failover[plots]'" in done.stderr


def test_without_a_picture_matplotlib_is_not_loaded() -> None:
    program = (
        "import sys\nfrom failover.cli import verbs\n"
        f"verbs.main(['simulate', '--synthetic', '{SHORT}', '--json'], standalone_mode=False)\n"
        "sys.exit('matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, timeout=30).returncode == 0


def test_a_pool_without_history_cannot_be_recorded_and_nothing_is_written(tmp_path: Path) -> None:
    ours = config(tmp_path, "ab")
    (tmp_path / "state").mkdir(mode=0o700)
    Store.open(tmp_path / "state" / "state.db", "test").close()
    answer = cli(ours, "simulate", "--record", str(tmp_path / "out.jsonl"))
    assert answer.code == 1
    assert "no turn was noted since then" in answer.err
    assert not (tmp_path / "out.jsonl").exists()
