"""The lines of the live view, for a width. Every colour stands beside a word or a mark that says the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import localtime, strftime

from rich.text import Text

from failover.cli.account_table import forecast_words
from failover.cli.bars import bar, countdown
from failover.cli.live import STATE_STYLES
from failover.cli.shared import cells, fit, printable, span
from failover.core.move import TERMINAL
from failover.http.account_views import AccountView, WindowView
from failover.http.views import MoveView, SessionView
from failover.top.snapshot import Line, Snapshot

_LABELS = {"five_hour": "5h", "seven_day": "7d", "spend": "$"}
#: The bar of a move, in cells.
_STEPS = 8


def head(snapshot: Snapshot, now: float, width: int) -> Text:
    """Return the first line: is the daemon there, is it paused, what is under way. now: epoch seconds."""
    status, up, all_of = snapshot.status, snapshot.up, len(snapshot.status.roles)
    parts: list[tuple[str, str]] = [(" claude-failover ", "bold reverse"), (" ", "")]
    if status.paused_by:
        parts.append((f"PAUSED by {printable(status.paused_by)}  ", "bold yellow"))
    if not up:
        parts.append(("DAEMON DOWN; start it: claude-failover up", "bold red"))
    elif up < all_of:
        gone = ", ".join(role.role for role in status.roles if not role.running)
        parts.append((f"{up} of {all_of} roles run; not {gone}", "bold yellow"))
    else:
        parts.append((f"{all_of} roles run", "green"))
    if status.open_orders:
        parts.append((f"  {status.open_orders} open orders", ""))
    return _with_end(Text.assemble(*parts), strftime("%H:%M:%S", localtime(now)), width)


def account_lines(found: Sequence[AccountView], now: float, width: int) -> list[Text]:
    """Return a line for each account: its sessions, as many windows as fit, and what is to come."""
    name = min(max([len(one.name) for one in found] + [7]), max(10, width // 8))
    least = 18  # of a window without its bar: label, percent, mark, reset
    count = 2 if width >= 78 else 1
    size = max(4, min(24, (width - name - 6 - 13) // count - least))
    titles = "".join(f"{'window':{size + 10}}{'resets':8}" for _ in range(count))
    lines = [Text(f" {'account':{name}} on  {titles}to come"[:width], style="bold")]
    for one in found:
        line = Text(f" {fit(one.name, name, name=True)} ")
        line.append(f"{one.sessions or '·':>2}  ", style="bold" if one.sessions else "dim")
        shown = _shown(one.windows, count)
        for window in shown:
            line.append_text(_window(window, size, now))
        line.append(" " * ((size + least) * (count - len(shown))))
        text, style = _to_come(one, now)
        room = width - cells(line.plain)
        line.append(fit(printable(text), max(0, room)).rstrip() if room > 3 else "", style=style)
        lines.append(line)
    return lines


def _shown(windows: Sequence[WindowView], count: int) -> Sequence[WindowView]:
    """Return the windows to show, in their order: the fullest, as seen from their thresholds."""
    if len(windows) <= count:
        return windows
    fullest = sorted(windows, key=lambda one: one.threshold - (one.used if one.used is not None else -1.0))[:count]
    return [one for one in windows if one in fullest]


def _window(window: WindowView, size: int, now: float) -> Text:
    label = _LABELS.get(window.window) or window.window.removeprefix("seven_day_")
    full = window.used is not None and window.used >= window.threshold
    style = "dim" if window.used is None else "red" if full else "green"
    used = "?" if window.used is None else f"{window.used:.0f} %"
    resets = countdown(window.resets_at - now) if window.resets_at is not None else "-"
    text = Text(fit(label, 2) + " ")
    text.append(bar(window.used, window.threshold, size), style=style)
    text.append(f"{used:>5}{'!' if full else ' '}", style="bold red" if full else "")
    text.append(f" {'↻' + resets:7} ")
    return text


def _to_come(one: AccountView, now: float) -> tuple[str, str]:
    if one.sessions:
        known = [w for w in one.windows if w.forecast is not None and w.forecast.crosses is not None]
        if known:
            first = min(known, key=lambda w: (w.forecast and w.forecast.crosses) or 0.0)
            label = _LABELS.get(first.window, first.window)
            # The bar's line says of what; the time must not be cut off.
            when = forecast_words(first.forecast, first.threshold, now).removeprefix(f"{first.threshold:g} % ")
            return f"{label} {when}", "yellow"
    if one.against:
        return "✗ " + one.against.removeprefix(one.name).strip(), "yellow"
    return ("✓ in use" if one.sessions else "✓ ready"), "green"


def session_lines(
    snapshot: Snapshot, shown: Sequence[SessionView], chosen: int, rows: int, now: float, width: int
) -> list[Text]:
    """Return the head and `rows` - 1 sessions around the chosen one (its place in `shown`)."""
    names = min(max([cells(one.name) for one in shown] + [7]), max(12, width // 5))
    account = min(max([cells(one.account) for one in shown] + [7]), max(8, width // 8))
    swap = snapshot.status.swap
    moves = {move.session: move for move in swap.moves} if swap else {}
    rest = max(0, width - (2 + names + 2 + 8 + 2 + 4 + 2 + account + 2 + 4 + 2))
    title = f"  {'session':{names}}  {'state':8}  {'for':>4}  {'account':{account}}  {'ctx':>4}  task, note or move"
    lines = [Text(title[:width], style="bold")]
    room = max(1, rows - 1)
    first = max(0, min(chosen - room // 2, len(shown) - room))
    for place, one in enumerate(shown[first : first + room], first):
        state = STATE_STYLES.get(one.state, "")
        used = snapshot.context.get(one.name)
        line = Text("› " if place == chosen else "  ", style="bold")
        line.append(fit(printable(one.name), names, name=True) + "  ")
        line.append(fit(one.state, 8), style=state)
        age = span(now - one.since_ms / 1000) if one.since_ms else "-"
        line.append(f"  {age:>4}  {fit(printable(one.account or '-'), account, name=True)}  ")
        line.append(f"{'-' if used is None else f'{used:.0f} %':>4}  ", style="yellow" if (used or 0) >= 80 else "")
        line.append_text(_doing(one, moves.get(one.name), snapshot.tasks, rest))
        if place == chosen:
            line.append(" " * max(0, width - cells(line.plain)))
            line.stylize("reverse")
        lines.append(line)
    if not shown:
        lines.append(Text("  no session is shown", style="dim"))
    return lines


def _doing(one: SessionView, move: MoveView | None, tasks: Mapping[str, str], room: int) -> Text:
    if move is not None:
        done = round(move.progress * _STEPS)
        text = Text("▰" * done + "▱" * (_STEPS - done) + " ", style=STATE_STYLES.get(move.state, "cyan"))
        return text.append(fit(printable(f"{move.state}: {move.why}"), max(0, room - _STEPS - 1)).rstrip(), style="")
    parts = [f"waits for {one.waiting_for}"] if one.waiting_for else []
    parts += [tasks[one.name]] if one.name in tasks else []
    parts += [one.note] if one.note else []
    parts += [f"pinned to {one.pinned}"] if one.pinned else []
    return Text(fit(printable("; ".join(parts)), room).rstrip())


def swap_line(snapshot: Snapshot, now: float, width: int) -> Text | None:
    """Return the swap that is under way in one line, None when none is."""
    swap = snapshot.status.swap
    if swap is None:
        return None
    over = sum(move.state in TERMINAL for move in swap.moves)
    stages: dict[str, int] = {}
    for move in swap.moves:
        stages[move.state] = stages.get(move.state, 0) + 1
    listed = ", ".join(f"{count} {state}" for state, count in stages.items())
    took = span(now - swap.started_ms / 1000)
    to = ", ".join(swap.targets) or "-"
    text = f" {swap.kind} {swap.id}: {swap.source} → {to}, {over} of {len(swap.moves)} done in {took} ({listed})"
    return Text(fit(printable(text), width), style="bold magenta")


def policy_line(snapshot: Snapshot, width: int) -> Text:
    """Return what the policy says in one line."""
    decision = snapshot.status.decision
    text = decision.reason if decision else "nothing was decided yet"
    return Text(fit(f" policy: {printable(text)}", width).rstrip(), style="italic")


def queue_line(snapshot: Snapshot, width: int, only: str = "") -> Text:
    """Return the tasks in one line. only: what the list of sessions is narrowed to."""
    counts = snapshot.status.tasks
    order = ("queued", "delivering", "running", "blocked", "failed", "done")
    listed = "  ".join(f"{counts[state]} {state}" for state in order if counts.get(state))
    text = f" tasks  {listed or 'none'}" + (f"   · {printable(only)}" if only else "")
    return Text(fit(text, width).rstrip(), style="bold")


def event_lines(lines: Sequence[Line], rows: int, width: int) -> list[Text]:
    """Return the last events, a line each, newest last."""
    shown = []
    for one in lines[len(lines) - min(rows, len(lines)) :]:
        text = Text(f" {strftime('%H:%M:%S', localtime(one.at_ms / 1000))} ", style="dim")
        shown.append(text.append(fit(printable(one.text), max(0, width - 10)).rstrip(), style=""))
    return shown


def _with_end(text: Text, end: str, width: int) -> Text:
    text.truncate(max(0, width - len(end) - 1), overflow="ellipsis")
    return text.append(" " * max(1, width - cells(text.plain) - len(end) - 1)).append(end, style="dim")
