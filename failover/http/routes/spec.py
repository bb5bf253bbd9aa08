"""What the routes' description at /schema has in common, and how long lists are paged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from litestar import Response
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import Parameter

from failover.http.problem import MEDIA_TYPE, Problem, title

#: The largest id that SQLite has.
MOST = 2**63 - 1
#: An id in a path.
Number = Annotated[int, Parameter(ge=0, le=MOST)]
#: A text in a query. SQLite ends texts at a zero byte.
Text = Annotated[str, Parameter(max_length=1000)]

_WHY = {
    304: ("It is as it was when you got the ETag that you sent", ""),
    400: ("A parameter or the body makes no sense", "limit: Expected `int` <= 1000"),
    401: ("The token is missing or wrong", "the bearer token is missing or wrong; see: claude-failover token show"),
    403: (
        "The token only reads, or the request comes from a page of elsewhere",
        "this token only reads; see: claude-failover token show --scope operate",
    ),
    404: ("There is no such thing", "there is no order 7"),
    405: ("The route knows other methods", "Method Not Allowed"),
    408: ("The body did not arrive in time", "the body did not arrive within 10 s"),
    409: (
        "It is refused now",
        "paused by ann, so nothing is started or moved; lift it with: claude-failover resume",
    ),
    413: ("The body is too large", "the body is over the limit of 1048576 bytes"),
    415: ("The body is no application/json", "send the body as Content-Type: application/json"),
    421: ("The request names another host", "this is not the host you asked for; address it as localhost"),
    422: ("The key was used for another order", "the key abc was used for another order; take a new one"),
    431: ("The head is too long", "the head of the request is over the limit of 32768 bytes"),
    503: ("The store cannot be read or written now", "state.db: the disk is full; make room there"),
}
_ALWAYS = (401, 403, 421, 431, 503)


def answers(*statuses: int, token: bool = True) -> dict[int, ResponseSpec]:
    """Return what a route may answer besides success; what every route may is added. token: whether it needs one."""
    wanted = sorted({*statuses, *_ALWAYS} - (set() if token else {401}))
    return {status: _spec(status) for status in wanted}


def _spec(status: int) -> ResponseSpec:
    description, detail = _WHY[status]
    if not detail:
        return ResponseSpec(None, description=description)
    example = Example(value={"type": "about:blank", "title": title(status), "status": status, "detail": detail})
    return ResponseSpec(
        Problem, generate_examples=False, description=description, media_type=MEDIA_TYPE, examples=[example]
    )


def page(
    path: str, found: Sequence[Any], limit: int, more: Mapping[str, object], place: tuple[str, Any] | None = None
) -> Any:
    """Return a page of a list as an answer. found: one entry more than `limit` where there is one; more: the query;
    place: the parameter that asks for what follows, and how it is made of the last entry shown."""
    shown, headers = found[:limit], {}
    if place is not None and len(found) > limit:
        name, of = place
        query = {**{key: value for key, value in more.items() if value not in (None, "")}, "limit": limit}
        headers["Link"] = f'<{path}?{urlencode({**query, name: of(shown)})}>; rel="next"'
    return Response(list(shown), headers=headers)
