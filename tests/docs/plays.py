"""How the commands of the pages are run: as they stand, unless this table says otherwise.

A line that shows how a command may be called, or names things that a reader has and this host has not, is run as
`Instead` says. What goes on until it is ended is `Watched`. What no test can run is `Unrun`, with the reason; it is
looked at as far as that goes. An entry that no line needs any more fails a test too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from failover.sim import real_cli
from tests.cli.run import ROOT
from tests.docs.host import Host


@dataclass(frozen=True)
class Instead:
    """These lines are typed in its place; each option of the line must be in one of them. code: how they end."""

    lines: tuple[str, ...]
    code: int = 0


@dataclass(frozen=True)
class Watched:
    """It goes on until `keys` are pressed, once it shows a text; `poke` is typed until it does. ends: exit codes."""

    shows: str
    poke: str = ""
    keys: str = "\x03"
    ends: tuple[int, ...] = (0, 130, -2)


@dataclass(frozen=True)
class Unrun:
    """No test runs it."""

    why: str


How = Instead | Watched | Unrun


def instead(*lines: str, code: int = 0) -> Instead:
    return Instead(lines, code)


@dataclass(frozen=True)
class Play:
    """What a page needs. begins: what is there when the reader comes; first: what else; how: by the line's text."""

    begins: str = "launched"  # or "down": a configuration and no daemon; "bare": two logins and nothing else
    first: Callable[[Host], None] | None = None
    after: dict[str, Callable[[Host], None]] = field(default_factory=dict)
    how: dict[str, How] = field(default_factory=dict)


PIP = Unrun("it installs from the package index; `pytest -m package` tries the wheel")
LONG = Unrun("it takes a minute or more")
SUITE = Unrun("it is the tests themselves")
SERVICE = Unrun("there is no systemd in a test; tests/host/test_service.py holds the units and what is called")
REAL = Unrun("it needs the real Claude Code; tests/real tries it")
LOGIN = Unrun("to log in takes a person and a browser")
TAP = Watched("operator.", poke="claude-failover pause; claude-failover resume")
TOP = Watched("ccl-0", keys="q", ends=(0,))

#: On every page.
EVERYWHERE: dict[str, How] = {
    "claude-failover demo": LONG,
    "claude-failover demo --headless --json": LONG,
    "claude-failover demo --real": REAL,
    "claude-failover notify": instead("claude-failover notify list", "claude-failover notify --help"),
    "claude-failover service install": SERVICE,
    "claude-failover tap": TAP,
    "claude-failover top": TOP,
    "scripts/bench": LONG,
    "scripts/demo": LONG,
    "scripts/demo --real": REAL,
    "scripts/nemesis": LONG,
    "scripts/setup --dev": Unrun("it installs from the package index"),
    "scripts/test": SUITE,
    "scripts/test --real": SUITE,
    "scripts/test tests/core": SUITE,
    "tmux attach -t ccl-0": Watched("ccl-0", keys="\x02d", ends=(0,)),
}  # fmt: skip


def _with_sessions(host: Host) -> None:
    """Do what the pages say after `init`: name the sessions, and a sink. And keep the accounts to the fake API."""
    text = host.config_file.read_text()
    (wanted,) = re.findall(r"```yaml\n\s*(sessions:\n.*?)\s*```", (ROOT / "docs/quickstart.md").read_text(), re.DOTALL)
    environment = {**real_cli.api_environment(host.api.url), "HOME": str(host.home)}
    for old, new in (
        (r"sessions: \[\].*", "\n".join(line.removeprefix("   ") for line in wanted.splitlines())),
        (r'listen: "127.0.0.1:7717"', 'listen: "127.0.0.1:0"'), (r"poll: true", "poll: false"),
        (r"notify: \[\]", "notify: [{kind: file, path: ~/failover-notices.jsonl}]"),
        (r"  env: \{\}", f"  env: {json.dumps(environment)}"),
    ):  # fmt: skip
        text, found = re.subn(old, new.replace("\\", r"\\"), text, count=1)
        assert found == 1, old
    host.config_file.write_text(text)


def _tasks(number: int) -> Callable[[Host], None]:
    """Return what puts so many tasks where no session does them, so that the last one's number is known."""

    def put(host: Host) -> None:
        for one in range(number):
            (host.projects["other"] / ".agent-queue" / "inbox" / f"task-{one}.md").write_text("Say hello.\n")
        host.wait(lambda: host.query("SELECT count(*) AS n FROM tasks")[0]["n"] == number, f"{number} tasks")

    return put


