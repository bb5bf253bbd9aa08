"""Who else is on a conversation: a child of the session that is about to become another program is not."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from failover.claude.registry import Registry
from failover.config import load
from failover.core.move import Move
from failover.host import process
from failover.store.db import Store
from failover.switcher.look import Scene
from tests.waiting import wait_for

CONVERSATION = str(uuid.uuid4())


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A process with the conversation among its arguments, a child of this one."""
    made = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", CONVERSATION])
    wait_for(lambda: process.with_argument(CONVERSATION), what="its arguments")
    yield made
    made.kill()
    made.wait()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    file = tmp_path / "config.yaml"
    file.write_text("version: 1\nstate_dir: state\nshared_dir: shared\naccounts: [{name: a, config_dir: a}]\n")
    config = load(file, {"HOME": str(tmp_path)})
    config.paths.ensure()
    store = Store.open(config.paths.store, "test", "boot")
    yield Scene(config, store, cast(Any, None), 0.0, Registry(config.shared_dir / "sessions"))
    store.close()


def test_a_process_on_the_conversation_is_elsewhere_unless_it_is_ours_or_of_ours(
    scene: Scene, child: subprocess.Popen[bytes]
) -> None:
    assert scene.elsewhere(CONVERSATION, set()) == (child.pid,)
    assert scene.elsewhere(CONVERSATION, {child.pid}) == ()
    assert scene.elsewhere(CONVERSATION, {os.getpid()}) == ()


def test_what_was_seen_of_all_processes_is_good_for_a_moment_only(scene: Scene) -> None:
    conversation = str(uuid.uuid4())
    assert scene.elsewhere(conversation, set()) == ()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", conversation]) as late:
        try:
            wait_for(lambda: scene.elsewhere(conversation, set()) == (late.pid,), what="a look at who came since")
            assert late.pid in {pid for pid, _ in scene.lines}
        finally:
            late.kill()


def test_a_new_process_that_is_known_lives_as_long_as_it_does_whatever_its_arguments_show(
    scene: Scene, child: subprocess.Popen[bytes]
) -> None:
    one = process.identify(child.pid)
    assert one is not None
    move = Move(
        id=1, swap=1, session="one", conversation=CONVERSATION, cwd="/", source="a", target="a", kind="swap", pane="%0",
        pid=1, start=1, launch="0" * 12, new_pid=one.pid, new_start=one.start, state="relaunched",
    )  # fmt: skip
    assert scene.process_of(move) == one, "it does not bear the launch's mark, as while it becomes another program"
    assert scene.process_of(msgspec.structs.replace(move, new_start=one.start + 1)) is None
    child.kill()
    wait_for(lambda: scene.process_of(move) is None, what="its end")


def test_a_child_that_is_gone_before_its_parent_is_asked_for_is_nobody(
    scene: Scene, child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = process.ancestors

    def late(pid: int) -> list[int]:
        if pid == child.pid:
            child.kill()
            child.wait()
        return asked(pid)

    monkeypatch.setattr(process, "ancestors", late)
    assert scene.elsewhere(CONVERSATION, {os.getpid()}) == ()
    assert child.returncode
