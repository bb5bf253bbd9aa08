"""What went wrong in a route, in words."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException, NotFoundException, ValidationException
from litestar.types import ExceptionHandlersMap

from failover.errors import StoreError, UsageError
from failover.http.problem import MEDIA_TYPE, Trouble, encoded

Asked = Request[Any, Any, Any]


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    """Return a problem as an answer."""
    return Response(encoded(status, detail), status_code=status, media_type=MEDIA_TYPE, headers=dict(headers or {}))


def _trouble(request: Asked, error: Trouble) -> Response[bytes]:
    return problem(error.status, error.detail, error.headers)


def _in_words(request: Asked, error: ValidationException) -> Response[bytes]:
    """Say what is wrong with the request; the framework's own answer hides it in a list."""
    parts = [
        f"{part.get('key', 'body')}: {part.get('message', '')}" if isinstance(part, dict) else str(part)
        for part in (error.extra if isinstance(error.extra, list) else [])
    ]
    return problem(400, "; ".join(parts) or error.detail)


def _of_framework(request: Asked, error: HTTPException) -> Response[bytes]:
    return problem(error.status_code, error.detail, error.headers)


def _not_found(request: Asked, error: NotFoundException) -> Response[bytes]:
    return problem(404, "there is nothing here; what there is: /schema")


def _usage(request: Asked, error: UsageError) -> Response[bytes]:
    return problem(400, str(error))


def _no_store(request: Asked, error: StoreError) -> Response[bytes]:
    """Say what the store's trouble is; it is the host's, and not the caller's."""
    return problem(503, str(error))


def _too_deep(request: Asked, error: RecursionError) -> Response[bytes]:
    """Answer a body that is nested too deep; msgspec raises no error of its own for it."""
    return problem(400, "the body is nested too deep")


def _no_text(request: Asked, error: UnicodeDecodeError) -> Response[bytes]:
    return problem(400, "the body is not UTF-8")


def _ours(request: Asked, error: Exception) -> Response[bytes]:
    logging.getLogger("control-plane").error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem(500, "an error of ours; the log of the control plane tells more")


HANDLERS: ExceptionHandlersMap = {
    Trouble: _trouble,
    ValidationException: _in_words,
    NotFoundException: _not_found,
    HTTPException: _of_framework,
    UsageError: _usage,
    StoreError: _no_store,
    RecursionError: _too_deep,
    UnicodeDecodeError: _no_text,
    Exception: _ours,
}
