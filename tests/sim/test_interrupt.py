"""A long run that is told to end clears up once, however often it is told."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import wait_for

_RUN = """
import os, signal, sys
from pathlib import Path
from failover.sim import interrupt
interrupt.by_signals()
place = Path(sys.argv[1])
try:
    (place / "at work").touch()
    signal.pause()
except KeyboardInterrupt:
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGHUP)
    (place / "cleared").touch()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_second_signal_does_not_cut_the_end_short(tmp_path: Path, number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", _RUN, str(tmp_path)]) as run:
        try:
            wait_for((tmp_path / "at work").exists, 20, "the run")
            # It may not have come to its pause yet: the signal is then heard before it.
            run.send_signal(number)
            assert run.wait(20) == 0
        finally:
            run.kill()
    assert (tmp_path / "cleared").exists()
