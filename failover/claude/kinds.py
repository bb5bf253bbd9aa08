"""The kinds of accounts: how each logs in, and what the binary says of it.

What is not a login inside the config dir stands in an env file, which `assets/env_file.sh` alone reads: it becomes the
binary, with the file's values in its environment. No value passes through this program.

An API key goes another way. Measured on 2.1.330: one in ANTHROPIC_API_KEY makes the binary ask at its start whether to
use it (the default is No) until its last 20 characters stand in `.claude.json`. One that the setting `apiKeyHelper`
prints is used without a question, also where a login lies in the config dir, and stands in no environment at all.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from failover.errors import HostError

KindName = Literal["subscription", "token", "api_key", "bedrock", "vertex"]

#: Reads env files; a copy of it lies beside the launch files.
READER = Path(__file__).with_name("assets") / "env_file.sh"
_LOOK_WITHIN = 5.0


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of account.

    methods: `authMethod` in the binary's `auth status`; provider: its `apiProvider`; required, allowed: names in the
    env file; switches: variables that are set besides; paid: each request costs money.
    """

    methods: tuple[str, ...]
    provider: str = "firstParty"
    required: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    switches: Mapping[str, str] = {}
    paid: bool = False


_MODELS = (
    "ANTHROPIC_MODEL",
    "ANTHROPIC_DEFAULT_OPUS_MODEL",
    "ANTHROPIC_DEFAULT_SONNET_MODEL",
    "ANTHROPIC_DEFAULT_HAIKU_MODEL",
    "ANTHROPIC_SMALL_FAST_MODEL",
)
KINDS: Mapping[KindName, Kind] = {
    "subscription": Kind(methods=("claude.ai",)),
    "token": Kind(
        methods=("oauth_token",), required=("CLAUDE_CODE_OAUTH_TOKEN",), allowed=("CLAUDE_CODE_OAUTH_TOKEN",)
    ),
    "api_key": Kind(
        methods=("api_key_helper",), required=("ANTHROPIC_API_KEY",), allowed=("ANTHROPIC_API_KEY",), paid=True
    ),
    "bedrock": Kind(
        methods=("third_party",),
        provider="bedrock",
        allowed=(
            "AWS_REGION",
            "AWS_PROFILE",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "AWS_BEARER_TOKEN_BEDROCK",
            "ANTHROPIC_BEDROCK_BASE_URL",
            "CLAUDE_CODE_SKIP_BEDROCK_AUTH",
            *_MODELS,
        ),
        required=("AWS_REGION",),
        switches={"CLAUDE_CODE_USE_BEDROCK": "1"},
        paid=True,
    ),
    "vertex": Kind(
        methods=("third_party",),
        provider="vertex",
        allowed=(
            "CLOUD_ML_REGION",
            "ANTHROPIC_VERTEX_PROJECT_ID",
            "GOOGLE_APPLICATION_CREDENTIALS",
            "ANTHROPIC_VERTEX_BASE_URL",
            "CLAUDE_CODE_SKIP_VERTEX_AUTH",
            *_MODELS,
        ),
        required=("CLOUD_ML_REGION", "ANTHROPIC_VERTEX_PROJECT_ID"),
        switches={"CLAUDE_CODE_USE_VERTEX": "1"},
        paid=True,
    ),
}


class Login(msgspec.Struct, frozen=True):
    """How a process logs in. env_file: None for a subscription, whose login lies in its config dir."""

    kind: KindName = "subscription"
    env_file: Path | None = None

    @property
    def switches(self) -> Mapping[str, str]:
        """Return the variables that choose the provider; none of them is a secret."""
        return KINDS[self.kind].switches

    def prefix(self, reader: Path = READER) -> list[str]:
        """Return the words before the binary's own that let it start with the env file's values."""
        return [] if self.env_file is None or self.kind == "api_key" else self._words(reader)

    def settings(self, reader: Path = READER) -> dict[str, Any]:
        """Return the settings that the binary needs to log in."""
        if self.env_file is None or self.kind != "api_key":
            return {}
        # It is asked for at the first request, each five minutes and after a 401: a key that was replaced counts then.
        return {"apiKeyHelper": f"exec {shlex.join([*self._words(reader), 'printenv', 'ANTHROPIC_API_KEY'])}"}

    def _words(self, reader: Path) -> list[str]:
        kind = KINDS[self.kind]
        return ["sh", str(reader), str(self.env_file), " ".join(kind.required), " ".join(kind.allowed)]

    def check(self) -> None:
        """See that the env file could be used: that it is ours alone, and its names. Raises HostError with the mend."""
        if self.env_file is None:
            return
        import subprocess  # every verb reads the configuration, and few ask this

        try:
            done = subprocess.run(
                self._words(READER), stdin=subprocess.DEVNULL, capture_output=True, timeout=_LOOK_WITHIN
            )
        except (OSError, subprocess.TimeoutExpired):
            raise HostError(f"{self.env_file}: cannot be looked at; see that it is a small regular file") from None
        if done.returncode:
            raise HostError(done.stderr.decode("utf-8", "replace").strip() or f"{self.env_file}: cannot be read")


def objection(login: Login, method: str, provider: str) -> str:
    """Return why the binary would not run under the login that is meant, empty when it would."""
    kind = KINDS[login.kind]
    if method in kind.methods and provider == kind.provider:
        return ""
    used = f"{method} of {provider}" if provider != "firstParty" else method
    return (
        f"the binary would log in by {used}, not as the kind {login.kind} does; look for a login in the environment or"
        " in settings.json (env, apiKeyHelper), or change the account's kind"
    )


def words(arguments: Sequence[str], login: Login) -> list[str]:
    """Return the command line of a short question to the binary (`auth status` and the like), logged in like this."""
    command, *rest = arguments
    settings = login.settings()
    own = ["--settings", msgspec.json.encode(settings).decode()] if settings else []
    return [*login.prefix(), command, *own, *rest]
