"""The resources, and which events change which."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from failover.http.views import SwapView
from failover.mcp import shapes, tools
from failover.mcp.tools import Answer, Caller


class Resource(NamedTuple):
    """topics: an event whose type begins with one of them may have changed it."""

    uri: str
    title: str
    description: str
    topics: tuple[str, ...]
    read: Callable[[Caller], Awaitable[Answer]]


async def _latest(caller: Caller) -> Answer:
    found = await caller.get("/v1/swaps", list[SwapView], limit=1)
    return Answer(shapes.LatestSwap(found[0] if found else None), "")


_USE = ("usage.read", "usage.all-exhausted", "account.", "operator.account-")
_SWAP = ("swap.started", "swap.retargeted", "swap.move-advanced", "swap.finished")
_TASK, _SESSION = ("task.",), ("session.", "swap.move-advanced", "swap.finished")

RESOURCES: Mapping[str, Resource] = {
    resource.uri: resource
    for resource in (
        Resource("failover://status", "Pool at a glance", "What the tool status answers.",
                 (*_USE, *_SWAP, *_TASK, *_SESSION, "operator.", "role.", "usage.swap-wanted"),
                 lambda caller: tools.status(caller, shapes.Nothing())),
        Resource("failover://accounts", "Accounts", "What the tool accounts answers.",
                 (*_USE, "swap.finished", "session.launched", "session.died"),
                 lambda caller: tools.accounts(caller, shapes.Nothing())),
        Resource("failover://sessions", "Sessions", "What the tool sessions answers.", _SESSION,
                 lambda caller: tools.sessions(caller, shapes.SessionsAsked())),
        Resource("failover://tasks", "Tasks", "What the tool tasks answers.", _TASK,
                 lambda caller: tools.tasks(caller, shapes.TasksAsked())),
        Resource("failover://swaps/latest", "Latest swap", "The newest swap, restart or stop, null before the first.",
                 _SWAP, _latest),
    )
}  # fmt: skip


def changed_by(kind: str) -> frozenset[str]:
    """Return the resources that an event of this type may have changed."""
    return frozenset(uri for uri, one in RESOURCES.items() if kind.startswith(one.topics))
