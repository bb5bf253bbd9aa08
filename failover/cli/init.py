"""`claude-failover init`: look at the host and write a configuration for it. Nothing else is touched."""

from __future__ import annotations

import os
import shlex
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from failover.cli.shared import Cli, json_option, print_json, printable

if TYPE_CHECKING:
    from failover.core.draft import Draft
    from failover.takeover.survey import Survey

_NEXT = (
    "claude-failover config check",
    "claude-failover accounts link --dry-run     what it takes to link the accounts to the shared tree",
    "claude-failover accounts link",
    "claude-failover doctor                      what is wrong on this host, with the mend",
    "claude-failover up",
)


@click.command("init")
@click.option("--config", "named", type=click.Path(path_type=Path), help="Where to write it.")
@click.option("--root", "roots", multiple=True, metavar="FOLDER",
              type=click.Path(path_type=Path, exists=True, file_okay=False),
              help="Look for projects with an .agent-queue/ below this folder too. More than one is fine.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Show what was found and what would be written, and write nothing.")
@click.option("--force", is_flag=True, help="Replace a configuration that is there.")
@json_option
@click.pass_obj
def init_command(
    cli: Cli, named: Path | None, roots: tuple[Path, ...], dry_run: bool, force: bool, as_json: bool
) -> None:
    """Look at this host and write a configuration for it.

    Found are config dirs and who is logged in there, tmux sessions that run claude, projects with an .agent-queue/ and
    the tree that the accounts share. The file goes to --config, else $FAILOVER_CONFIG, else
    ~/.config/claude-failover/config.yaml; mode 0600. Nothing else is touched, and no credential file is read.
    """
    from failover.core.draft import propose
    from failover.takeover import draft_text
    from failover.takeover.survey import survey

    file = (named or cli.named or _default()).expanduser().absolute()
    if not dry_run and not force and os.path.lexists(file):
        raise draft_text.taken(file)
    seen = survey(roots)
    draft = propose(seen.found)
    when = time.strftime("%Y-%m-%d")
    command = seen.command if seen.command and not seen.on_path else "claude"
    content = draft_text.text(draft, seen.found.home, seen.socket, command, when)
    if dry_run:
        with tempfile.TemporaryDirectory() as folder:
            if error := draft_text.check(content, Path(folder)):
                raise error
    else:
        draft_text.put(file, content, force)
    if as_json:
        print_json({"file": str(file), "written": not dry_run, "survey": seen, "draft": draft, "config": content})
        return
    for line in _told(seen, draft):
        click.echo(printable(line))
    if dry_run:
        click.echo(f"\n{file} would be:\n\n{content}", nl=False)
        return
    click.echo(f"\n{file}: written. Read it, then go on with:\n")
    if named is not None:
        click.echo(f"    export FAILOVER_CONFIG={shlex.quote(str(file))}")
    for command in _NEXT:
        click.echo(f"    {command}")


def _default() -> Path:
    return Path(os.environ.get("HOME") or Path.home()) / ".config" / "claude-failover" / "config.yaml"


def _told(seen: Survey, draft: Draft) -> list[str]:
    from failover.takeover.draft_text import names

    live = [one for one in draft.accounts if not one.left_out]
    where = (
        "" if seen.on_path else ", not on PATH" if seen.command else "not on PATH; install it, or set claude.command"
    )
    lines = [f"claude: {seen.command}{where}"]
    lines += [f"account {one.name}: {one.config_dir}" + (f" ({one.remark})" if one.remark else "") for one in live]
    lines += [f"left out: {one.config_dir}: {one.left_out}" for one in draft.accounts if one.left_out]
    lines.append(f"shared tree: {draft.shared_dir}")
    lines += [
        f"sessions {one.name}: {one.project}" + (f", on {one.account}" if one.account else "") for one in draft.sessions
    ]
    lines += [f"project: {project}" for project in draft.projects]
    if not seen.walked:
        lines.append("projects: there were too many folders to see all; name the missing ones in the file")
    if seen.elsewhere:
        lines.append(f"left out, on another tmux server: {names(seen.elsewhere)}")
    if seen.loose:
        where = names([f"pid {one.pid} in {one.cwd}" for one in seen.loose])
        lines.append(f"left out, claude outside the first pane of a tmux session: {where}")
    if seen.foreign:
        where = names([f"pid {one.pid} in {one.cwd}" for one in seen.foreign])
        lines.append(f"left out, claude that was started with another home: {where}")
    return [*lines, *(f"note: {remark}" for remark in draft.remarks)]
