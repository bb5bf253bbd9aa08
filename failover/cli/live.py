"""The whole pool on one screen: accounts with their windows, sessions with what they do, the swap, the last events."""

from __future__ import annotations

import time

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from failover.cli.shared import printable
from failover.config import Config
from failover.events import (
    Envelope,
    MoveAdvanced,
    SessionStateChanged,
    SwapFinished,
    SwapRetargeted,
    SwapStarted,
    SwapWanted,
    TaskDispatched,
    TaskFinished,
)
from failover.http import views
from failover.store import events
from failover.store.db import Store

#: Of states of sessions and of moves.
STATE_STYLES = {
    "idle": "green", "working": "cyan", "limited": "bold red", "exited": "red", "waiting": "yellow",
    "starting": "yellow", "moving": "magenta", "verified": "green", "stopped": "dim", "failed": "red",
    "stayed": "yellow",
}  # fmt: skip
_SHOWN_EVENTS = 7


def screen(config: Config, store: Store, title: str = "claude-failover") -> RenderableType:
    """Return the view, made afresh from the store."""
    view = views.status(config, store)
    parts: list[RenderableType] = [_accounts(view), _sessions(view, working_on(store))]
    if view.tasks:
        order = ("queued", "delivering", "running", "done", "failed")
        counts = "   ".join(f"{view.tasks[state]} {state}" for state in order if state in view.tasks)
        parts.append(Text(f"tasks   {counts}"))
    parts.append(_events(store))
    return Panel(Group(*parts), title=title, subtitle=printable(view.sentence), border_style="blue", width=100)


def _accounts(view: views.StatusView) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_row(*(Text(head, style="bold") for head in ("account", "sessions", "five_hour", "", "seven_day", "")))
    for account in view.accounts:
        cells: list[RenderableType] = [account.name, str(account.sessions or "")]
        windows = {window.window: window for window in account.windows}
        for window in (windows.get("five_hour") or windows.get("spend"), windows.get("seven_day")):
            if window is None:
                cells += ["", ""]
                continue
            used = window.used or 0.0
            style = "red" if used >= window.threshold else "green"
            cells.append(ProgressBar(total=100, completed=used, width=20, complete_style=style, finished_style=style))
            known = f"{used:.0f} %" if window.used is not None else "unknown"
            cells.append(Text(known, style=style if window.used is not None else "dim"))
        table.add_row(*cells)
    return table


def working_on(store: Store) -> dict[str, str]:
    """Return the name of the task that each session is at."""
    rows = store.query("SELECT name, body FROM tasks WHERE state IN ('delivering', 'running')")
    found: dict[str, str] = {}
    for row in rows:
        import msgspec

        body = msgspec.json.decode(row["body"])
        if isinstance(body, dict) and body.get("session"):
            found[str(body["session"])] = row["name"]
    return found


def _sessions(view: views.StatusView, tasks: dict[str, str]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_row(*(Text(head, style="bold") for head in ("session", "account", "state", "task", "move", "")))
    moves = {move.session: move for move in view.swap.moves} if view.swap else {}
    for session in view.sessions:
        move = moves.get(session.name)
        bar: RenderableType = ""
        if move is not None:
            bar = ProgressBar(total=1.0, completed=move.progress, width=20)
        table.add_row(
            session.name,
            session.account,
            Text(session.state, style=STATE_STYLES.get(session.state, "")),
            printable(tasks.get(session.name, "")),
            bar,
            Text(move.state, style=STATE_STYLES.get(move.state, "")) if move else "",
        )
    return table


def _events(store: Store) -> Table:
    table = Table.grid(padding=(0, 1))
    shown = [e for e in events.latest(store, 200) if (sentence(e))][-_SHOWN_EVENTS:]
    for envelope in shown:
        at = time.strftime("%H:%M:%S", time.localtime(envelope.at_ms / 1000))
        table.add_row(Text(at, style="dim"), Text(printable(sentence(envelope)), overflow="ellipsis", no_wrap=True))
    return table


def sentence(envelope: Envelope) -> str:
    """Return what an event tells a person, empty for those that only ring."""
    match envelope.event:
        case SwapWanted(source=source, target=target, reason=reason):
            return f"swap wanted: {source} to {target}, because {reason}"
        case SwapStarted(source=source, target=target, sessions=sessions):
            return f"swap began: {len(sessions)} sessions from {source} to {target}"
        case MoveAdvanced(session=session, state=state, why=why) if state in (
            "stopping",
            "verified",
            "stayed",
            "failed",
            "leaving",
            "parked",
            "yielded",
        ):
            return f"{session} {state}: {why}"
        case SwapRetargeted(target=target, why=why):
            return f"the swap goes to {target} now: {why}"
        case SwapFinished(sentence=said, outcome=outcome):
            return f"swap {outcome}: {said}"
        case TaskDispatched(name=name, session=session):
            return f"{name} given to {session}"
        case TaskFinished(name=name, outcome=outcome, session=session):
            return f"{name} {outcome} ({session})"
        case SessionStateChanged(session=session, state="limited" | "exited" as state):
            return f"{session} is {state}"
    return ""
