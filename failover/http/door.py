"""The hooks' door: a hook as our own script sends it is written and answered at once; all else goes to the server.

A session calls at each step of its work, and whatever runs for it runs from cold caches: beside a hundred sessions at
work a call took 1.7 ms of the processor with a server, a parser and an application between, and takes 0.8 without
(measured). So what is known word for word goes without them, and without the loop's own machinery where it has arrived
whole with its connection, as it nearly always has. Nothing depends on it: the application takes the same hooks too.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import select
import socket
from collections.abc import Callable, Coroutine

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
#: The script writes right after it connects, which one in nine of them has yet to do when it is met (milliseconds).
_WRITES_WITHIN = 1
#: A hook that is longer than this is the server's too (bytes).
_ONCE = 64 * 1024
#: How long nobody is let in when the host has no descriptor left (seconds).
_FULL_FOR = 0.1


class Door:
    """A socket on which hooks come in. server: makes the protocol that takes all else; tasks: who waits here, for
    whoever ends the server. To be made, and called, on the loop's thread."""

    def __init__(
        self,
        listening: socket.socket,
        entrance: Entrance,
        server: Callable[[], asyncio.Protocol],
        tasks: set[asyncio.Task[None]],
    ) -> None:
        self._listening, self._entrance, self._server, self._tasks = listening, entrance, server, tasks
        self._loop = asyncio.get_running_loop()
        listening.setblocking(False)
        self._open()

    def close(self) -> None:
        """Let nobody in any more."""
        self._loop.remove_reader(self._listening)
        self._listening.close()

    async def wait_closed(self) -> None:
        """Return when it is closed, as a server of the loop's own does."""

    def take(self, data: bytes) -> bytes | tuple[Sender, HookCall] | None:
        """Return the answer to what was said, or who is to be held; None where it is not for this door."""
        found = _OURS.match(data)
        if found is None or len(data) - found.end() != int(found[3]):
            return None
        try:
            who, body = sender(found[2]), data[found.end() :]
            if found[1] == b"statusline":
                self._entrance.statusline(who, body)
            elif (held := self._entrance.hook(who, body)) is not None:
                return who, held
        except UsageError as error:
            return plain(400, str(error))
        except StoreError as error:
            return plain(503, str(error))
        return _DONE

    def pass_on(self, transport: asyncio.Transport, data: bytes) -> None:
        """Let the server go on with a connection."""
        server = self._server()
        transport.set_protocol(server)
        server.connection_made(transport)
        if not transport.is_closing():
            server.data_received(data)

    def hold(self, who: Sender, call: HookCall, visitor: _Visitor) -> None:
        """Answer when the session may go on."""
        self._start(self._held(who, call, visitor))

    async def _held(self, who: Sender, call: HookCall, visitor: _Visitor, link: socket.socket | None = None) -> None:
        """Answer when the session may go on. link: its connection, where the loop has yet to take that on."""
        if link is not None:
            await self._take_on(visitor, link)
        await self._entrance.held(who, call, visitor.gone)
        visitor.answer(_DONE)

    async def _take_on(self, visitor: _Visitor, link: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(lambda: visitor, link)
        except OSError:
            link.close()
            visitor.connection_lost(None)

    def _open(self) -> None:
        if self._listening.fileno() >= 0:
            self._loop.add_reader(self._listening, self._came)

    def _came(self) -> None:
        try:
            link, _ = self._listening.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError:
            self._loop.remove_reader(self._listening)
            self._loop.call_later(_FULL_FOR, self._open)
            return
        link.setblocking(False)
        said = self.take(_peek(link) or _peek(link, wait=True))
        if isinstance(said, bytes):
            with link, contextlib.suppress(OSError):
                link.recv(_ONCE)  # who closes with something unread resets the connection
                link.send(said)
        elif said is None:
            self._start(self._take_on(_Visitor(self), link))
        else:
            self._start(self._held(*said, _Visitor(self, held=True), link))

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _peek(link: socket.socket, wait: bool = False) -> bytes:
    """Return what was said, nothing where nothing was. It is only looked at, so that whoever takes the connection on
    misses nothing. wait: for as long as it takes the script to write; to take its connection on is dearer."""
    if wait:
        poll = select.poll()
        poll.register(link, select.POLLIN)
        poll.poll(_WRITES_WITHIN)
    try:
        return link.recv(_ONCE, socket.MSG_PEEK)
    except OSError:
        return b""


class _Visitor(asyncio.Protocol):
    """A connection that has yet to say something, or is held. gone: done when it has ended."""

    def __init__(self, door: Door, held: bool = False) -> None:
        loop = asyncio.get_running_loop()
        self._door, self._held, self.gone = door, held, loop.create_future()
        self._transport: asyncio.Transport | None = None
        self._due = None if held else loop.call_later(_SAYS_WITHIN, self._give_up)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._hurry_no_more()
        if not self.gone.done():
            self.gone.set_result(None)

    def data_received(self, data: bytes) -> None:
        if self._held or self._transport is None:
            return  # what was looked at already; nothing more is asked while an answer is held back
        self._hurry_no_more()
        said = self._door.take(data)
        if said is None:
            self._door.pass_on(self._transport, data)
        elif isinstance(said, bytes):
            self.answer(said)
        else:
            self._held = True
            self._door.hold(*said, self)

    def answer(self, answer: bytes) -> None:
        """Answer, and end the connection, if it is still there."""
        if self._transport is not None:
            self._transport.write(answer)
            self._transport.close()

    def _hurry_no_more(self) -> None:
        if self._due is not None:
            self._due.cancel()

    def _give_up(self) -> None:
        if self._transport is not None:
            self._transport.abort()
