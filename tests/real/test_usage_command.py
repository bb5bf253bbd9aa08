"""`claude -p /usage`: the simulated and the real CLI answer alike, and we read of it what is so."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from failover.core.usage import USAGE_COMMAND
from failover.sim import namespace
from failover.sim.real_cli import real_claude, sim_claude

pytestmark = pytest.mark.real
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Return what either CLI did in each scene, in a network of its own: it asks its provider by name."""
    folder = tmp_path_factory.mktemp("usage")
    if why := namespace.refused(folder):
        pytest.skip(f"this host permits no network namespace: {why}")
    namespace.certificates(folder)
    found = {}
    for kind, command in (("sim", sim_claude(folder / "bin")), ("real", real_claude())):
        place = folder / kind
        place.mkdir()
        words = [sys.executable, "-m", "tests.real.usage_scenes", str(place), str(command), kind]
        done = subprocess.run(namespace.inside(folder, words), cwd=ROOT, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        found[kind] = json.loads(done.stdout)
    return found


def test_the_simulator_answers_as_the_real_cli_does(seen: dict[str, dict[str, Any]]) -> None:
    for scene, real in seen["real"].items():
        assert seen["sim"][scene] == real, scene


def test_an_answer_is_read_to_the_digit_and_the_second_though_the_print_is_rounded(seen: dict[str, Any]) -> None:
    answer = seen["real"]["an answer"]
    assert answer["printed"][0] == "Current session: 42% used · resets WHEN"
    assert ["five_hour", 42.6, "reset to the second", USAGE_COMMAND] in answer["read"]
    assert ["seven_day_opus", 34.0, "reset to the second", USAGE_COMMAND] in answer["read"]
    assert (answer["exit"], answer["asked"], answer["left"]) == (0, 1, [])


def test_a_refusal_that_is_printed_as_an_old_answer_is_no_reading(seen: dict[str, Any]) -> None:
    frozen = seen["real"]["refused, with an answer of half an hour ago"]
    assert frozen["printed"][0].startswith("Current session: 42% used")
    assert "repeated its answer" in frozen["read"]


def test_an_answer_without_a_window_is_no_reading(seen: dict[str, Any]) -> None:
    for scene in ("refused with 429, nothing known", "told to ask nobody", "an answer that does not come"):
        assert seen["real"][scene]["printed"] == []
        assert "named no window" in seen["real"][scene]["read"]
