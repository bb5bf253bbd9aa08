"""The bus of a pool at work dies, is flooded and is fed garbage (faults 3, 6, 7)."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zmq

from failover import events
from failover.bus.proxy import HIGH_WATER_MARK
from failover.events import MAX_FRAME, Envelope, encode
from failover.notify.spec import File
from failover.sim.world import World
from tests.bus.listener import Listener, envelope
from tests.faults.pool import PATIENCE, ask, ends, fresh, frozen, other, pool
from tests.places import short_dir
from tests.swap.actors import assert_nothing_lost, back, hold_stands, kill, order, pids, result, roles, started, work
from tests.waiting import wait_for


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with short_dir() as place:
        notices = {"notify": [{"kind": "file", "path": str(place / "notices.jsonl")}]}
        with pool("one", "two", extra=notices) as made:
            yield made


def test_03_a_bus_killed_and_restarted_in_mid_swap_delays_it_at_most(world: World) -> None:
    target, task = other(world, "one"), fresh("one")
    world.type("one", work(world, task, 3, 1))
    world.wait(lambda: started(world, task, 1), "a tool at work")
    ordered = order(world, "swap", "--to", target)
    world.wait(lambda: hold_stands(world, "one"), "a hold")
    boot = kill(world, "bus")
    code, said = result(ordered)
    assert code == 0, said
    world.wait(lambda: back(world, "bus", boot), "the bus back", PATIENCE)
    ask(world, *world.sessions)
    assert ends(world, task) == [(task, 1), (task, 2)]
    assert_nothing_lost(world)


def forged(seq: int) -> list[tuple[bytes, bytes]]:
    """Return a frame pair of every kind of event there is, from a source that does not exist, full of lies."""
    lies = {
        "str": "one", "int": 1, "float": 1.0, "bool": False, "tuple[str, ...]": ("one",), "dict[str, str]": {"x": "b"},
    }  # fmt: skip
    made = []
    for kind in events.AnyEvent.__args__:  # type: ignore[attr-defined]
        fields = {field.name: lies.get(_type(field.type)) for field in msgspec.structs.fields(kind)}
        event = kind(**fields)
        made.append(encode(Envelope(id=seq, source="forger", boot="b", seq=seq, at_ms=0, event=event)))
    return made


def _type(kind: Any) -> str:
    return kind.__name__ if isinstance(kind, type) else str(kind)


def everybody_works(world: World) -> None:
    """Let the pool do a bit of everything, so that each role has had to do its part."""
    name, target = fresh("task"), other(world, "one")
    bodies = {row[0] for row in world.query("SELECT max(id) FROM checkpoints")}
    notices = _notices(world)
    inbox = world.projects["app"] / ".agent-queue" / "inbox"
    part = inbox / f".{name}"
    part.write_text("Say something.")
    part.rename(inbox / f"{name}.md")
    sql = "SELECT 1 FROM tasks WHERE name = ? AND state = 'done'"
    world.wait(lambda: world.query(sql, name), "a task done", PATIENCE)
    done = world.cli("swap", "--to", target, check=False)
    assert done.returncode == 0, done.stderr
    ask(world, *world.sessions)
    assert {world.placement(session).account for session in world.sessions} == {target}
    world.wait(lambda: {world.state_of(session) for session in world.sessions} == {"idle"}, "the watcher's word")
    world.wait(lambda: world.query("SELECT 1 FROM checkpoints WHERE id > ?", *bodies), "a checkpoint")
    world.wait(lambda: _notices(world) > notices, "a notice")
    listener = Listener(world.config.paths)
    listener.tune_in(world.config.paths)
    listener.subscriber.close()


def _notices(world: World) -> int:
    settings = world.config.notify[0].settings
    assert isinstance(settings, File)
    file = Path(settings.path)
    return len(file.read_text().splitlines()) if file.exists() else 0


def raw_socket(world: World, context: zmq.Context[zmq.Socket[bytes]]) -> zmq.Socket[bytes]:
    """Return a publisher's socket to the live bus, once that listens."""
    raw = context.socket(zmq.XPUB)
    raw.connect(world.config.paths.bus_in)
    assert raw.poll(int(PATIENCE * 1000))
    raw.recv()
    return raw


