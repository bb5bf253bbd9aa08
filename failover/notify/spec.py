"""What the configuration says of a sink."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Union

import msgspec

from failover.config_kinds import Duration, Name
from failover.core.posting import Digest, Quiet
from failover.core.routing import Rule

Kind = Literal["file", "stdout", "syslog", "webhook", "otlp", "apprise", "telegram"]


class Secret(msgspec.Struct, frozen=True):
    """Where a secret is to be had: itself (`value`), an environment variable or a file. It is shown nowhere."""

    how: Literal["value", "env", "file"]
    where: str

    def __repr__(self) -> str:
        return "Secret(…)" if self.how == "value" else f"Secret({self.how} {self.where})"


class File(msgspec.Struct, frozen=True, tag_field="kind", tag="file"):
    """One JSON line per notice is appended to a file."""

    path: Path
    """The file that JSON lines are appended to."""


class Stdout(msgspec.Struct, frozen=True, tag_field="kind", tag="stdout"):
    """One JSON line per notice on the role's own output."""


class Syslog(msgspec.Struct, frozen=True, tag_field="kind", tag="syslog"):
    """RFC 5424.

    facility: a number from 0 to 23.
    """

    address: str = "unix:/dev/log"
    """Also `udp://HOST:514` and `tcp://HOST:601`."""
    facility: int = 3
    """Under which the syslog files it."""


class Webhook(msgspec.Struct, frozen=True, tag_field="kind", tag="webhook"):
    """A signed POST per notice."""

    url: str
    """https, or http to a loopback address."""
    secret: Secret
    """The key that bodies are signed with."""
    timeout: Duration = 10.0
    """How long an answer is waited for."""


class Otlp(msgspec.Struct, frozen=True, tag_field="kind", tag="otlp"):
    """OpenTelemetry logs, OTLP over HTTP in JSON."""

    url: str = "http://127.0.0.1:4318/v1/logs"
    """With its path. https, or http to a loopback address."""
    token: Secret | None = None
    """A bearer token, if the collector wants one."""
    timeout: Duration = 10.0
    """How long an answer is waited for."""


class Apprise(msgspec.Struct, frozen=True, tag_field="kind", tag="apprise"):
    """Any service that apprise knows, by its URL, which is a secret."""

    url: Secret
    """The service's URL; one target for each sink."""


class Telegram(msgspec.Struct, frozen=True, tag_field="kind", tag="telegram"):
    """A Telegram bot."""

    token: Secret
    """The bot's token."""
    chat: str
    """The chat's number in quotes, or `"@name"`."""
    api: str = ""
    """The address of a Bot API server of your own."""


Settings = Union[File, Stdout, Syslog, Webhook, Otlp, Apprise, Telegram]  # noqa: UP007  (msgspec reads it at run time)


class SinkSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A sink for notices."""

    name: Name
    """What its backlog is kept under, and `claude-failover notify` calls it. Each once."""
    settings: Settings
    """What it is, see [notices](notices.md). The keys of each kind stand below."""
    rules: tuple[Rule, ...] = ()
    """What it is told. All that a rule names must hold, and one rule that holds is enough. Without rules it is told
    everything."""
    templates: dict[str, str] = {}
    """Event type → words of your own, with `{placeholders}`."""
    quiet: Quiet | None = None
    """`{from: "22:00", to: "07:00", zone: Europe/Berlin, breaks: critical}`: what is less than `breaks` is held and
    sent as one digest afterwards. The times need their quotes."""
    digest: Digest | None = None
    """When more than so many notices come within so long, the further ones become one summary."""
    give_up_after: Duration = 7 * 86400.0
    """How long a notice is tried for. The sink is told how many it missed."""

    @property
    def kind(self) -> str:
        """Return the kind of sink."""
        return str(self.settings.__struct_config__.tag)
