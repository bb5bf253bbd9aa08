"""The notifier among the other roles, under supervisord."""

from __future__ import annotations

import json
import signal
from contextlib import closing

from failover.cli.down import down
from failover.cli.up import up
from failover.config import load
from failover.core.liveness import LOOP
from failover.host.process import ProcessId, alive, send_signal
from failover.store.db import Store
from tests.cli.run import cli
from tests.notify.office import texts
from tests.places import small_config
from tests.waiting import wait_for


def test_a_role_that_dies_over_and_over_is_told_and_each_line_of_the_log_is_an_object() -> None:
    with small_config() as made:
        made.file.write_text(
            made.file.read_text() + "usage: {poll: false}\nnotify: [{kind: file, path: n}, {kind: stdout}]\n"
        )
        config = load(made.file)
        up(config, wait=60)
        try:
            with closing(Store.read_only(config.paths.store)) as store:
                killed = set[ProcessId]()

                def anew() -> ProcessId | None:
                    row = store.one("SELECT pid, start FROM roles WHERE role = 'janitor'")
                    process = ProcessId(row["pid"], row["start"])
                    return process if process not in killed and alive(process) else None

                for _ in range(LOOP - 1):
                    process = wait_for(anew, 20, "the janitor")
                    killed.add(process)
                    send_signal(process, signal.SIGKILL)
            path = config.file.parent / "n"
            (told,) = wait_for(lambda: texts(path), 20, "the notice")
            assert told.startswith(f"The role janitor was started {LOOP} times in a short while")
            file, stdout = cli(config.file, "notify", "list", "--json").json
            assert file["waiting"] == 0 and file["state"] == "ok" and stdout["kind"] == "stdout"
            lines = [json.loads(line) for line in (config.paths.log_dir / "notifier.log").read_text().splitlines()]
            assert [line["key"] for line in lines if line.get("type") == "role.failing"], "the sink on standard output"
            assert any("told file of 1 notice" in line.get("message", "") for line in lines)
        finally:
            down(config)
