"""Half a minute of everything that can go wrong, and no promise is broken. (Minutes of it: scripts/nemesis.)"""

from __future__ import annotations

import json
import subprocess
import sys

SEED = 11


def test_half_a_minute_of_the_nemesis_breaks_no_promise() -> None:
    command = [
        sys.executable,
        "-m",
        "failover.sim.nemesis.run",
        "--seed",
        str(SEED),
        "--minutes",
        "0.5",
        "--sessions",
        "4",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    story = f"{done.stdout}\n{done.stderr}"
    assert done.stdout, story
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["broken"] == [], story
    assert done.returncode == 0, story
    # It did happen: faults of many kinds, swaps, tasks, and somebody who watched.
    assert sum(found["faults"].values()) >= 8 and len(found["faults"]) >= 4, story
    assert found["swaps"] >= 1 and found["moves"].get("verified", 0) >= 1, story
    assert found["tasks"].keys() == {"done"} and found["tasks"]["done"] >= 3, story
    assert found["samples"] > 100 and found["processes"] > 4, story
    assert found["recovery_ms"]["max"] is not None, story
