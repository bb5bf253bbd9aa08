"""The windows of the accounts over time."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from litestar import get
from litestar.handlers import BaseRouteHandler
from litestar.params import Parameter

from failover.http.problem import Trouble
from failover.http.routes.context import Context
from failover.http.routes.spec import Text, answers
from failover.http.usage_views import UsagePoints, usage_points

#: Points of one window in one answer, as many as a chart has columns.
_MOST_POINTS, _POINTS = 2000, 300
_DAY = 86400.0
_LONGEST = 400 * _DAY


def handlers(context: Context) -> Sequence[BaseRouteHandler]:
    """Return the routes of this topic."""

    @get("/v1/usage", tags=["accounts"], summary="Windows over time", responses=answers(400))
    async def usage(
        account: Text = "",
        window: Text = "",
        since: float | None = Parameter(default=None, description="Epoch seconds; without it, a day ago."),
        step: float | None = Parameter(default=None, gt=0, description="Seconds; without it, 300 points."),
    ) -> UsagePoints:
        """Return the highest use of each window in equal steps until now, when it was reset, and where swaps took
        sessions: what a plot needs. Of one account or window if it is named; at most 2,000 points a window."""
        now = time.time()
        begin = now - _DAY if since is None else since
        if not now - _LONGEST <= begin < now:
            raise Trouble(400, "since: is no moment of the last 400 days; give epoch seconds")
        count = _POINTS if step is None else max(1, math.ceil((now - begin) / max(step, 1e-3)))
        if count > _MOST_POINTS:
            raise Trouble(400, f"step: makes {count} points; the most is {_MOST_POINTS}, make it longer")
        return await context.history.look(
            lambda store: usage_points(context.config, store, begin, count, account, window)
        )

    return (usage,)
