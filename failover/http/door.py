"""The hooks' door: a hook as our own script sends it is written and answered at once; all else goes to the server.

A session calls at each step of its work, and whatever runs for it runs from cold caches: with a server, a parser and an
application between, a call took 1.7 ms of the processor, ten times what it takes back to back. So what is known word
for word goes without them. Nothing depends on it: the application takes the same hooks by the long way.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from failover.core.session import HookCall
from failover.errors import StoreError, UsageError
from failover.http.entrance import Entrance, Sender, sender
from failover.http.problem import plain

#: The head that failover/claude/assets/hook.sh sends. What differs in a single byte is the server's.
_OURS = re.compile(
    rb"POST /(hook|statusline)\?([!-~]{1,1000}) HTTP/1\.1\r\nHost: failover\r\nContent-Type: application/json\r\n"
    rb"Connection: close\r\nContent-Length: ([0-9]{1,8})\r\n\r\n"
)
_DONE = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n"
#: Whoever connects says something soon (seconds).
_SAYS_WITHIN = 10.0


class Door(asyncio.Protocol):
    """One connection until its first bytes. server: makes the protocol that takes all else; tasks: who waits here, for
    whoever ends the server."""

    def __init__(
        self, entrance: Entrance, server: Callable[[], asyncio.Protocol], tasks: set[asyncio.Task[None]]
    ) -> None:
        self._entrance, self._server, self._tasks = entrance, server, tasks
        self._gone: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        self._due = asyncio.get_running_loop().call_later(_SAYS_WITHIN, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._due.cancel()
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(None)

    def data_received(self, data: bytes) -> None:
        if self._gone is not None:
            return  # nothing more is asked while an answer is held back
        self._due.cancel()
        found = _OURS.match(data)
        if found is None or len(data) - found.end() != int(found[3]):
            self._hand_over(data)
            return
        held = None
        try:
            who, body = sender(found[2]), data[found.end() :]
            if found[1] == b"hook":
                held = self._entrance.hook(who, body)
            else:
                self._entrance.statusline(who, body)
        except UsageError as error:
            self._answer(plain(400, str(error)))
        except StoreError as error:
            self._answer(plain(503, str(error)))
        else:
            if held is None:
                self._answer(_DONE)
            else:
                self._hold(who, held)

    def _answer(self, answer: bytes) -> None:
        self._transport.write(answer)
        self._transport.close()

    def _hand_over(self, data: bytes) -> None:
        server = self._server()
        self._transport.set_protocol(server)
        server.connection_made(self._transport)
        if not self._transport.is_closing():
            server.data_received(data)

    def _hold(self, who: Sender, call: HookCall) -> None:
        loop = asyncio.get_running_loop()
        self._gone = loop.create_future()
        task = loop.create_task(self._until_released(who, call, self._gone))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _until_released(self, who: Sender, call: HookCall, gone: asyncio.Future[None]) -> None:
        await self._entrance.held(who, call, gone)
        self._answer(_DONE)