def _work(host: Host) -> None:
    """Have a task done, so that there is demand to record."""
    host.cli("tasks", "add", "--project", str(host.projects["app"]), "Say hello.")
    host.wait(lambda: host.query("SELECT 1 FROM tasks WHERE state = 'done'"), "a task done", 60)


def _link(host: Host) -> None:
    host.cli("accounts", "link")


def _tasks_and_work(host: Host) -> None:
    _tasks(12)(host)
    host.launch()
    _work(host)


def _swaps(host: Host) -> None:
    """Swap a session there and back, so that there is a list of more than one."""
    for account in ("backup", "main"):
        host.cli("swap", "--to", account, "--session", "ccl-0")


def _copy(host: Host) -> None:
    """Have a copy of the store under the name that the page has."""
    host.cli("janitor")
    (copy,) = (host.state / "backups").glob("state-*.db")
    copy.rename(copy.with_name("state-20260102T030405Z.db"))


def _token_file(host: Host) -> None:
    file = host.home / "failover.token"
    file.touch(0o600)
    file.write_text(host.cli("token", "show", "--scope", "read").stdout)


def _fix_the_login(host: Host) -> None:
    (host.root / "elsewhere").mkdir()
    (host.root / "elsewhere" / "fix-the-login.md").write_text("Fix the login.\n")


