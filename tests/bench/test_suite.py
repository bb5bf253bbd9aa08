"""The benchmark suite can be trusted to fail when one of it is broken, and to say what it held against what."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from failover.bench import main as suite
from failover.bench.effort import Effort
from failover.bench.result import Row, read, row, worst_but_one_percent, write
from failover.errors import HostError


def test_with_a_limit_the_budget_is_a_ratio_and_without_one_a_value() -> None:
    assert (row("a", 3.0, "s", 2.0, 1.3).ratio, row("a", 3.0, "s", 2.0, 1.3).verdict) == (1.5, "outside")
    assert (row("a", 3.0, "s", None, 3.0).ratio, row("a", 3.0, "s", None, 3.0).verdict) == (None, "within")
    assert row("a", 90.0, "1/s", 100.0, 0.85, least=True).verdict == "within"
    assert row("a", 80.0, "1/s", 100.0, 0.85, least=True).verdict == "outside"


def test_the_99th_percentile_of_few_values_is_the_largest() -> None:
    assert worst_but_one_percent([3.0, 1.0, 2.0]) == 3.0
    assert worst_but_one_percent([float(value) for value in range(1000)]) == 990.0


def test_every_benchmark_that_is_named_is_there() -> None:
    for module, function in suite.BENCHMARKS.values():
        assert callable(getattr(__import__(f"failover.bench.{module}", fromlist=[function]), function))


def test_results_are_written_and_compared_with_earlier_ones(tmp_path: Path) -> None:
    before, now = tmp_path / "before.json", tmp_path / "now.json"
    told = [row("checkpoint of the largest size written, p50", 2.0, "ms", None, 5.0)]
    before.write_bytes(msgspec.json.encode([msgspec.structs.replace(told[0], binary="simulated")]))
    done = CliRunner().invoke(suite.main, ["checkpoint", "--json", str(now), "--compare", str(before)])
    assert done.exit_code == 0, done.output
    assert "was 2 ms, within (" in done.output
    found = msgspec.json.decode(now.read_bytes(), type=list[Row])
    assert len(found) == 3 and all(one.value > 0 and one.machine for one in found)
    before.write_text("[{}]")
    assert CliRunner().invoke(suite.main, ["checkpoint", "--compare", str(before)]).exit_code == 2


def test_what_is_added_replaces_all_that_its_benchmark_told_before_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    blackout = msgspec.structs.replace(row("blackout", 1.0, "s", None, 2.0), benchmark="blackout", binary="simulated")
    stale = msgspec.structs.replace(blackout, name="no longer told", benchmark="checkpoint")
    real = msgspec.structs.replace(stale, name="on the real one", binary="Claude Code 1")
    write(file, [stale, real, blackout])
    assert CliRunner().invoke(suite.main, ["checkpoint", "--json", str(file), "--add"]).exit_code == 0
    found = read(file)
    assert [one.benchmark for one in found] == ["blackout", *["checkpoint"] * 4]
    assert "no longer told" not in [one.name for one in found] and found[-1] == real
    assert CliRunner().invoke(suite.main, ["checkpoint", "--json", str(file)]).exit_code == 0
    assert len(read(file)) == 3


def test_the_long_run_is_made_only_when_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def noted(name: str, effort: Effort) -> list[Row]:
        ran.append(name)
        return []

    monkeypatch.setattr(suite, "measure", noted)
    whole = CliRunner().invoke(suite.main, [])
    assert whole.exit_code == 0 and set(suite.BENCHMARKS) - set(ran) == {"long"}
    assert f"1 of {len(ran)}, blackout: measuring" in whole.output
    assert CliRunner().invoke(suite.main, ["long"]).exit_code == 0 and ran[-1] == "long"


def test_a_broken_benchmark_ends_the_suite_and_what_a_host_lacks_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(*_: object) -> list[Row]:
        raise HostError("no browser here")

    monkeypatch.setattr(suite, "measure", lacking)
    whole, named = CliRunner().invoke(suite.main, []), CliRunner().invoke(suite.main, ["page"])
    assert whole.exit_code == 0 and "left out, since no browser here" in whole.output
    assert named.exit_code == 1

    def broken(*_: object) -> list[Row]:
        raise ZeroDivisionError

    monkeypatch.setattr(suite, "measure", broken)
    assert CliRunner().invoke(suite.main, []).exit_code == 1
