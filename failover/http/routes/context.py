"""What the routes stand on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from litestar import Response

from failover.config import Config
from failover.core.tally import Tally
from failover.http.feed import Feed
from failover.http.reader import Reader
from failover.store.db import Store


@dataclass(frozen=True, slots=True)
class Context:
    """store: the control plane's own connection, for orders; whatever only looks goes by the reader. tally: what the
    control plane counted since the last scrape."""

    config: Config
    store: Store
    reader: Reader
    feed: Feed
    tally: Tally

    async def shown(self, key: str, look: Callable[[Store], object]) -> Any:
        """Return a view that many ask for as an answer. It is made once while nothing changes."""
        found = await self.reader.shown(key, look)
        return Response(found.body, media_type="application/json", headers={"ETag": found.tag})