PLAYS: dict[str, Play] = {
    "README.md": Play(
        begins="bare",
        after={"claude-failover init --root ~/src": _with_sessions},
        how={
            "pip install .": PIP,
            "claude-failover swap [--to NAME] [--session S] [--dry-run]": instead(
                "claude-failover swap --dry-run", "claude-failover swap --to backup --session ccl-0"
            ),
            "claude-failover pause | resume": instead("claude-failover pause", "claude-failover resume"),
            "claude-failover accounts disable NAME [--for 2h] | enable NAME": instead(
                "claude-failover accounts disable backup --for 2h", "claude-failover accounts enable backup"
            ),
            "claude-failover usage [--png FILE]": instead("claude-failover usage --png week.png"),
            "claude-failover tap | events": instead("claude-failover events"),
            "claude-failover simulate --trace FILE": instead(
                "claude-failover simulate --trace docs/scenarios/office.jsonl"
            ),
        },
    ),
    "docs/accounts.md": Play(),
    "docs/adopting.md": Play(),
    "docs/api.md": Play(
        first=_swaps,
        how={
            "claude-failover token show [--scope read|operate] [--json]": instead(
                "claude-failover token show --json", "claude-failover token show --scope operate"
            ),
            "claude-failover token rotate [--scope read|operate] [--json]": instead(
                "claude-failover token rotate --scope operate --json"
            ),
            "curl -si -H \"Authorization: Bearer $token\" 'http://127.0.0.1:7717/v1/swaps?limit=5' "
            "| grep -i ^link": instead(
                "curl -si -H \"Authorization: Bearer $token\" 'http://127.0.0.1:7717/v1/swaps?limit=1' | grep -i ^link"
            ),
            "curl -H \"Authorization: Bearer $token\" 'http://127.0.0.1:7717/v1/orders/12?wait=60'": instead(
                "curl -H \"Authorization: Bearer $token\" 'http://127.0.0.1:7717/v1/orders/3?wait=60'"
            ),
            "curl -N -H \"Authorization: Bearer $token\" 'http://127.0.0.1:7717/v1/events/stream?topic=swap.'": Watched(
                "event: swap.started", poke="claude-failover sessions restart ccl-0"
            ),
        },
    ),
    "docs/bus.md": Play(
        how={
            "claude-failover tap --topic swap --json": Watched(
                '"swap.started"', poke="claude-failover sessions restart ccl-0"
            ),
            "claude-failover events --follow": TAP,
        },
    ),
    "docs/checkpoints.md": Play(
        how={
            "claude-failover checkpoints list [--session NAME] [--limit N] [--json]": instead(
                "claude-failover checkpoints list --session ccl-0 --limit 5 --json", "claude-failover checkpoints list"
            ),
            "claude-failover checkpoints show NUMBER [--json]": instead("claude-failover checkpoints show 1 --json"),
            "claude-failover checkpoints show 412": instead("claude-failover checkpoints show 1"),
            "claude-failover sessions restore [NAME …] [--dry-run] [--json]": instead(
                "claude-failover sessions restore --dry-run --json", "claude-failover sessions restore ccl-0"
            ),
        },
    ),
    "docs/choosing.md": Play(),
    "docs/cli.md": Play(
        begins="down",
        first=_link,
        after={"claude-failover down && claude-failover up": _tasks_and_work},
        how={
            "claude-failover up --wait 60": instead("claude-failover down", "claude-failover up --wait 60"),
            "claude-failover up && claude-failover sessions launch": instead(
                "claude-failover down", "claude-failover up && claude-failover sessions launch"
            ),
            "claude-failover down && claude-failover up": instead(
                "claude-failover up", "claude-failover down && claude-failover up"
            ),
            "claude-failover swap --to backup --session ccl-3": instead(
                "claude-failover swap --to main --session ccl-3"
            ),
            "claude-failover accounts add backup ~/.claude-backup": instead(
                "claude-failover accounts add spare ~/.claude-spare"
            ),
            'claude-failover tasks add "Fix the flaky test"': instead(
                'cd ~/src/app && claude-failover tasks add "Fix the flaky test"'
            ),
            "claude-failover tasks add --project ~/src/app < plan.md": instead(
                "echo 'Say hello.' >plan.md", "claude-failover tasks add --project ~/src/app < plan.md"
            ),
            "claude-failover tasks add --priority 5 --name first -": instead(
                "cd ~/src/app && echo 'Say hello.' | claude-failover tasks add --priority 5 --name first -"
            ),
            "claude-failover checkpoints show 12": instead("claude-failover checkpoints show 1"),
            "claude-failover events --follow": TAP,
            "claude-failover events --follow --json | jq .event": Unrun("jq may not be installed"),
            "claude-failover tap --topic session --json": Watched(
                '"session.', poke="claude-failover sessions launch; claude-failover sessions restart --all"
            ),
            "claude-failover simulate --trace pool.jsonl --policy new.yaml": instead(
                "cp ~/.config/claude-failover/config.yaml new.yaml",
                "claude-failover simulate --trace pool.jsonl --policy new.yaml",
            ),
        },
    ),
    "docs/configuration.md": Play(
        how={
            "claude-failover accounts disable NAME --for 2h": instead(
                "claude-failover accounts disable backup --for 2h"
            ),
        },
    ),
    "docs/doctor.md": Play(
        how={
            "claude-failover doctor [--json] [--only CHECK]... [--fix] [--bundle FILE.tar.gz]": instead(
                "claude-failover doctor --json --only tmux --only links",
                "claude-failover doctor --fix --bundle report.tar.gz",
            ),
        },
    ),
    "docs/janitor.md": Play(
        first=_copy,
        how={
            "claude-failover janitor --dry-run [--json]": instead(
                "claude-failover janitor --dry-run", "claude-failover janitor --dry-run --json"
            ),
            "claude-failover janitor [--json]": instead("claude-failover janitor", "claude-failover janitor --json"),
            "claude-failover backups restore NAME": instead(
                "claude-failover backups restore state-20260102T030405Z.db", code=3
            ),
        },
    ),
    "docs/mcp.md": Play(
        first=_token_file,
        how={
            "pip install 'claude-failover[mcp]'": PIP,
            "claude mcp add failover -- claude-failover mcp": REAL,
            "claude mcp add failover -- claude-failover mcp --scope operate": REAL,
            "claude mcp add --transport http failover http://127.0.0.1:7717/mcp "
            '--header "Authorization: Bearer $(claude-failover token show --scope read)"': REAL,
        },
    ),
    "docs/notices.md": Play(
        how={"claude-failover notify test [SINK]": instead("claude-failover notify test")},
    ),
    "docs/observability.md": Play(),
    "docs/operations.md": Play(
        first=_copy,
        how={
            "pip install --upgrade claude-failover": PIP,
            "cd ~ && rsync -aR --exclude .credentials.json .claude .config/claude-failover "
            ".local/state/claude-failover src newhost:": Unrun("a test has one host"),
        },
    ),
    "docs/page.md": Play(),
    "docs/performance.md": Play(
        begins="down",
        how={
            "scripts/bench --json docs/performance.json --add": LONG,
            "scripts/bench --pages": Unrun("tests/bench/test_pages.py makes the page"),
            "scripts/bench --quick": Unrun("tests/bench/test_smoke.py runs each"),
            "scripts/bench long --seconds 1800 --sessions 100": LONG,
        },
    ),
    "docs/policy.md": Play(
        first=_work,
        how={
            "claude-failover simulate --trace mine.jsonl --policy now.yaml --policy idea.yaml": instead(
                "cp ~/.config/claude-failover/config.yaml now.yaml",
                'sed \'s/"failover": {/&"strategy": "soonest_reset"/\' now.yaml >idea.yaml',
                "claude-failover simulate --trace mine.jsonl --policy now.yaml --policy idea.yaml",
            ),
        },
    ),
    "docs/queue.md": Play(
        first=_tasks(12),
        after={'claude-failover tasks add "Run the tests and mend what fails" --priority 5': _fix_the_login},
        how={
            'claude-failover tasks add "Run the tests and mend what fails" --priority 5': instead(
                'cd ~/src/app && claude-failover tasks add "Run the tests and mend what fails" --priority 5'
            ),
        },
    ),
    "docs/quickstart.md": Play(
        begins="bare",
        after={"claude-failover init --root ~/src": _with_sessions},
        how={
            "python3 -m venv ~/.local/share/claude-failover": PIP,
            "~/.local/share/claude-failover/bin/pip install .": PIP,
            "CLAUDE_CONFIG_DIR=~/.claude-main claude": LOGIN,
            "CLAUDE_CONFIG_DIR=~/.claude-backup claude": LOGIN,
        },
    ),
    "docs/seeing.md": Play(),
    "docs/security.md": Play(),
    "docs/service.md": Play(
        how={
            "claude-failover service install [--system] [--dry-run]": instead(
                "claude-failover service install --dry-run", "claude-failover service install --system --dry-run"
            ),
            "claude-failover service show [--system]": instead(
                "claude-failover service show", "claude-failover service show --system"
            ),
            "claude-failover service uninstall [--system]": SERVICE,
            "systemctl --user start claude-failover": SERVICE,
            'sudo loginctl enable-linger "$USER"': SERVICE,
            'sudo env "PATH=$PATH" claude-failover --config ~/.config/claude-failover/config.yaml service install '
            "--system": SERVICE,
            "tail -f ~/.local/state/claude-failover/log/*.log": Watched('"'),
            "pip install --upgrade claude-failover": PIP,
        },
    ),
    "docs/status.md": Play(begins="down"),
    "docs/testing.md": Play(
        begins="down",
        how={
            "scripts/crash-matrix [--only VICTIM[:STEP[:WHEN]]] [--real] [--json FILE] [--keep FOLDER]": LONG,
            "scripts/nemesis --seed N --minutes M [--real]": LONG,
            "scripts/soak [--swaps 1000] [--sessions 6]": LONG,
            "scripts/soak-queue [--files 10000] [--projects 1000] [--sessions 20] [--seed 1] [--every SECONDS] "
            "[--deaths SECONDS]": LONG,
        },
    ),
    "docs/troubleshooting.md": Play(
        how={
            "claude-failover up": instead("claude-failover down", "claude-failover up"),
            "claude-failover swap --to NAME": instead("claude-failover swap --to backup"),
            "claude-failover accounts enable NAME": instead("claude-failover accounts enable backup"),
        },
    ),
    "docs/top.md": Play(how={"pip install 'claude-failover[top]'": PIP}),
}

#: Run elsewhere, or not at all: looked at only. Why.
LOOKED_AT = {
    "docs/migrating.md": "its day is gone through by a test of its own, between old scripts and new sessions",
}

#: The first lines of what stands in blocks and is no command.
SAMPLES = {
    "docs/accounts.md": ("accounts:", "# key.env, mode 0600"),
    "docs/api.md": ("id: 4711", "http:"),
    "docs/checkpoints.md": ("ccl-0 at 11-24", "would restore 2 of 4"),
    "docs/choosing.md": ('{"kind": "swap"',),
    "docs/configuration.md": ("claude-failover: ~/config.yaml:31:", "9 roles have taken"),
    "docs/macos.md": ("macos: untried",),
    "docs/mcp.md": ('{"mcpServers":', "> Which account has room"),
    "docs/notices.md": ("12 notices:",),
    "docs/policy.md": (
        "policy            done M",
        "policy            done M",
        "policy            done M",
        '{"trace":1,',
    ),
    "docs/queue.md": (".agent-queue/", "queued → delivering", '{"task": 12,'),
    "docs/seeing.md": ("window  used",),
    "docs/testing.md": ("victim           step",),
    "docs/usage.md": ("usage: {command:", '{"readings":'),
}
