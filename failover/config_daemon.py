"""What the configuration says of the daemon itself: its address, its tmux server, tasks, history and logs.

As in `config_model`: durations are seconds, paths absolute, and what stands under a field is what the docs say of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from failover.config_kinds import Duration, Name


class Tls(msgspec.Struct, frozen=True):
    """Files in PEM form: the certificate (with what leads to its root), and its key."""

    cert: Path
    """The certificate in PEM form, followed by those that lead to its root; with `http.tls.key` required where
    `http.listen` is no loopback address. Renewed files are taken with `kill -HUP` of the control plane. One that cannot
    be used shuts TCP alone, no hook: `config check` and the log say why."""
    key: Path
    """Its key in PEM form, without a password; yours, mode 0600."""


class Http(msgspec.Struct, frozen=True):
    """The control plane's TCP address.

    tls: always there when the address is no loopback one.
    """

    listen: str = "127.0.0.1:7717"
    """An address with its port; port `0` takes a free one (`claude-failover status --json` says which). `none`: the
    Unix socket alone. From afar: `ssh -L`, or an address of the host with `tls`."""
    tls: Tls | None = None
    hosts: tuple[str, ...] = ()
    """Further names that the address is asked for by, without a port. A request that names another host is refused (DNS
    rebinding). Required where `http.listen` is `0.0.0.0` or `[::]`."""

    @property
    def host(self) -> str:
        """Return the address without its port and brackets."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """Return the port, 0 where there is no TCP address."""
        return 0 if self.listen == "none" else int(self.listen.rpartition(":")[2])


class Tmux(msgspec.Struct, frozen=True):
    """The tmux server."""

    socket: Name = "default"
    """The tmux server's name, as in `tmux -L NAME`. `default` is the one that you use yourself."""


class Limit(msgspec.Struct, frozen=True):
    """How many tasks of one project may be at work at once."""

    project: Path
    """A project."""
    at_once: Annotated[int, Meta(ge=1, le=500)]
    """How many it may have at work."""


class Dispatch(msgspec.Struct, frozen=True):
    """Task files.

    per_project: None for as many as there are sessions.
    """

    """Keep each project's `.agent-queue/status.json` up to date, also when something else has written it. `leave`: it
    is somebody else's."""

    submit_timeout: Duration = 5.0
    """A prompt that was not taken by then is looked into."""
    max_attempts: Annotated[int, Meta(ge=1, le=100)] = 3
    """How often a task is offered in all when its session is lost."""
    task_timeout: Duration = 21600.0
    """A task that takes longer has failed."""
    per_project: Annotated[int, Meta(ge=1, le=500)] | None = None
    """How many tasks of one project may be at work at once. `all`: as many as there are sessions."""
    limits: tuple[Limit, ...] = ()
    """Where that differs."""
    status_json: Literal["write", "leave"] = "write"
    """Keep each project's `.agent-queue/status.json` up to date, also when something else has written it. `leave`: it
    is somebody else's."""


class Retention(msgspec.Struct, frozen=True):
    """How long history is kept."""

    events: Duration = 14 * 86400.0
    """What `claude-failover events` shows."""
    readings: Duration = 30 * 86400.0
    """Usage readings."""
    checkpoints: Duration = 7 * 86400.0
    """Notes of what each session was doing."""
    hook_calls: Duration = 2 * 86400.0
    """The hooks that sessions called."""
    finished: Duration = 30 * 86400.0
    """Files in `done/` and `failed/`. Then they go to `archive/YYYY-MM/`, where they stay for good."""
    tasks: Duration = 90 * 86400.0
    """What `tasks list` and `tasks show` know of tasks that have ended."""
    swaps: Duration = 90 * 86400.0
    """Swaps with their moves and each step of these."""
    fresh: Duration = 7 * 86400.0
    """The same of conversations that were begun for a task; there may be thousands."""
    orders: Duration = 30 * 86400.0
    """What was ordered, and what became of it."""
    logs: Duration = 14 * 86400.0
    """Logs that nobody writes into any more."""
    launches: Duration = 7 * 86400.0
    """Files in `launch/` that no launch needs."""


class Janitor(msgspec.Struct, frozen=True):
    """The sweeps (see [janitor](janitor.md))."""

    every: Annotated[Duration, Meta(ge=60)] = 600.0
    """How often they go through everything. At once: `claude-failover janitor`."""
    orphans: Literal["end", "leave"] = "end"
    """A process of a launch of ours that nothing owns and that has no terminal is told to end. `leave`: never."""
    logs_mb: Annotated[int, Meta(ge=1, le=1_000_000)] = 200
    """So many MB of logs are kept; beyond that the oldest go that nobody writes into."""
    backup_every: Annotated[Duration, Meta(ge=600)] = 86400.0
    """How often the store is copied to `backups/`; `0`: never."""
    backups: Annotated[int, Meta(ge=1, le=365)] = 7
    """How many of these copies are kept."""


class Log(msgspec.Struct, frozen=True):
    """What the roles say, in `STATE_DIR/log/`."""

    format: Literal["auto", "json", "text"] = "auto"
    """`json`: one object a line; `auto`: text on a terminal, JSON elsewhere. See
    [notices](notices.md#logs)."""
    level: Literal["debug", "info", "warning", "error"] = "info"
    """The mildest that is said."""
