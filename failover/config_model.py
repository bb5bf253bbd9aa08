"""What a configuration consists of. Durations are seconds, paths absolute, percentages of a usage window.

What stands under a field is what docs/configuration.md says of its key (`scripts/manual` makes it anew); the limits in
its type are those that a file is held to.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from failover.claude import kinds
from failover.config_daemon import Dispatch, Http, Janitor, Log, Retention, Tmux
from failover.config_kinds import Dollars, Duration, Name, Percent
from failover.config_yaml import suggestion
from failover.core.choice import IdleSessions, Strategy, Use
from failover.core.prompt import Templates
from failover.errors import UsageError
from failover.notify.spec import SinkSpec
from failover.paths import Paths, of_state_dir


class Claude(msgspec.Struct, frozen=True):
    """How the binary is started, under every account."""

    command: str = "claude"
    """A name on `PATH`, or a path."""
    args: tuple[str, ...] = ()
    """Your own flags. None is added for you: permission modes stay your decision."""
    env: dict[str, str] = {}
    """Environment variables. Variables that log in (`ANTHROPIC_API_KEY` and the like) and `CLAUDE_CONFIG_DIR` are
    refused: they would make all accounts one. They belong in an account's `env_file`."""


class Thresholds(msgspec.Struct, frozen=True):
    """From here on an account counts as exhausted."""

    five_hour: Percent = 90.0
    """Percent of the 5-hour window. What is left over is for the turns in progress."""
    seven_day: Percent = 95.0
    """Percent of the weekly cap."""
    spend: Percent = 90.0
    """Percent of an account's `cap_usd_per_day`. What is left over is for the turns in progress."""
    models: dict[str, Percent] = {}
    """The same for the weekly windows of single models, such as `{opus: 90}` for `seven_day_opus`. A model of
    `failover.models` that is left out has the threshold of `seven_day`."""

    def of(self, models: Sequence[str]) -> dict[str, float]:
        """Return the threshold of each window of a plan that counts where the pool uses these models."""
        weekly = {f"seven_day_{model}": self.models.get(model, self.seven_day) for model in models}
        return {"five_hour": self.five_hour, "seven_day": self.seven_day, **weekly}


class Account(msgspec.Struct, frozen=True):
    """One login each.

    thresholds: with the general ones filled in; cap_usd_per_day: None where nothing is counted.
    """

    name: Name
    """What commands and logs call it."""
    config_dir: Path
    """Its `CLAUDE_CONFIG_DIR`. A folder of its own, never that of another account or of the shared tree. You log in
    there by hand; no credential is read or copied by anything here."""
    priority: Annotated[int, Meta(ge=0, le=1_000_000)]
    """The smallest is preferred."""
    thresholds: Thresholds
    """`{five_hour: …, seven_day: …}`; a window that is left out keeps the general threshold."""
    enabled: bool = True
    """`false`: never chosen as a target. For a while and without changing the file: `claude-failover accounts disable
    NAME --for 2h`."""
    reserve: Annotated[Percent, Meta(ge=0, lt=100)] = 0.0
    """Percent of each window that is kept for a person's own use. The account is left where it begins, and
    nothing is moved there that would go into it. A cap that may be passed when nothing else is left is a lower
    threshold instead."""
    standby: bool = False
    """`true`: used only when no other account has room."""
    kind: kinds.KindName = "subscription"
    """`token`, `api_key`, `bedrock`, `vertex`: see [accounts](accounts.md)."""
    env_file: Path | None = None
    """Of every kind but `subscription`: the file with its login, `NAME=VALUE` lines, yours, mode 0600. It is read by
    the launch itself, never by the daemon."""
    paid: Use = "never"
    """Of `api_key`, `bedrock`, `vertex`. `never`: only where a person names it. `last_resort`: when no other account
    has room."""
    cap_usd_per_day: Dollars | None = None
    """What our sessions may cost there in a day (UTC), in US dollars. Required with `last_resort`."""

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
    """One tmux session each."""

    name: Name
    """A name, or a range for several. Each name once."""
    project: Path
    """The folder it works in. It need not exist yet when the file is read."""
    account: Name | None = None
    """Where it starts."""
    serves: tuple[Path, ...] = ()
    """Further projects whose tasks it does, or `all`. For a task of a project whose folder it is not in it is started
    anew there, in a new conversation."""


class Deadline(msgspec.Struct, frozen=True):
    """How long a move waits for a boundary."""

    soft: Duration = 600.0
    """A threshold was crossed: how long a session may take to reach a point where stopping loses nothing. Then it
    stays, and that is said."""
    hard: Duration = 20.0
    """The limit was hit: the same, but then it is interrupted and told what was cut off. Shorter than `soft`."""


