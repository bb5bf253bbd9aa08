"""Listen to the events with many connections and ask for the status at a steady rate, until standard input ends.

python -m failover.sim.bench_api_load PORT LISTENERS REQUESTS_PER_SECOND, with the token in LOAD_TOKEN. Prints
"listening" when all listen, and at its end a JSON object. A request's time counts from when it was due, so that an
answer that comes late makes those behind it late too.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time


class _Load:
    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._head = f"Host: localhost:{port}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        self.asked: list[float] = []
        self.heard = self.errors = 0
        self.first = ""
        self._listening: list[asyncio.StreamWriter] = []
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def _send(self, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof():  # the server closes what was idle for long
                break
            writer.close()
        else:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(f"GET {path} HTTP/1.1\r\n".encode() + self._head)
        return reader, writer

    async def listen(self) -> asyncio.StreamReader:
        reader, writer = await self._send("/v1/events/stream")
        self._listening.append(writer)  # a writer that is forgotten is closed
        head = await reader.readuntil(b": alive\n\n")
        if b" 200 " not in head:
            raise OSError(f"a listener was answered {head[:40]!r}")
        return reader

    async def hear(self, reader: asyncio.StreamReader) -> None:
        while part := await reader.read(65536):
            self.heard += part.count(b"\nevent: ")

    async def ask(self, due: float) -> None:
        try:
            try:
                reader, writer = await self._send("/v1/status")
                head = await reader.readuntil(b"\r\n\r\n")
            except (ConnectionError, asyncio.IncompleteReadError):
                # Closed, since it was idle for long, while the request was on its way: as clients do, once more.
                self._idle.clear()
                reader, writer = await self._send("/v1/status")
                head = await reader.readuntil(b"\r\n\r\n")
            size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
            await reader.readexactly(size)
            if b" 200 " not in head[:20]:
                raise OSError(f"answered {head[:40]!r}")
            self._idle.append((reader, writer))
            self.asked.append(time.monotonic() - due)
        except (OSError, asyncio.IncompleteReadError, ValueError) as error:
            self.errors += 1
            self.first = self.first or repr(error)


async def _main(port: int, listeners: int, rate: int) -> None:
    load, loop = _Load(port, os.environ["LOAD_TOKEN"]), asyncio.get_running_loop()
    readers = [await load.listen() for _ in range(listeners)]
    tasks = {asyncio.create_task(load.hear(reader)) for reader in readers}
    print("listening", flush=True)
    over = loop.run_in_executor(None, sys.stdin.read)
    due = time.monotonic()
    while not over.done():
        task = asyncio.create_task(load.ask(due))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        due += 1 / rate
        await asyncio.sleep(max(0.0, due - time.monotonic()))
    ended = sum(task.done() for task in tasks)
    errors = load.errors + ended  # a stream that ended by itself
    print(json.dumps({"asked": load.asked, "heard": load.heard, "errors": errors, "first": load.first}), flush=True)
    os._exit(0)  # what still listens is cut off


if __name__ == "__main__":
    asyncio.run(_main(*map(int, sys.argv[1:4])))