def test_06_roles_that_are_stopped_through_a_flood_stop_nobody_and_catch_up(world: World) -> None:
    listener = Listener(world.config.paths, "role.")
    listener.tune_in(world.config.paths)
    stopped = {role: roles(world)[role] for role in ("checkpoint", "notifier")}
    notices = _notices(world)
    with frozen(stopped["checkpoint"][1]), frozen(stopped["notifier"][1]):
        before = world.query("SELECT max(id) FROM checkpoints")[0][0]
        with zmq.Context() as context, raw_socket(world, context) as raw:
            for seq in range(1, HIGH_WATER_MARK + 2000):
                raw.send_multipart(encode(envelope(seq, "flood")))
                if seq % 500 == 0:
                    wait_for(lambda seq=seq: seq in listener.numbers("flood")[-1:], PATIENCE, "the flood")  # type: ignore[misc]
                    listener.heard = listener.heard[-1:]
        target = other(world, "one")
        done = world.cli("swap", "--to", target, check=False)
        assert done.returncode == 0, done.stderr
        ask(world, *world.sessions)
        assert world.query("SELECT max(id) FROM checkpoints")[0][0] == before
    world.wait(lambda: world.query("SELECT 1 FROM checkpoints WHERE id > ?", before), "the checkpoints after all")
    world.wait(lambda: _notices(world) > notices, "the notices after all")
    assert {role: roles(world)[role] for role in stopped} == stopped
    everybody_works(world)
    assert_nothing_lost(world)
    listener.subscriber.close()


def test_07_garbage_and_forgeries_on_the_live_bus_cost_no_role_its_life_and_change_nothing(world: World) -> None:
    ask(world, *world.sessions)
    before, processes = roles(world), pids(world)
    assert len(before) == 9
    durable = ("orders", "swaps", "swap_requests", "moves", "placements", "holds", "tasks", "flags")
    rows = {table: [tuple(row) for row in world.query(f"SELECT * FROM {table}")] for table in durable}
    listener = Listener(world.config.paths)
    listener.tune_in(world.config.paths)
    topic, good = encode(envelope(1, "forger"))
    nested = good.replace(b'"role":"forger"', b'"role":' + b"[" * (MAX_FRAME // 2))
    bad = [
        [b""],
        [b"alone"],
        [topic, good, b"more"],
        [topic, b"\xff\xfe\x00"],
        [topic, b"[" * (MAX_FRAME - 1)],
        [topic, b'{"a":' * (MAX_FRAME // 6)],
        [topic, nested[: MAX_FRAME - 1]],
        [topic, good.replace(b'"seq":1', b'"seq":"1"')],
        [topic, good.replace(b'"seq":1', b'"seq":' + b"9" * 5000)],
        [b"\x00" * 1000, os.urandom(1000)],
    ]
    with zmq.Context() as context:
        with raw_socket(world, context) as raw:
            for frames in bad * 20:
                raw.send_multipart(frames)
            # A number that grows: what each role makes of a gap, a new source, a repetition, is tried as well.
            for seq in (1, 2, 2, 900, 3):
                for two in forged(seq):
                    raw.send_multipart(two)
            wait_for(lambda: listener.numbers("forger")[-1:] == [3], PATIENCE, "the last forgery")
        with raw_socket(world, context) as raw:
            raw.send_multipart([topic, b"x" * (MAX_FRAME + 1)])  # the bus disconnects whoever sends that
            with raw_socket(world, context) as another:
                another.send_multipart(encode(envelope(1, "afterwards")))
                wait_for(lambda: listener.numbers("afterwards") == [1], PATIENCE, "the bus at work")
        assert listener.subscriber.bad == len(bad) * 20
    with socket.socket(socket.AF_UNIX) as plain:  # what is no ZeroMQ at all
        plain.connect(world.config.paths.bus_in.removeprefix("ipc://"))
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n" * 100)
    ask(world, *world.sessions)
    now = {table: [tuple(row) for row in world.query(f"SELECT * FROM {table}")] for table in durable}
    assert now == rows, "nobody took an order from the bus"
    assert (roles(world), pids(world)) == (before, processes)
    everybody_works(world)
    assert roles(world) == before, "no role was started anew"
    assert_nothing_lost(world)
    listener.subscriber.close()
