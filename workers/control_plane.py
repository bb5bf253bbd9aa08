"""The control plane: the hooks' entrance and HTTP. The one role on asyncio, since sessions wait in its answers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from typing import TYPE_CHECKING

from failover.bus.subscriber import Subscriber
from failover.core.tally import Tally
from failover.errors import FailoverError, HostError
from failover.events import HoldChanged
from failover.http import auth
from failover.http.agents import Agents
from failover.http.app import Gate
from failover.http.auth import Guard, Keys
from failover.http.entrance import Entrance
from failover.http.feed import Feed
from failover.http.reader import Reader
from failover.http.server import MOST_ON_UNIX, Listening, Server, bind_tcp, bind_unix
from failover.reloading import reread
from failover.runtime import OLD_STAYS, Host, hosted, restart

if TYPE_CHECKING:
    from litestar import Litestar

NAME = "control-plane"
#: How long a thread that makes views may keep the interpreter from the loop on which sessions wait (seconds).
_SWITCH = 0.001
#: How often what no descriptor tells of is looked after (seconds).
_TICK = 1.0
#: What is heard of the bus while nobody listens to the events: what orders and holds wait for, and what comes seldom.
#: Of what sessions do there is most, and this role itself writes it.
_UNHEARD = ("swap.hold-changed", "swap.started", "swap.finished", "operator.", "role.", "task.")


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


class ControlPlane:
    """The two sockets, the bus, and what happens at the end."""

    def __init__(self, host: Host) -> None:
        self._host = host
        capped = frozenset(account.name for account in host.config.accounts if account.cap_usd_per_day)
        self._agents, self._tally = Agents(host.paths.control_socket), Tally()
        self._entrance = Entrance(host.store, host.clock, host.boot, self._tally, capped)
        self._subscriber = Subscriber(host.paths.bus_out, _UNHEARD)
        self._reader = Reader(host.paths.store)
        self._history = Reader(host.paths.store)
        self._feed = Feed(self._reader, self._history, self._tune)
        self._again = False

    async def run(self) -> bool:
        """Serve until a signal; return whether to start again with a changed configuration."""
        host, loop = self._host, asyncio.get_running_loop()
        sys.setswitchinterval(_SWITCH)
        guard, listening, where = self._listen()
        keys = Keys(host.paths.token_file)
        gate = Gate(self._entrance, self._routes, keys, guard, self._agents)
        self._server = Server(gate, listening, self._entrance)
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
            await self._server.serve()
        finally:
            tick.cancel()
            for zmq_socket in (host.publisher.socket, *self._subscriber.sockets):
                loop.remove_reader(zmq_socket.FD)
            self._subscriber.close()
            self._reader.close()
            self._history.close()
            # Only when it is still ours: after a crash a successor may have put its own there already.
            with contextlib.suppress(FileNotFoundError):
                if host.paths.control_socket.stat().st_ino == self._inode:
                    host.paths.control_socket.unlink()
        return self._again

    def _listen(self) -> tuple[Guard | None, list[Listening], str]:
        """Bind both addresses. A TCP address that is not to be had must not keep the hooks out."""
        host, path, http = self._host, self._host.paths.control_socket, self._host.config.http
        auth.make(host.paths.token_file)
        local = Listening(bind_unix(path), MOST_ON_UNIX, hooks=True)
        self._inode = path.stat().st_ino
        if http.listen == "none":
            return None, [local], f"{path}"
        try:
            tcp = bind_tcp(http)
        except HostError as error:
            host.log.error("%s: %s", host.config.file, error)
            return None, [local], f"{path} only, since {error}"
        port = tcp.socket.getsockname()[1]
        scheme = "https" if tcp.tls else "http"
        shown = http.listen.removesuffix(f":{http.port}") + f":{port}"
        guard = Guard(http.host, port, names=http.hosts, scheme=scheme)
        return guard, [local, tcp], f"{path} and {scheme}://{shown}"

    def _routes(self) -> Litestar:
        from failover.http.routes import make_routes
        from failover.http.routes.context import Context

        host = self._host
        return make_routes(Context(host.config, host.store, self._reader, self._history, self._feed, self._tally))

    def _bus(self) -> None:
        """Hear who let go of a hold, and that there are events. Reads until nothing is left: these descriptors tell
        only of what is new."""
        self._host.publisher.pump()
        while heard := self._subscriber.receive():
            self._feed.ring()
            now_ms = self._host.store.now_ms()
            for envelope in heard:
                self._tally.observe("event_lag_seconds", (now_ms - envelope.at_ms) / 1000)
                if isinstance(envelope.event, HoldChanged) and not envelope.event.standing:
                    self._entrance.look(envelope.event.conversation)
        if self._subscriber.take_gap():
            self._tally.count("event_gaps")
            self._entrance.look()

    def _tune(self, listened: bool) -> None:
        """Hear everything as long as anybody listens to the events."""
        self._subscriber.topics = ("",) if listened else _UNHEARD
        asyncio.get_running_loop().call_soon(self._bus)  # what came meanwhile is no news to the descriptor any more

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            self._bus()
            self._entrance.settle()

    def _end(self) -> None:
        self._entrance.close()
        self._feed.close()
        self._agents.close()
        self._server.end()

    def _reload(self) -> None:
        try:
            reread(self._host.config, self._host.store)
        except FailoverError as error:
            self._host.did(f"{OLD_STAYS}, since {error}")
            return
        self._again = True
        self._end()


if __name__ == "__main__":
    main()
