"""The control plane: the hooks' entrance and HTTP. The one role on asyncio, since sessions wait in its answers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from failover.bus.subscriber import Subscriber
from failover.errors import FailoverError
from failover.events import HoldChanged
from failover.http.app import Gate
from failover.http.auth import Guard, token
from failover.http.entrance import Entrance
from failover.reloading import reread
from failover.runtime import OLD_STAYS, Host, hosted, restart

if TYPE_CHECKING:
    from litestar import Litestar

NAME = "control-plane"
#: How often what no descriptor tells of is looked after (seconds).
_TICK = 1.0


def main() -> None:
    """Run the control plane until SIGTERM or SIGINT; SIGHUP reads the configuration again."""
    try:
        with hosted(NAME) as host:
            again = asyncio.run(ControlPlane(host).run())
        if again:
            restart()
    except FailoverError as error:
        logging.getLogger(NAME).error("%s", error)
        sys.exit(error.exit_code)
    except Exception:
        logging.getLogger(NAME).exception("%s ended by an error of ours; supervisord starts it again", NAME)
        sys.exit(1)


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers (held answers must be let go first) and its ten looks a second at a clock."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._over = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        await self._over.wait()

    def end(self) -> None:
        """Stop serving."""
        self.should_exit = True
        self._over.set()


class ControlPlane:
    """The two sockets, the bus, and what happens at the end."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._entrance = Entrance(host.store, host.clock, host.boot)
        self._subscriber = Subscriber(host.paths.bus_out, ("swap.hold-changed",))
        self._again = False

    async def run(self) -> bool:
        """Serve until a signal; return whether to start again with a changed configuration."""
        host, loop = self._host, asyncio.get_running_loop()
        guard, sockets, where = self._listen()
        gate = Gate(self._entrance, self._routes, guard)
        logging.getLogger("uvicorn").setLevel(logging.WARNING)
        self._server = _Server(
            uvicorn.Config(
                gate,
                http="h11",
                ws="none",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                date_header=False,
                timeout_graceful_shutdown=2,
            )
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        for zmq_socket in (host.publisher.socket, *self._subscriber.sockets):
            loop.add_reader(zmq_socket.FD, self._bus)
        gaps = self._entrance.begin()
        tick = asyncio.create_task(self._tick())
        host.started()
        host.did(f"Serving on {where}; hooks of {gaps} sessions may have been missed while nobody listened")
        try:
            await self._server.serve(sockets=sockets)
        finally:
            tick.cancel()
            self._subscriber.close()
            # Only when it is still ours: after a crash a successor may have put its own there already.
            with contextlib.suppress(FileNotFoundError):
                if host.paths.control_socket.stat().st_ino == self._inode:
                    host.paths.control_socket.unlink()
        return self._again

    def _listen(self) -> tuple[Guard | None, list[socket.socket], str]:
        """Bind both addresses. A TCP port that is taken must not keep the hooks out."""
        host, path = self._host, self._host.paths.control_socket
        secret = token(host.paths.token_file)
        local = _bind_unix(path)
        self._inode = path.stat().st_ino
        http = host.config.http
        tcp = socket.socket(socket.AF_INET6 if ":" in http.host else socket.AF_INET, socket.SOCK_STREAM)
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tcp.bind((http.host, http.port))
            tcp.listen(128)
        except OSError as error:
            tcp.close()
            host.log.error("%s: %s; change http.listen in %s", http.listen, error.strerror, host.config.file)
            return None, [local], f"{path} only, since {http.listen} cannot be had ({error.strerror})"
        port = tcp.getsockname()[1]
        shown = http.listen.removesuffix(f":{http.port}") + f":{port}"
        return Guard(secret, http.host, port), [local, tcp], f"{path} and http://{shown}"

    def _routes(self) -> Litestar:
        from failover.http.routes import make_routes

        return make_routes(self._host.config, self._host.store)

    def _bus(self) -> None:
        """Hear who let go of a hold. Reads until nothing is left: these descriptors tell only of what is new."""
        self._host.publisher.pump()
        while heard := self._subscriber.receive():
            for envelope in heard:
                if isinstance(envelope.event, HoldChanged) and not envelope.event.standing:
                    self._entrance.look(envelope.event.conversation)
        if self._subscriber.take_gap():
            self._entrance.look()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            self._bus()
            self._entrance.mend()

    def _end(self) -> None:
        self._entrance.close()
        self._server.end()

    def _reload(self) -> None:
        try:
            reread(self._host.config, self._host.store)
        except FailoverError as error:
            self._host.did(f"{OLD_STAYS}, since {error}")
            return
        self._again = True
        self._end()


def _bind_unix(path: Path) -> socket.socket:
    """Return a socket bound to `path` (mode 0600), put in the place of what a predecessor left in one step."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)  # of a predecessor that was killed here
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        bound.bind(str(part))
    finally:
        os.umask(mask)
    # Listening before the name is there: whoever finds the name is not refused.
    bound.listen(1024)
    part.rename(path)
    return bound


if __name__ == "__main__":
    main()
