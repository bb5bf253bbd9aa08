"""What a configuration consists of. Durations are seconds, paths absolute, percentages of a usage window."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec

from failover.claude import kinds
from failover.config_yaml import suggestion
from failover.core.choice import IdleSessions, Strategy, Use
from failover.errors import UsageError
from failover.paths import Paths


class Claude(msgspec.Struct, frozen=True):
    """How the binary is started. command: name or path; args and env: for every account."""

    command: str = "claude"
    args: tuple[str, ...] = ()
    env: dict[str, str] = {}


class Thresholds(msgspec.Struct, frozen=True):
    """Percent used from which an account counts as exhausted, per window. spend: of the money cap of a paid account;
    models: of the weekly windows of single models (`seven_day_MODEL`); one that is not named has the threshold of
    seven_day."""

    five_hour: float = 90.0
    seven_day: float = 95.0
    spend: float = 90.0
    models: dict[str, float] = {}

    def of(self, models: Sequence[str]) -> dict[str, float]:
        """Return the threshold of each window of a plan that counts where the pool uses these models."""
        weekly = {f"seven_day_{model}": self.models.get(model, self.seven_day) for model in models}
        return {"five_hour": self.five_hour, "seven_day": self.seven_day, **weekly}


class Account(msgspec.Struct, frozen=True):
    """One login. priority: the smallest is preferred; thresholds: with the general ones filled in; reserve: percent of
    each window kept for a person's own use; standby: used only when no other has room.

    kind, env_file: how it logs in; paid: whether one that is paid by use comes at all; cap_usd_per_day: what our
    sessions may cost there in a day (UTC), None where nothing is counted.
    """

    name: str
    config_dir: Path
    priority: int
    thresholds: Thresholds
    enabled: bool = True
    reserve: float = 0.0
    standby: bool = False
    kind: kinds.KindName = "subscription"
    env_file: Path | None = None
    paid: Use = "never"
    cap_usd_per_day: float | None = None

    @property
    def login(self) -> kinds.Login:
        """Return how it logs in."""
        return kinds.Login(self.kind, self.env_file)

    @property
    def is_paid(self) -> bool:
        """Say whether each request costs money."""
        return kinds.KINDS[self.kind].paid

    def limits(self, models: Sequence[str]) -> dict[str, float]:
        """Return the threshold of each window that it has: those of a plan, or of the money that it may cost."""
        if not self.is_paid:
            return self.thresholds.of(models)
        return {"spend": self.thresholds.spend} if self.cap_usd_per_day else {}


class SessionSpec(msgspec.Struct, frozen=True):
    """One tmux session. account: where it starts (None: on the preferred one); serves: further projects of its."""

    name: str
    project: Path
    account: str | None = None
    serves: tuple[Path, ...] = ()


class Deadline(msgspec.Struct, frozen=True):
    """How long a move waits for a boundary (s): soft, then it gives up and says so; hard, then it interrupts."""

    soft: float = 600.0
    hard: float = 20.0


class Failover(msgspec.Struct, frozen=True):
    """When and how to swap. margin: percentage points; cooldown, wait_if_reset_within: s; forecast: leave early enough
    for the boundaries; models: whose weekly windows count; max_parallel: moves."""

    strategy: Strategy = "priority"
    margin: float = 10.0
    cooldown: float = 120.0
    deadline: Deadline = Deadline()
    wait_if_reset_within: float = 600.0
    idle_sessions: IdleSessions = "move"
    fail_back: bool = True
    forecast: bool = True
    models: tuple[str, ...] = ()
    max_parallel: int = os.cpu_count() or 1


class Usage(msgspec.Struct, frozen=True):
    """How accounts are asked for their windows. poll: whether those without a session of ours are asked by the binary.

    least, most: between two questions to one account (s); timeout: of an answer (s); command: the operator's own,
    empty for none; every: how often it is run (s).
    """

    poll: bool = True
    least: float = 300.0
    most: float = 3600.0
    timeout: float = 30.0
    command: tuple[str, ...] = ()
    every: float = 600.0


class Tls(msgspec.Struct, frozen=True):
    """Files in PEM form: the certificate (with what leads to its root), and its key."""

    cert: Path
    key: Path


class Http(msgspec.Struct, frozen=True):
    """The control plane's TCP address, "none" for the Unix socket alone. Port 0 takes any free one.

    tls: always there when the address is no loopback one; hosts: further names that it is addressed by.
    """

    listen: str = "127.0.0.1:7717"
    tls: Tls | None = None
    hosts: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        """Return the address without its port and brackets."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """Return the port, 0 where there is no TCP address."""
        return 0 if self.listen == "none" else int(self.listen.rpartition(":")[2])


class Tmux(msgspec.Struct, frozen=True):
    """The tmux server. socket: its name (tmux -L)."""

    socket: str = "default"


class NotifySpec(msgspec.Struct, frozen=True):
    """A sink for notices. kind file: one JSON line per notice is appended to path."""

    kind: Literal["file"]
    path: Path


class Limit(msgspec.Struct, frozen=True):
    """How many tasks of one project may be at work at once."""

    project: Path
    at_once: int


class Dispatch(msgspec.Struct, frozen=True):
    """Tasks. submit_timeout: s until a prompt must have been taken; task_timeout: s until a task counts as failed;
    per_project: tasks of one project at work at once (None: as many as there are sessions), limits: where it differs;
    status_json: whether `.agent-queue/status.json` is ours to write."""

    submit_timeout: float = 5.0
    max_attempts: int = 3
    task_timeout: float = 21600.0
    per_project: int | None = None
    limits: tuple[Limit, ...] = ()
    status_json: Literal["write", "leave"] = "write"


class Retention(msgspec.Struct, frozen=True):
    """How long history is kept (s)."""

    events: float = 14 * 86400.0
    readings: float = 30 * 86400.0
    checkpoints: float = 7 * 86400.0
    hook_calls: float = 2 * 86400.0


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file. file: where it was read from; sessions: with ranges expanded, in the file's order."""

    file: Path
    version: int
    state_dir: Path
    shared_dir: Path
    claude: Claude = Claude()
    accounts: tuple[Account, ...]
    thresholds: Thresholds = Thresholds()
    sessions: tuple[SessionSpec, ...] = ()
    projects: tuple[Path, ...] = ()
    failover: Failover = Failover()
    usage: Usage = Usage()
    http: Http = Http()
    tmux: Tmux = Tmux()
    notify: tuple[NotifySpec, ...] = ()
    dispatch: Dispatch = Dispatch()
    retention: Retention = Retention()

    @property
    def paths(self) -> Paths:
        """Return the names inside the state dir."""
        return Paths(self.state_dir)

    def account(self, name: str) -> Account:
        """Return the account of that name. Raises UsageError when there is none."""
        for account in self.accounts:
            if account.name == name:
                return account
        names = [account.name for account in self.accounts]
        raise UsageError(f"there is no account {name}{suggestion(name, names)}; accounts: {', '.join(names)}")

    def session(self, name: str) -> SessionSpec:
        """Return the session of that name. Raises UsageError when there is none."""
        for session in self.sessions:
            if session.name == name:
                return session
        near = suggestion(name, [session.name for session in self.sessions])
        raise UsageError(f"there is no session {name} in {self.file}{near}; see: claude-failover sessions list")
