"""What the description at /schema says is what the control plane does, whatever is sent to it.

CLAUDE_FAILOVER_EXAMPLES=500 sends more than the fifteen requests of each kind that are sent otherwise.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from failover.store import orders
from failover.store.db import Store
from tests.http.plane import Plane

_CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
    "response_headers_conformance", "unsupported_method", "ignored_auth",
)  # fmt: skip


def test_no_request_is_answered_with_an_error_of_ours_or_an_answer_that_is_not_described(
    control: Plane, tmp_path: Path
) -> None:
    over = threading.Event()

    def carry_out() -> None:
        """Play the switcher, so that whoever waits for an order's end need not wait long."""
        store = Store.open(control.paths.store, "account-switcher", "test")
        while not over.wait(0.05):
            with store.transaction() as tx:
                for order in (*orders.pending(store), *orders.pending_of_tasks(store)):
                    orders.finish(tx, order.id, store.now_ms(), "done", "played")
        store.close()

    switcher = threading.Thread(target=carry_out)
    switcher.start()
    try:
        done = subprocess.run(
            [str(Path(sys.executable).with_name("schemathesis")), "run",
             f"http://127.0.0.1:{control.port}/schema/openapi.json",
             "--header", f"Authorization: Bearer {control.token('operate')}",
             "--checks", ",".join(_CHECKS), "--exclude-path", "/v1/events/stream", "--exclude-path", "/readyz",
             "--phases", "examples,coverage,fuzzing",
             "--max-examples", os.environ.get("CLAUDE_FAILOVER_EXAMPLES", "15"), "--seed", "1",
             "--generation-database", "none", "--request-timeout", "20", "--continue-on-failure", "--no-color"],
            cwd=tmp_path, capture_output=True, text=True, timeout=3600,
        )  # fmt: skip
    finally:
        over.set()
        switcher.join()
    assert done.returncode == 0, done.stdout[-60000:] + done.stderr[-2000:]
    assert control.process is not None and control.process.poll() is None
