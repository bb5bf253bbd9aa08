"""`claude-failover why`: the decision that stands, what it says of each account, and what would change it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from failover.cli.columns import hanging
from failover.cli.shared import (
    Cli,
    ago,
    clock_time,
    fit,
    json_option,
    manual,
    paint,
    print_json,
    printable,
    span,
    width,
)

if TYPE_CHECKING:
    from failover.http.why_view import Change, WhyView

_EPILOG = manual(
    {
        "why": "the last decision and what would change it",
        "why --json": "the same for programs",
        "swap --dry-run": "what an order of yours would do now",
    },
    note="Verdicts: left (its sessions leave it), kept (they stay), taken (sessions go to it), possible (it could have"
    " been taken), refused (something speaks against it). Works while the daemon is down.",
)


@click.command("why", epilog=_EPILOG)
@json_option
@click.pass_obj
def why_command(cli: Cli, as_json: bool) -> None:
    """Explain the last decision: what it says of each account, and what would change it."""
    from failover.http.why_view import why

    view = why(cli.config, cli.store)
    if as_json:
        print_json(view)
    else:
        click.echo(explained(view, time.time(), width()))


def explained(view: WhyView, now: float, columns: int) -> str:
    """Return the explanation as it is shown to people. now: epoch seconds."""
    lines: list[str] = []
    if view.decision is None:
        lines += ["nothing was decided yet"]
    else:
        what = {"stay": "stay", "swap": f"swap {view.decision.source} → {view.decision.target}"}[view.decision.kind]
        stood = ago(view.decision.since_ms)
        old = now - view.decision.at_ms / 1000
        checked = f"last weighed {span(old)} ago" if old > 30 or not view.deciding else "weighed just now"
        lines += [click.style(f"{what}, since {stood} ({checked})", bold=True)]
        lines += hanging(view.decision.reason, "  ", "  ", columns)
        size = max((len(one.account) for one in view.decision.verdicts), default=0)
        for one in view.decision.verdicts:
            first = f"  {fit(printable(one.account), min(size, 24), name=True)}  "
            first += paint(one.verdict) + " " * (10 - len(one.verdict))
            rest = " " * (min(size, 24) + 14)
            lines += hanging(one.why, first, rest, columns)
    if view.swap is not None:
        what = "under way" if view.swap.state == "open" else f"{view.swap.state} {clock_time(view.swap.finished_ms)}"
        lines += ["", click.style(f"{view.swap.kind} {view.swap.id}, {what}", bold=True)]
        lines += hanging(view.swap.sentence or view.swap.reason, "  ", "  ", columns)
    lines += ["", click.style("what would change it", bold=True)]
    for change in view.changes:
        lines += hanging(_words(change, now), "  · ", "    ", columns)
    lines += hanging("an order of yours; see first with: claude-failover swap --dry-run", "  · ", "    ", columns)
    return "\n".join(lines)


def _words(change: Change, now: float) -> str:
    text = change.sentence
    if change.earliest is not None:
        when = f" in {span(change.at - now)}" if change.at is not None else ""
        high = span(change.latest - now) if change.latest is not None else "its reset"
        text += f", expected{when} ({span(change.earliest - now)} to {high})"
    elif change.at is not None:
        text += f", in {span(change.at - now)}"
    return text + (f": claude-failover {change.command}" if change.command else "")
