"""`claude-failover service …`: the daemon as a service of systemd or launchd."""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from failover.cli.shared import Cli, json_option, print_json
from failover.errors import HostError
from failover.host import service
from failover.host.service import Service

_ANSWER_WITHIN = 60.0


@click.group("service")
def service_group() -> None:
    """Install the daemon as a service of the host: it starts with it, and is started again when it ends."""


@service_group.command("install")
@click.option("--system", is_flag=True, help="For the whole host, started at boot; see docs/service.md for sudo.")
@click.option("--dry-run", is_flag=True, help="Show the file and the commands, and do nothing.")
@click.option("--force", is_flag=True, help="Write over a file that is not ours.")
@json_option
@click.pass_obj
def install_command(cli: Cli, system: bool, dry_run: bool, force: bool, as_json: bool) -> None:
    """Write the unit and enable it. A daemon that runs already goes on; the last line says how to change over."""
    wanted = _wanted(cli, system)
    if dry_run:
        _show(wanted, as_json, [shlex.join(command) for command in wanted.enable])
        return
    changed = service.put(wanted, force)
    left = _run(wanted.enable)
    said = [f"{wanted.file}: {'written' if changed else 'is as it should be'}"]
    said += [f"left to you, since the manager did not answer: {shlex.join(command)}" for command in left]
    if not system and sys.platform != "darwin" and not service.lingers(service.operator()):
        said.append(f"so that it outlives your log-out: sudo loginctl enable-linger {service.operator()}")
    said.append(f"start it: claude-failover down; {wanted.start}")
    if as_json:
        print_json(
            {"file": str(wanted.file), "changed": changed, "left": [shlex.join(one) for one in left], "next": said}
        )
    else:
        click.echo("\n".join(said))


@service_group.command("uninstall")
@click.option("--system", is_flag=True, help="The one for the whole host.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@json_option
@click.pass_obj
def uninstall_command(cli: Cli, system: bool, dry_run: bool, as_json: bool) -> None:
    """End the service and remove its file. The sessions go on; claude-failover up starts the daemon without it."""
    wanted = _wanted(cli, system)
    commands = [shlex.join(command) for command in wanted.disable]
    there = wanted.file.exists()
    if there and not dry_run:
        left = _run(wanted.disable[:1])
        try:
            wanted.file.unlink(missing_ok=True)
        except OSError as error:
            raise HostError(f"{wanted.file}: cannot be removed: {error.strerror}; for --system use sudo") from None
        left += _run(wanted.disable[1:])
        commands = [shlex.join(command) for command in left]
    if as_json:
        print_json({"file": str(wanted.file), "removed": there and not dry_run, "left": commands if there else []})
        return
    if not there:
        click.echo(f"{wanted.file}: is not there")
        return
    click.echo(f"{wanted.file}: {'would be removed' if dry_run else 'removed'}")
    for command in commands:
        click.echo(f"{'would be run' if dry_run else 'left to you, since it failed'}: {command}")


@service_group.command("show")
@click.option("--system", is_flag=True, help="The one for the whole host.")
@json_option
@click.pass_obj
def show_command(cli: Cli, system: bool, as_json: bool) -> None:
    """Show the unit as it would be installed, and whether it is."""
    wanted = _wanted(cli, system)
    there = wanted.file.read_text(errors="replace") if wanted.file.exists() else None
    state = "not installed" if there is None else "installed" if there == wanted.text else "installed, but differs"
    _show(wanted, as_json, [], state)


def _show(wanted: Service, as_json: bool, commands: Sequence[str], state: str = "") -> None:
    if as_json:
        print_json({"file": str(wanted.file), "state": state, "text": wanted.text, "commands": commands})
        return
    click.echo(f"{wanted.file}" + (f": {state}" if state else ""))
    click.echo(f"\n{wanted.text}", nl=False)
    for command in commands:
        click.echo(f"would be run: {command}")


def _wanted(cli: Cli, system: bool) -> Service:
    user = os.environ.get("SUDO_USER") or service.operator() if system else service.operator()
    home = Path(os.environ.get("HOME") or Path.home())
    if system:
        # Under sudo the file is another user's, so that it cannot be looked into: as ever, only its owner may.
        file, home = cli.file, Path(pwd.getpwnam(user).pw_dir)
    else:
        file = cli.config.file  # a service that could not start is none
    return service.describe(
        "launchd" if sys.platform == "darwin" else "systemd",
        system=system,
        program=_program(),
        config=file,
        home=home,
        user=user,
        environ=os.environ,
    )


def _program() -> Path:
    beside = Path(sys.executable).with_name("claude-failover")
    found = str(beside) if beside.exists() else shutil.which("claude-failover")
    if found is None:
        raise HostError(f"claude-failover is neither beside {sys.executable} nor on PATH; install it with pip first")
    return Path(found)


def _run(commands: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Run commands and return those that failed."""
    failed = []
    for command in commands:
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_ANSWER_WITHIN)
        except (OSError, subprocess.TimeoutExpired):
            failed.append(command)
            continue
        if done.returncode:
            failed.append(command)
    return failed
