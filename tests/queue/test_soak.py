"""Some task files, worked off while the dispatcher is killed. (Ten thousand of them: scripts/soak-queue.)"""

from __future__ import annotations

from failover.sim.soak_queue import soak


def test_tasks_end_once_and_in_order_though_the_dispatcher_is_killed_again_and_again() -> None:
    report = soak(files=200, projects=40, count=6, seed=5, every=3.0)
    assert report.broken == []
    assert report.ended == {"done": 200} and report.kills["dispatcher"] >= 1
    assert report.anew >= 20 and report.anew < 200 + report.deaths, "some were typed, some begun anew"
