"""What a running session was started with that its next start has to have too: arguments and environment.

The options are those of `claude --help` (2.1.330). Where a word's meaning is not known the answer is a refusal: a
session that is started anew with half of its options is not the same session.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from failover.claude.launch import AUTH_VARIABLES, NESTING_VARIABLES

#: Options that stand alone.
_FLAGS = frozenset(
    {
        "--allow-dangerously-skip-permissions", "--ax-screen-reader", "--bare", "--brief", "--chrome",
        "--dangerously-skip-permissions", "--disable-slash-commands", "--exclude-dynamic-system-prompt-sections",
        "--ide", "--no-chrome", "--restricted", "--safe-mode", "--strict-mcp-config", "--verbose",
    }
)  # fmt: skip
#: Options with one value.
_ONE = frozenset(
    {
        "--agent", "--agents", "--append-system-prompt", "--append-system-prompt-file", "--autocompact",
        "--debug-file", "--effort", "--fallback-model", "--model", "--name", "-n", "--permission-mode", "--plugin-dir",
        "--plugin-url", "--remote-control-session-name-prefix", "--setting-sources", "--system-prompt",
        "--system-prompt-file", "--system-prompt-snapshot",
    }
)  # fmt: skip
#: Options with a value that may be left out.
_PERHAPS = frozenset({"--debug", "-d", "--prompt-suggestions", "--remote-control"})
#: Options that take all words up to the next option.
_MANY = frozenset(
    {
        "--add-dir", "--allowedTools", "--allowed-tools", "--betas", "--disallowedTools", "--disallowed-tools",
        "--file", "--mcp-config", "--tools",
    }
)  # fmt: skip
#: Options that say which conversation is meant: ours does that.
_CONVERSATION = {"--resume": "perhaps", "-r": "perhaps", "--from-pr": "perhaps", "--session-id": "one"}
_CONVERSATION |= dict.fromkeys(("--continue", "-c", "--fork-session"), "flag")
_REFUSED = {
    "--settings": "a session has one --settings, and the hooks are in ours: put yours into a settings.json",
    "--worktree": "it would make another worktree at each start: start it in the worktree",
    "-w": "it would make another worktree at each start: start it in the worktree",
}
#: Variables that change what a session does, and are no secrets.
_KEPT = re.compile(
    r"ANTHROPIC_(BASE_URL|BETAS|MODEL|SMALL_FAST_MODEL|DEFAULT_\w+_MODEL)|CLAUDE_CODE_\w+|CLAUDE_BASH_\w+|BASH_\w+|MCP_\w+"
    r"|(DISABLE|ENABLE)_\w+|MAX_\w+_TOKENS|USE_BUILTIN_RIPGREP|NODE_EXTRA_CA_CERTS|PATH|VIRTUAL_ENV|SSH_AUTH_SOCK"
    r"|(HTTP|HTTPS|NO)_PROXY|(http|https|no)_proxy"
)
_SECRET = re.compile(r"(?i)TOKEN(?!S\b)|SECRET|PASSWORD|PASSWD|CREDENTIAL|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY")


class NotCarried(Exception):
    """A session's start cannot be repeated; the text says why and what to do."""


def words(cmdline: Sequence[str]) -> tuple[str, ...]:
    """Return what follows the program in a command line: the native binary, or a script under an interpreter."""
    ends = next((n for n, word in enumerate(cmdline) if Path(word).stem == "claude" or word.endswith("/cli.js")), 0)
    return tuple(cmdline[ends + 1 :])


def arguments(given: Sequence[str]) -> tuple[str, ...]:
    """Return what of the words behind the program goes into the session's next start.

    Which conversation it is, and the prompt that it began with, are left out. Raises NotCarried.
    """
    kept: list[str] = []
    left = list(given)
    while left:
        word = left.pop(0)
        if word == "--":
            break
        if not word.startswith("-") or word == "-":
            continue  # its first prompt
        name, equals, _ = word.partition("=")
        takes = _takes(name)
        values = [] if equals else _values(takes, left)
        del left[: len(values)]
        if name not in _CONVERSATION:
            kept += [word, *values]
    return tuple(kept)


def _takes(name: str) -> str:
    """Return what follows an option: flag, one, perhaps or many."""
    if name in _CONVERSATION:
        return _CONVERSATION[name]
    for takes, names in (("flag", _FLAGS), ("one", _ONE), ("perhaps", _PERHAPS), ("many", _MANY)):
        if name in names:
            return takes
    why = _REFUSED.get(name, "it is not known what it does to a session that is started anew")
    raise NotCarried(f"it was started with {name}: {why}")


def _values(takes: str, left: Sequence[str]) -> list[str]:
    if takes == "one":
        return list(left[:1])
    found: list[str] = []
    for word in left if takes in ("perhaps", "many") else ():
        if word.startswith("-") or (takes == "perhaps" and found):
            break
        found.append(word)
    return found


def added_dirs(given: Sequence[str], cwd: Path) -> tuple[Path, ...]:
    """Return the folders that arguments add to a session that works in `cwd`."""
    found, left = [], list(given)
    while left:
        name, equals, value = left.pop(0).partition("=")
        if name == "--add-dir":
            found += [cwd / word for word in ([value] if equals else _values("many", left))]
    return tuple(found)


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that go into the session's next start: those that are known to matter, and no secret.

    Raises NotCarried when the session logs in by its environment: it is on no account that is known by its config dir.
    """
    if logins := sorted(AUTH_VARIABLES & environ.keys()):
        raise NotCarried(
            f"it logs in by {logins[0]} in its environment: make that an account with an env_file, and restart it there"
        )
    return {
        name: value
        for name, value in environ.items()
        if _KEPT.fullmatch(name) and name not in NESTING_VARIABLES and not _is_secret(name, value)
    }


def left_behind(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of variables that look like secrets: they are not copied, so the next start lacks them."""
    return tuple(sorted(name for name, value in environ.items() if _is_secret(name, value)))


def _is_secret(name: str, value: str) -> bool:
    return bool(_SECRET.search(name)) or (name.lower().endswith(("_proxy", "_url")) and "@" in value)
