"""`claude-failover doctor`: look for what is wrong on this host, and say how to mend it."""

from __future__ import annotations

import os
from pathlib import Path

import click

from failover.cli.shared import Cli, json_option, print_json, printable
from failover.errors import FailoverError, UsageError

_SHOWN = {"ok": ("✓", "green"), "hint": ("·", "cyan"), "warning": ("!", "yellow"), "error": ("✗", "red")}


@click.command("doctor")
@click.option("--fix", is_flag=True, help="Do the safe mends: modes, links of ours, trust.")
@click.option("--only", multiple=True, metavar="CHECK", help="This check only; may be given several times.")
@click.option("--bundle", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write a report without secrets (.tar.gz) to attach to an issue.")  # fmt: skip
@json_option
@click.pass_obj
def doctor_command(cli: Cli, fix: bool, only: tuple[str, ...], bundle: Path | None, as_json: bool) -> None:
    """Look for what is wrong on this host, and say how to mend it.

    The binary is tried in a config dir of its own, without a login and without traffic beyond loopback. Ends with 1
    when there is an error, with 0 for warnings and hints.
    """
    from failover.clock import SystemClock
    from failover.doctor import table
    from failover.doctor.finding import LEVELS, Look, absent, ok, split

    for name in only:
        if name not in table.CHECKS:
            raise UsageError(f"there is no check {name!r}; checks: {', '.join(table.CHECKS)}")
    config = None
    try:
        config = cli.config
        first = ok("config", f"{config.file} is good")
    except UsageError as error:
        first = split("config", "error", str(error)) if cli.is_there else absent()
    home = Path(os.environ.get("HOME") or Path.home())
    look = Look(config=config, clock=SystemClock(), environ=os.environ, home=home)
    findings = [first, *table.examine(look, only)]
    mended: list[str] = []
    if fix:
        mended, findings = table.mend(look, findings)
    worst = max(findings, key=lambda one: LEVELS.index(one.level)).level
    names: list[str] = []
    if bundle is not None:
        from failover.doctor.bundle import write

        names = write(bundle.expanduser().absolute(), look, findings)
    if as_json:
        shown = [finding.shown() for finding in findings]
        print_json({"worst": worst, "findings": shown, "mended": mended, "bundle": str(bundle) if bundle else None})
    else:
        for finding in findings:
            mark, colour = _SHOWN[finding.level]
            click.echo(f"{click.style(mark, fg=colour)} {finding.check}: {printable(finding.sentence)}")
            if finding.mend and finding.level != "ok":
                click.echo(f"    {printable(finding.mend)}")
        for sentence in mended:
            click.echo(f"mended: {printable(sentence)}")
        if bundle is not None:
            click.echo(f"{bundle}: {', '.join(names)}; read it before you send it")
    if errors := sum(finding.level == "error" for finding in findings):
        raise FailoverError(f"{errors} error{'s' if errors > 1 else ''}; each has its mend above")
