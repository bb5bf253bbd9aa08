"""Fall over at a named point, on purpose: how the tests place a kill exactly between two steps.

FAILOVER_CRASH_AT=STEP:WHEN[:stop] in the environment of a role; STEP: the state that is being entered; WHEN: before
(it is written to the journal) or after (written, and not yet acted upon). The process sends itself SIGKILL there, or
with `stop` SIGSTOP, so that a test can kill something else at that point and let it go on with SIGCONT. It happens
once for a state dir: the role that is started again finds the mark and works.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Literal

#: Names the point; never set outside tests.
VARIABLE = "FAILOVER_CRASH_AT"
#: The file in the run dir that says that it has happened.
MARK = "crashed-at"


def point(run_dir: Path, step: str, when: Literal["before", "after"]) -> None:
    """End or stop this process if this is the point that the environment names."""
    wanted = os.environ.get(VARIABLE)
    if wanted is None or wanted.removesuffix(":stop") != f"{step}:{when}":
        return
    try:
        os.close(os.open(run_dir / MARK, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGSTOP if wanted.endswith(":stop") else signal.SIGKILL)
