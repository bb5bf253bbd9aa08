"""What nobody should send to the daemon's sockets, sent by somebody who may: broken frames, forged ones, floods."""

from __future__ import annotations

import contextlib
import random
import socket
import time

import zmq

from failover import events
from failover.events import Envelope
from failover.paths import Paths

_CONNECT_MS = 500


def send(paths: Paths, sort: str, salt: int) -> int:
    """Send garbage of a sort (failover.sim.nemesis.plan.GARBAGE); return how many frames or connections that was."""
    luck = random.Random(salt)
    if sort == "sockets":
        return _raw(paths, luck)
    frames = list(_frames(sort, luck))
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    try:
        out = context.socket(zmq.XPUB)
        out.setsockopt(zmq.LINGER, 200)
        out.connect(paths.bus_in)
        if out.poll(_CONNECT_MS, zmq.POLLIN):  # the bus subscribes: from here on it hears
            out.recv()
        for frame in frames:
            with contextlib.suppress(zmq.Again):
                out.send_multipart(frame, zmq.DONTWAIT)
    finally:
        context.destroy(linger=200)
    return len(frames)


def _frames(sort: str, luck: random.Random) -> list[list[bytes]]:
    match sort:
        case "bytes":
            return [[luck.randbytes(luck.randint(0, 500)) for _ in range(luck.randint(1, 4))] for _ in range(50)]
        case "oversized":
            return [[b"hook.received", b"x" * (events.MAX_FRAME + 1)]]
        case "nested":
            return [[b"hook.received", b"[" * 100_000], [b"swap.started", b'{"event":' * 20_000]]
        case "wrong-shape":
            bodies = (b"null", b"{}", b'{"id":1}', b'{"id":"x","source":3}', b"\xff\xfe", b'{"event":{"type":"no"}}')
            return [[b"operator.order-placed", body] for body in bodies]
        case "forged":
            return [list(events.encode(_forged(event, number, luck))) for number, event in enumerate(_LIES, 1)]
    return [[b"flood", luck.randbytes(40)] for _ in range(5000)]


#: Events that never happened, in the best of forms.
_LIES: tuple[events.AnyEvent, ...] = (
    events.SwapFinished(
        swap=1, source="a", target="b", outcome="done", moved=9, stayed=0, duration_ms=1, sentence="forged"
    ),
    events.HoldChanged(conversation="forged", standing=False),
    events.OrderPlaced(order=10**6, verb="swap"),
    events.SwapWanted(request=10**6, source="a", target="b", urgency="hard", reason="forged"),
    events.SessionDied(session="ccl-0", pid=1),
    events.RolesPaused(by="nobody"),
    events.TaskFinished(task=1, name="t001", session="ccl-0", outcome="failed", reason="forged"),
)


def _forged(event: events.AnyEvent, number: int, luck: random.Random) -> Envelope:
    source = luck.choice(["account-switcher", "control-plane", "dispatcher", "nobody"])
    return Envelope(id=10**9, source=source, boot="0" * 16, seq=number, at_ms=int(time.time() * 1000), event=event)


_NONSENSE = (b"GET / HTTP/9.9\r\n\r\n", b"POST /hook?session=../../x HTTP/1.1\r\n\r\n", b"\0")


def _raw(paths: Paths, luck: random.Random) -> int:
    """Say nonsense to every socket of the daemon, without a protocol."""
    sockets = [paths.run_dir / "bus-in.sock", paths.run_dir / "bus-out.sock"]
    sockets += [paths.control_socket, paths.supervisor_socket]
    for path in sockets:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as link:
            link.settimeout(0.5)
            link.connect(str(path))
            link.sendall(luck.choice(_NONSENSE))
            link.sendall(luck.randbytes(200))
    return len(sockets)
