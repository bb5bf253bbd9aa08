"""`claude-failover status`."""

from __future__ import annotations

import time

import click

from failover.cli.columns import hanging
from failover.cli.shared import Cli, ago, json_option, manual, paint, print_json, span, table, width
from failover.http import views
from failover.http.account_views import AccountView

_EPILOG = manual(
    {
        "status": "one screen",
        "status --json": "everything, for programs",
        "why": "the policy's line in full",
    },
    {
        "prio": "smallest is preferred",
        "5 hours": "used of the window (or of the cap), and the time until its reset",
        "as a target": "what speaks against moving sessions there",
        "for": "how long the session has been in that state",
        "talk": "the first characters of its conversation's id",
    },
    note="Session states: idle, working, waiting (for a person), limited, moving, starting, exited, stopped, unknown"
    " (left alone), new (never launched).",
)


@click.command("status", epilog=_EPILOG)
@json_option
@click.pass_obj
def status_command(cli: Cli, as_json: bool) -> None:
    """Show roles, accounts and sessions at a glance. Works while the daemon is down."""
    view = views.status(cli.config, cli.store)
    if as_json:
        print_json(view)
        return
    columns = width()

    def say(text: str, first: str = "", rest: str = "    ") -> None:
        click.echo("\n".join(hanging(text, first, rest, columns)))

    say(view.sentence)
    if not any(role.running for role in view.roles):
        say("the daemon is down, the sessions go on unwatched; start it with: claude-failover up", "  ")
    for role in view.roles:
        if not role.running and any(other.running for other in view.roles):
            say((f"it last said: {role.did}" if role.did else "it never ran"), f"  {role.role} is {paint('down')}; ")
    if view.swap:
        done = sum(move.progress >= 1 for move in view.swap.moves)
        swap, count = view.swap, len(view.swap.moves)
        to = ", ".join(swap.targets) or "-"
        click.echo(f"{swap.kind} {swap.id}: {swap.source} → {to}, {done} of {count} sessions done")
    if view.decision:
        say(f"{view.decision.reason} ({ago(view.decision.since_ms)})", "policy: ")
    if not view.sessions:
        say(f"no sessions are configured; add some to {cli.file}")
    click.echo()
    click.echo(accounts_table(view.accounts))
    if view.sessions:
        click.echo()
        click.echo(sessions_table(view.sessions))
    if view.tasks:
        counts = ", ".join(f"{count} {state}" for state, count in sorted(view.tasks.items()))
        click.echo(f"\ntasks: {counts}")


def accounts_table(accounts: tuple[AccountView, ...]) -> str:
    """Return the accounts as a table, a line each."""
    rows = [
        (account.name, account.priority, account.sessions, _window(account, "five_hour", "spend"),
         _window(account, "seven_day"), account.against or "could take sessions")
        for account in accounts
    ]  # fmt: skip
    return table(("account", "prio", "sessions", "5 hours", "7 days", "as a target"), rows)


def _window(account: AccountView, *names: str) -> str:
    """Return the first of these windows that an account has."""
    found = next((window for name in names for window in account.windows if window.window == name), None)
    if found is None:
        return "-"
    if found.used is None:
        return "unknown"
    rest = f", {span(found.resets_at - time.time())} left" if found.resets_at else ""
    return f"{found.used:.0f} %{' of cap' if found.window == 'spend' else ''}{rest}"


def _pin(session: views.SessionView) -> str:
    return f"pinned to {session.pinned}" if session.pinned else ""


def sessions_table(sessions: tuple[views.SessionView, ...]) -> str:
    """Return the sessions as a table."""
    rows = [
        (session.name, session.state, ago(session.since_ms), session.account or "-", session.conversation[:8] or "-",
         "; ".join(part for part in (_pin(session), session.waiting_for, session.note) if part) or session.project)
        for session in sessions
    ]  # fmt: skip
    return table(("session", "state", "for", "account", "talk", "note or project"), rows)
