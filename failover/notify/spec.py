"""What the configuration says of a sink."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Union

import msgspec

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
    """One JSON line per notice is appended to path."""

    path: Path


class Stdout(msgspec.Struct, frozen=True, tag_field="kind", tag="stdout"):
    """One JSON line per notice on the role's own output."""


class Syslog(msgspec.Struct, frozen=True, tag_field="kind", tag="syslog"):
    """RFC 5424. address: unix:PATH, udp://HOST:PORT or tcp://HOST:PORT; facility: a number from 0 to 23."""

    address: str = "unix:/dev/log"
    facility: int = 3


class Webhook(msgspec.Struct, frozen=True, tag_field="kind", tag="webhook"):
    """A signed POST per notice. timeout: seconds."""

    url: str
    secret: Secret
    timeout: float = 10.0


class Otlp(msgspec.Struct, frozen=True, tag_field="kind", tag="otlp"):
    """OTLP logs over HTTP, in JSON. url: with its path, /v1/logs; token: a bearer token; timeout: seconds."""

    url: str = "http://127.0.0.1:4318/v1/logs"
    token: Secret | None = None
    timeout: float = 10.0


class Apprise(msgspec.Struct, frozen=True, tag_field="kind", tag="apprise"):
    """Any service that apprise knows, by its URL, which is a secret."""

    url: Secret


class Telegram(msgspec.Struct, frozen=True, tag_field="kind", tag="telegram"):
    """A Telegram bot. chat: number or @name; api: of a Bot API server of one's own, empty for Telegram's."""

    token: Secret
    chat: str
    api: str = ""


Settings = Union[File, Stdout, Syslog, Webhook, Otlp, Apprise, Telegram]  # noqa: UP007  (msgspec reads it at run time)


class SinkSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A sink for notices. name: by which its backlog is kept; settings: of its kind; rules: what it is told, all where
    there are none; templates: event type → words; give_up_after: seconds that a notice is tried for."""

    name: str
    settings: Settings
    rules: tuple[Rule, ...] = ()
    templates: dict[str, str] = {}
    quiet: Quiet | None = None
    digest: Digest | None = None
    give_up_after: float = 7 * 86400.0

    @property
    def kind(self) -> str:
        """Return the kind of sink."""
        return str(self.settings.__struct_config__.tag)
