"""`claude-failover notify …`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import click
import msgspec

from failover.cli.shared import Cli, ago, json_option, print_json, table
from failover.clock import SystemClock
from failover.errors import FailoverError, HostError, UsageError
from failover.notify.spec import SinkSpec


@click.group("notify")
def notify_group() -> None:
    """List the sinks for notices, and try them."""


class SinkView(msgspec.Struct, frozen=True, kw_only=True):
    """A sink. waiting: notices that it is still to be told; told_ms: when it last took one, 0 for never; next_try: in
    how many seconds it is tried again, None when it is not failing."""

    name: str
    kind: str
    state: str
    waiting: int
    told: int
    told_ms: int
    failures: int
    error: str
    next_try: float | None
    dropped: int


def views(cli: Cli) -> list[SinkView]:
    """Return each sink of the configuration with how far it came."""
    from failover.host.process import host_boot_id
    from failover.store import outbox

    rows, waiting, boot = outbox.sinks(cli.store), outbox.backlog(cli.store), host_boot_id()
    found = []
    for spec in cli.config.notify:
        row = rows.get(spec.name) or outbox.SinkRow(name=spec.name, came_to=0)
        left = row.due_mono - SystemClock().monotonic() if row.host_boot == boot else 0.0
        new = spec.name not in rows
        found.append(
            SinkView(
                name=spec.name,
                kind=spec.kind,
                state="new" if new else "failing" if row.failures else "waiting" if spec.name in waiting else "ok",
                waiting=waiting.get(spec.name, 0),
                told=row.told,
                told_ms=row.told_ms,
                failures=row.failures,
                error=row.error,
                next_try=round(max(0.0, left), 1) if row.failures else None,
                dropped=row.dropped,
            )
        )
    return found


@notify_group.command("list")
@json_option
@click.pass_obj
def list_command(cli: Cli, as_json: bool) -> None:
    """Show each sink: how far it came, what waits for it, what it said last and when it is tried again."""
    found = views(cli)
    if as_json:
        print_json(found)
    elif found:
        rows = [
            (one.name, one.kind, one.state, one.waiting, ago(one.told_ms),
             "-" if one.next_try is None else f"{one.next_try:.0f}s", one.error or "-")
            for one in found
        ]  # fmt: skip
        click.echo(table(("sink", "kind", "state", "waiting", "told ago", "next try", "last error"), rows))
    else:
        click.echo(f"no sinks; add one under notify: in {cli.file}")


@notify_group.command("test")
@click.argument("sink", required=False)
@json_option
@click.pass_obj
def test_command(cli: Cli, sink: str | None, as_json: bool) -> None:
    """Send a test notice to SINK, or to all, and say what they answered. The daemon need not run."""
    results = [_try(spec) for spec in _named(cli, sink)]
    if as_json:
        print_json(results)
    else:
        for one in results:
            click.echo(f"{one['sink']}: {one['said']}")
    if failed := [one["sink"] for one in results if not one["ok"]]:
        raise FailoverError(f"not reached: {', '.join(failed)}")


def _named(cli: Cli, sink: str | None) -> Sequence[SinkSpec]:
    specs = cli.config.notify
    if not specs:
        raise UsageError(f"there are no sinks; add one under notify: in {cli.file}")
    if sink is None:
        return specs
    if found := [spec for spec in specs if spec.name == sink]:
        return found
    raise UsageError(f"there is no sink {sink}; sinks: {', '.join(spec.name for spec in specs)}")


def _try(spec: SinkSpec) -> dict[str, Any]:
    from failover.notify import make
    from failover.notify.message import Message
    from failover.redact import redact

    now_ms = int(time.time() * 1000)
    message = Message(
        key=f"{spec.name}/test/{now_ms}", event=0, at_ms=now_ms, type="test", severity="info",
        text="A test notice of claude-failover: this sink works.",
    )  # fmt: skip
    try:
        return {"sink": spec.name, "kind": spec.kind, "ok": True, "said": redact(make(spec).send(message))}
    except HostError as error:
        return {"sink": spec.name, "kind": spec.kind, "ok": False, "said": redact(str(error))}
