"""What Prometheus is told, over HTTP, and that dashboard, alerts and docs speak of nothing else."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from failover.config import load
from failover.http import auth
from failover.sim import history
from tests.http.plane import ROOT, Plane, plane

DOCS = ROOT / "docs"
SHOWN = DOCS / "observability"
NAME = re.compile(r"\bclaude_failover_[a-z0-9_]+")
#: Where scripts/setup --dev puts it if the host has none.
PROMTOOL = shutil.which("promtool") or shutil.which("promtool", path=str(Path(sys.executable).parent))
needs_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="promtool is missing; scripts/setup --dev fetches it where it may, or install prometheus"
)


def scrape(control: Plane, path: str = "/metrics", scope: auth.Scope | None = "read", accept: str = "") -> Any:
    """Scrape over TCP, as Prometheus would; return status, content type and text."""
    asked = urllib.request.Request(f"http://127.0.0.1:{control.port}{path}", headers={"Accept": accept})
    if scope:
        asked.add_header("Authorization", f"Bearer {auth.token(control.paths.token_file, scope)}")
    try:
        with urllib.request.urlopen(asked, timeout=20) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read().decode()


@pytest.fixture(scope="module")
def control() -> Iterator[Plane]:
    with plane() as found:
        history.remember(load(found.file), found.store)
        found.hook("Stop")
        yield found


def samples(text: str) -> dict[str, float]:
    """Return the samples of a scrape by what stands before their value."""
    lines = [line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#")]
    return {series: float(value) for series, _, value in lines}


def families(text: str) -> set[str]:
    """Return the names that may be asked for: those of samples."""
    return {series.partition("{")[0] for series in samples(text)}


def promtool(*arguments: str, text: str = "") -> str:
    """Run promtool; return what it said, fail where it is not content."""
    assert PROMTOOL is not None
    done = subprocess.run([PROMTOOL, *arguments], input=text, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_a_scrape_needs_a_token_and_the_one_that_reads_is_enough(control: Plane) -> None:
    assert scrape(control, scope=None)[0] == 401
    for scope in auth.SCOPES:
        status, kind, _ = scrape(control, scope=scope)
        assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")


def test_what_is_so_is_told(control: Plane) -> None:
    found = samples(scrape(control)[2])
    now = control.store.now_ms() / 1000

    def of(name: str, **labels: str) -> float:
        shown = ",".join(f'{key}="{value}"' for key, value in sorted(labels.items()))
        return found[f"claude_failover_{name}" + (f"{{{shown}}}" if shown else "")]

    assert of("account_utilization_ratio", account="a", window="five_hour") == pytest.approx(0.92)
    assert of("account_threshold_ratio", account="a", window="five_hour") == pytest.approx(0.9)
    assert of("account_reset_timestamp_seconds", account="b", window="five_hour") == pytest.approx(now + 14400, abs=60)
    assert (of("account_usable", account="a"), of("account_usable", account="b")) == (0, 1)
    assert now < of("account_forecast_timestamp_seconds", account="b", window="five_hour")
    assert of("sessions", account="b", state="working") == 2
    assert of("tasks", state="queued") == of("queue_tasks", project=str(control.folder / "p")) == 1
    assert of("task_oldest_age_seconds", state="queued") >= 60
    assert (of("role_up", role="control-plane"), of("role_up", role="bus")) == (1, 0)
    assert of("role_resident_memory_bytes", role="control-plane") > 10_000_000
    assert of("role_start_timestamp_seconds", role="control-plane") == pytest.approx(now, abs=300)
    assert of("swaps_total", kind="swap", outcome="done", urgency="soft") == 1
    assert of("swaps_total", kind="swap", outcome="failed", urgency="hard") == 0
    assert of("move_blackout_seconds_sum", kind="swap") == 4
    assert of("hook_duration_seconds_count", held="false") == of("hooks_total") == 1
    assert of("notifier_backlog_notices", sink="file") == 0
    assert of("paused") == of("swap_in_progress") == 0


def test_openmetrics_is_given_where_it_is_asked_for(control: Plane) -> None:
    wanted = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
    status, kind, text = scrape(control, accept=wanted)
    assert status == 200 and kind.startswith("application/openmetrics-text; version=1.0.0")
    assert text.endswith("# EOF\n")
    assert "# TYPE claude_failover_swaps counter" in text


def test_the_share_of_memory_is_told_where_it_is_asked_for(control: Plane) -> None:
    name = 'claude_failover_role_proportional_memory_bytes{role="control-plane"}'
    assert name not in samples(scrape(control)[2])
    assert samples(scrape(control, "/metrics?pss=1")[2])[name] > 1_000_000


@needs_promtool
def test_promtool_finds_nothing_wrong_with_a_scrape(control: Plane) -> None:
    assert promtool("check", "metrics", text=scrape(control)[2]).strip() == ""


@needs_promtool
def test_the_alerts_fire_when_they_should_and_only_then() -> None:
    assert "SUCCESS" in promtool("check", "rules", str(SHOWN / "alerts.yaml"))
    assert "SUCCESS" in promtool("test", "rules", str(SHOWN / "alerts_test.yaml"))


def test_every_alert_is_tested_both_ways() -> None:
    names = {rule["alert"] for group in yaml.safe_load((SHOWN / "alerts.yaml").read_text())["groups"] for rule in
             group["rules"]}  # fmt: skip
    cases = [
        (case["alertname"], bool(case.get("exp_alerts")))
        for test in yaml.safe_load((SHOWN / "alerts_test.yaml").read_text())["tests"]
        for case in test["alert_rule_test"]
    ]
    assert {name for name, fires in cases if fires} == {name for name, fires in cases if not fires} == names


def expressions() -> list[str]:
    """Return what the dashboard asks for, its variables filled in as Grafana would."""
    board = json.loads((SHOWN / "dashboard.json").read_text())
    asked = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    asked += [note["expr"] for note in board["annotations"]["list"] if "expr" in note]
    values = {"$__rate_interval": "1m", "$__interval": "1m", "$__range": "6h", "$job": ".+", "$instance": ".+"}
    for name, value in values.items():
        asked = [one.replace(name, value) for one in asked]
    return asked


@needs_promtool
def test_every_expression_of_the_dashboard_can_be_parsed(tmp_path: Path) -> None:
    rules = [{"record": f"shown:{number}", "expr": one} for number, one in enumerate(expressions())]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    assert f"{len(rules)} rules found" in promtool("check", "rules", str(file))


def test_dashboard_and_alerts_ask_only_for_what_a_scrape_has(control: Plane) -> None:
    there = families(scrape(control, "/metrics?pss=1")[2])
    rules = yaml.safe_load((SHOWN / "alerts.yaml").read_text())["groups"][0]["rules"]
    asked = set(NAME.findall("\n".join([*expressions(), *(rule["expr"] for rule in rules)])))
    assert len(asked) > 30
    assert asked - there == set()


def test_the_dashboard_can_be_imported() -> None:
    board = json.loads((SHOWN / "dashboard.json").read_text())
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    assert next(one["type"] for one in board["templating"]["list"]) == "datasource"
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            assert target["datasource"]["uid"] == "${datasource}", panel["title"]


def test_the_docs_name_each_metric_and_no_other(control: Plane) -> None:
    text = scrape(control, "/metrics?pss=1")[2]
    told = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    table = [line for line in (DOCS / "observability.md").read_text().splitlines() if line.startswith("| `")]
    assert {f"claude_failover_{line.split('`')[1].partition('{')[0]}" for line in table} == told


def test_totals_go_on_where_a_killed_control_plane_left_them() -> None:
    with plane() as control:
        history.remember(load(control.file), control.store)
        control.hook("Stop")
        before = samples(scrape(control)[2])
        control.stop(signal.SIGKILL)
        with control.store.transaction() as tx:
            for table in ("events", "moves", "swaps", "hook_calls"):
                tx.execute(f"DELETE FROM {table}")
        control.start()
        control.hook("Stop")
        after = samples(scrape(control)[2])
        counters = [name for name in before if re.search(r"_(total|bucket|count|sum)(\{|$)", name)]
        assert len(counters) > 100
        for name in counters:
            if "cpu_seconds" not in name:  # of the process: it begins anew with it
                assert after[name] >= before[name], name
        held = 'claude_failover_hook_duration_seconds_count{held="false"}'
        assert (before[held], after[held]) == (1, 2)
        assert after['claude_failover_role_starts_total{role="control-plane"}'] == 2