class Failover(msgspec.Struct, frozen=True):
    """When and how to swap."""

    strategy: Strategy = "priority"
    """Which of the accounts with room: the preferred one; `most_headroom`: the one farthest below its thresholds;
    `soonest_reset`: the one whose week, then 5 hours, end first. See [choosing](choosing.md)."""
    margin: Annotated[Percent, Meta(ge=0)] = 10.0
    """Percentage points that a target must be below its own thresholds, and better than the source."""
    cooldown: Annotated[Duration, Meta(ge=0)] = 120.0
    """Least time between two automatic swaps, unless the account in use is spent."""
    deadline: Deadline = Deadline()
    wait_if_reset_within: Annotated[Duration, Meta(ge=0)] = 600.0
    """Rather wait for a source that resets within this time than move to something worse, or move at all when it is not
    expected to be spent by then."""
    idle_sessions: IdleSessions = "move"
    """Sessions at rest move too. `lazy`: only when a task of their project waits or they begin a turn (no cache is
    written for a session that nobody uses). `leave`: only when they begin a turn."""
    fail_back: bool = True
    """A session at rest goes back to its account (the one that a person chose, else the one it is tied to, else the
    most preferred) when that has room again."""
    forecast: bool = True
    """Leave an account before its threshold, early enough for the boundaries of the sessions that run. `false`: at the
    threshold."""
    models: tuple[str, ...] = ()
    """The models that the pool uses, as their weekly windows name them (`opus` for `seven_day_opus`). Only then do
    these windows count."""
    max_parallel: Annotated[int, Meta(ge=1, le=64)] = os.cpu_count() or 1
    """Sessions that may be away at once. `auto` is the number of cores: a start of the binary costs 1.3 seconds
    of CPU."""


class Usage(msgspec.Struct, frozen=True):
    """How accounts are asked for their windows (see [usage](usage.md))."""

    poll: bool = True
    """Accounts on which no session of yours runs are asked with `claude -p /usage`, one at a time."""
    least: Annotated[Duration, Meta(ge=300)] = 300.0
    """How often one account is asked when it is near a threshold, or nothing is known of it. Not under `5m`: the
    provider answers 429 for long when it is asked more often."""
    most: Duration = 3600.0
    """How often one is asked that has 50 percentage points of room, or is spent."""
    timeout: Duration = 30.0
    """An answer that takes longer is an error; the command is ended."""
    command: tuple[str, ...] = ()
    """Your own command, program and arguments, run without a shell in the folder of this file."""
    every: Annotated[Duration, Meta(ge=10)] = 600.0
    """How often it is run."""


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file. file: where it was read from; sessions: with ranges expanded, in the file's order;
    sessions_restart: whether those that ended with their tmux server are brought back by themselves."""

    """Sessions that ended with their tmux server (it died, or the host did) are brought back by themselves, at most
    three times within an hour. `never`: one notice says so, and `claude-failover sessions restore` is yours to give."""

    file: Path
    version: int
    """The layout of the file. Only `1` exists."""
    state_dir: Path
    """Store, sockets, logs and the token of the HTTP address. Made with mode 0700; refused when it is open to others.
    """
    shared_dir: Path
    """The one tree of conversations, settings and the registry of sessions that all accounts link to."""
    claude: Claude = Claude()
    accounts: tuple[Account, ...]
    """At least one, see below."""
    thresholds: Thresholds = Thresholds()
    sessions: tuple[SessionSpec, ...] = ()
    """One tmux session each, see below."""
    projects: tuple[Path, ...] = ()
    """Folders whose `.agent-queue/inbox/` is served."""
    failover: Failover = Failover()
    usage: Usage = Usage()
    http: Http = Http()
    tmux: Tmux = Tmux()
    notify: tuple[SinkSpec, ...] = ()
    """Who is told, see below."""
    log: Log = Log()
    dispatch: Dispatch = Dispatch()
    retention: Retention = Retention()
    janitor: Janitor = Janitor()
    replay: Templates = Templates()
    sessions_restart: Literal["auto", "never"] = "auto"
    """Sessions that ended with their tmux server (it died, or the host did) are brought back by themselves, at most
    three times within an hour. `never`: one notice says so, and `claude-failover sessions restore` is yours to give."""
    macos: Literal["refuse", "untried"] = "refuse"
    """On macOS the daemon has never been tried (docs/macos.md), and `up` starts nothing there. `untried`: it does."""

    @property
    def paths(self) -> Paths:
        """Return the names inside the state dir."""
        return of_state_dir(self.state_dir)

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
