"""Secrets of sinks: fetched when a sink is made, and hidden from then on in whatever this process says."""

from __future__ import annotations

import os
import re
from pathlib import Path

from failover.errors import HostError
from failover.notify.message import Unreachable
from failover.notify.spec import Secret
from failover.paths import require_private
from failover.redact import hide

_MAX_BYTES = 16 * 1024


def fetch(secret: Secret) -> str:
    """Return a secret. Raises Unreachable when it is not to be had, or its file is open to others."""
    match secret.how:
        case "value":
            found = secret.where
        case "env":
            found = os.environ.get(secret.where, "")
            if not found:
                raise Unreachable(f"the environment variable {secret.where} is not set; set it before `up`")
        case "file":
            path = Path(secret.where)
            try:
                require_private(path)
                with path.open("rb") as handle:
                    found = handle.read(_MAX_BYTES).decode().strip()
            except (OSError, UnicodeDecodeError) as error:
                raise Unreachable(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from None
            except HostError as error:
                raise Unreachable(str(error)) from None
            if not found:
                raise Unreachable(f"{path}: is empty; the secret belongs into it, on one line")
    # A URL's parts may be shown without the rest of it; a host's name is no secret.
    for part in (found, *(part for part in re.split(r"[/?&=@#]+", found) if part != "localhost" and "." not in part)):
        hide(part)
    return found
