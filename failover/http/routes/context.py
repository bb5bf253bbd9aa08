"""What the routes stand on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response

from failover.config import Config
from failover.core.tally import Tally
from failover.http.feed import Feed
from failover.http.reader import Reader
from failover.store.db import Store


@dataclass(frozen=True, slots=True)
class Context:
    """store: the control plane's own connection, for orders; whatever only looks goes by a reader: `reader` for what is
    now, `history` for what may take longer. tally: what the control plane counted since the last scrape."""

    config: Config
    store: Store
    reader: Reader
    history: Reader
    feed: Feed
    tally: Tally

    async def shown(self, request: Request[Any, Any, Any], key: str, look: Callable[[Store], object]) -> Any:
        """Return a view that many ask for as an answer. It is made once while nothing changes; who has it already, by
        its ETag, is told so."""
        found = await self.reader.shown(key, look)
        headers = {"ETag": found.tag, "Cache-Control": "no-cache"}
        known = request.headers.get("if-none-match", "")
        if found.tag in (one.strip().removeprefix("W/") for one in known.split(",")):
            return Response(b"", status_code=304, headers=headers)
        return Response(found.body, media_type="application/json", headers=headers)
