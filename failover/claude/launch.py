"""Write the two files that start the binary: its settings overlay, and the shell script that becomes it.

tmux runs `sh FILE`, the script ends in `exec`, so the pane's pid is the binary's. The path of the settings file stays
in its command line: that is how a process is known to be ours, and of which launch.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import msgspec

from failover.claude import settings
from failover.claude.kinds import READER, Login
from failover.errors import HostError

#: A login in the environment beats the one in the config dir (ANTHROPIC_AUTH_TOKEN first; measured on 2.1.330).
AUTH_VARIABLES = frozenset(
    {
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_AWS_API_KEY",
        "ANTHROPIC_FOUNDRY_API_KEY",
        "ANTHROPIC_FOUNDRY_AUTH_TOKEN",
        "ANTHROPIC_IDENTITY_TOKEN",
        "ANTHROPIC_IDENTITY_TOKEN_FILE",
        "CLAUDE_CODE_API_KEY_FILE_DESCRIPTOR",
        "CLAUDE_CODE_OAUTH_REFRESH_TOKEN",
        "CLAUDE_CODE_OAUTH_TOKEN",
        "CLAUDE_CODE_OAUTH_TOKEN_FILE_DESCRIPTOR",
        "CLAUDE_CODE_USE_BEDROCK",
        "CLAUDE_CODE_USE_FOUNDRY",
        "CLAUDE_CODE_USE_VERTEX",
    }
)
#: What a session started from within a session would take for its own.
NESTING_VARIABLES = frozenset(
    {
        "ANTHROPIC_SESSION_ID",
        "CLAUDECODE",
        "CLAUDE_CODE_CHILD_SESSION",
        "CLAUDE_CODE_ENTRYPOINT",
        "CLAUDE_CODE_RESUME_INTERRUPTED_TURN",
        "CLAUDE_CODE_SESSION_ID",
        "CLAUDE_CODE_SSE_PORT",
    }
)
_LAUNCH = r"[0-9a-f]{12}"
_SETTINGS_NAME = re.compile(rf"(?P<session>.+)\.(?P<launch>{_LAUNCH})\.settings\.json")
#: One argument may hold 128 KiB (MAX_ARG_STRLEN of Linux); a longer prompt is handed over in a file.
_LONGEST_PROMPT = 100_000


class LaunchSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One start of the binary.

    login: how it logs in; launch: 12 hex characters; conversation: the binary's session id; resume: the conversation
    has a transcript; prompt: submitted by the binary itself, None for none; directory: where launch files go (mode
    0700).
    """

    session: str
    account: str
    launch: str
    conversation: str
    cwd: Path
    config_dir: Path
    login: Login = Login()
    command: str
    args: tuple[str, ...] = ()
    env: dict[str, str] = {}
    resume: bool = False
    prompt: str | None = None
    directory: Path
    control_socket: Path


def marker(session: str, launch: str) -> str:
    """Return the name of the settings file, which marks the process of a launch in its command line."""
    return f"{session}.{launch}.settings.json"


def launch_id_of(cmdline: Sequence[str], directory: Path) -> tuple[str, str] | None:
    """Return (session, launch) of a process with that command line, None when it was not started from `directory`."""
    for argument in cmdline:
        path = Path(argument.removeprefix("--settings="))
        if path.parent == directory and (found := _SETTINGS_NAME.fullmatch(path.name)):
            return found["session"], found["launch"]
    return None


def write_launch_files(spec: LaunchSpec) -> Path:
    """Write the files of a launch, remove those of the session's earlier ones, return the script to run with `sh`.

    Raises HostError when a name cannot be one, or a file cannot be written.
    """
    if not re.fullmatch(_LAUNCH, spec.launch) or "/" in spec.session or spec.session in ("", ".", ".."):
        raise HostError(
            f"session {spec.session!r}, launch {spec.launch!r}: no file can be named so; rename the session"
        )
    try:
        spec.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in ("hook.sh", "statusline.sh", READER.name):
            _write_asset(spec.directory / name)
        overlay = settings.overlay(spec, settings.user_statusline(spec.config_dir, spec.cwd))
        settings_file = spec.directory / marker(spec.session, spec.launch)
        _write(settings_file, msgspec.json.format(msgspec.json.encode(overlay)), 0o600)
        prompt = spec.prompt
        if prompt is not None and len(os.fsencode(prompt)) > _LONGEST_PROMPT:
            prompt_file = spec.directory / f"{spec.session}.{spec.launch}.prompt.txt"
            _write(prompt_file, os.fsencode(prompt), 0o600)
            prompt = f"Read {prompt_file}: it is the message that was written to you, too long to be sent at once."
        script = spec.directory / f"{spec.session}.{spec.launch}.sh"
        _write(script, os.fsencode(_script(spec, settings_file, prompt)), 0o700)
        _remove_older(spec)
    except OSError as error:
        raise HostError(f"{error.filename or spec.directory}: {error.strerror}; mend that and launch again") from None
    return script


def _script(spec: LaunchSpec, settings_file: Path, prompt: str | None) -> str:
    which = ["--resume" if spec.resume else "--session-id", spec.conversation]
    words = [*spec.login.prefix(spec.directory / READER.name), spec.command, *spec.args]
    words += ["--settings", str(settings_file), *which]
    if prompt:
        text = prompt.replace("\0", "")
        # What begins with a dash would be read as an option.
        words.append(f" {text}" if text.startswith("-") else text)
    exports = {**spec.env, **spec.login.switches, "CLAUDE_CONFIG_DIR": str(spec.config_dir)}
    return "\n".join(
        [
            f"# {spec.session} on account {spec.account}, launch {spec.launch}".replace("\n", " "),
            f"unset {' '.join(sorted(AUTH_VARIABLES | NESTING_VARIABLES))}",
            *(f"export {key}={shlex.quote(value)}" for key, value in sorted(exports.items())),
            f"cd -- {shlex.quote(str(spec.cwd))} || exit 1",
            f"exec {shlex.join(words)}",
            "",
        ]
    )


def _remove_older(spec: LaunchSpec) -> None:
    """Remove the session's earlier files. The binary reads them at its start only, so even a live one has no need."""
    own = re.compile(rf"\.?{re.escape(spec.session)}\.({_LAUNCH})\.(settings\.json|sh|prompt\.txt)(?:\.part)?")
    for path in spec.directory.iterdir():
        found = own.fullmatch(path.name)
        # A prompt that was handed over in a file may still be read by the conversation's next process.
        if found and found[1] != spec.launch and found[2] != "prompt.txt":
            path.unlink(missing_ok=True)


def _write_asset(path: Path) -> None:
    """Put a script beside the launch files: live sessions call it, even while this package is replaced."""
    content = Path(__file__).with_name("assets").joinpath(path.name).read_bytes()
    with contextlib.suppress(FileNotFoundError):
        if path.read_bytes() == content:
            return
    _write(path, content, 0o700)


def _write(path: Path, content: bytes, mode: int) -> None:
    temporary = path.with_name(f".{path.name}.part")
    temporary.unlink(missing_ok=True)  # of a switcher that was killed here
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
