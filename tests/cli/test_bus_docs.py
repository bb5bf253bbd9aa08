"""docs/bus.md says what is so: its five lines run, and its table lists every event."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tempfile
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest

from failover.bus.proxy import Proxy
from failover.bus.publisher import Publisher
from failover.events import AnyEvent, Envelope, RoleStarted, decode
from failover.paths import Paths
from tests.cli.run import ROOT
from tests.waiting import wait_for

TEXT = (ROOT / "docs" / "bus.md").read_text()


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="cf-") as folder:
        yield Path(folder)


def test_the_five_lines_hear_the_bus(home: Path) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    paths = Paths(home / ".local" / "state" / "claude-failover")
    paths.ensure()
    proxy, publisher = Proxy(paths), Publisher(paths.bus_in)
    listener = subprocess.Popen(
        [sys.executable, "-u", "-c", program], stdout=subprocess.PIPE, text=True, env={"HOME": str(home)}
    )
    sent = 0
    try:
        assert listener.stdout is not None
        import zmq

        poller = zmq.Poller()
        poller.register(listener.stdout.fileno(), zmq.POLLIN)

        def heard() -> bool:
            nonlocal sent
            sent += 1
            event = RoleStarted(role="bus", pid=1)
            publisher.send([Envelope(id=sent, source="test", boot="b", seq=sent, at_ms=0, event=event)])
            return bool(poller.poll(100))

        wait_for(heard, 10, "the five lines to hear something")
        assert ast.literal_eval(listener.stdout.readline())["event"] == {
            "type": "role.started",
            "role": "bus",
            "pid": 1,
        }
    finally:
        listener.kill()
        listener.wait()
        assert listener.stdout is not None
        listener.stdout.close()
        publisher.close()
        proxy.close()


def test_the_table_lists_every_event_with_its_fields() -> None:
    rows = re.findall(r"^\| `([a-z]+\.[a-z-]+)` \| (.*?) \|", TEXT, flags=re.MULTILINE)
    stated = {tag: tuple(re.findall(r"`(\w+)`", fields)) for tag, fields in rows}
    events = typing.get_args(AnyEvent)
    assert stated == {str(event.__struct_config__.tag): event.__struct_fields__ for event in events}


def test_the_sample_is_a_message_of_ours() -> None:
    (sample,) = re.findall(r"```json\n(.*?)```", TEXT, flags=re.DOTALL)
    assert decode(sample.encode()).source == "account-switcher"
