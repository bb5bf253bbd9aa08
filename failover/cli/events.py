"""`claude-failover events` (history, from the store) and `tap` (live, from the bus)."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import click
import msgspec

from failover.cli.shared import Cli, clock_time, json_option, manual, printable
from failover.events import Envelope, subject, topic
from failover.store import events

_LOOK = 0.25


@click.command(
    "events",
    epilog=manual(
        {
            "events --topic swap --limit 20": "what the last swaps did",
            "events --follow": "and everything from now on",
            "events --follow --json | jq .event": "for programs",
        },
        note="Read from the store: nothing is missed, with --follow not even while the bus is away. To see what the bus"
        " itself carries, with its gaps: tap. The topics and fields: docs/bus.md. Lines are never cut.",
    ),
)
@click.option("--topic", "prefix", default="", help="Only events whose topic begins so, for example swap.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 100_000), help="How many of the newest.")
@click.option("--follow", is_flag=True, help="Go on with what happens from now on.")
@json_option
@click.pass_obj
def events_command(cli: Cli, prefix: str, limit: int, follow: bool, as_json: bool) -> None:
    """Show what happened, oldest first. Works while the daemon is down. With --json: one object per line."""
    last = events.last_id(cli.store)
    for envelope in events.latest(cli.store, limit, prefix):
        _print(envelope, as_json)
        last = max(last, envelope.id)
    with suppress(KeyboardInterrupt):
        while follow:
            for envelope in events.after(cli.store, last, prefix=prefix):
                _print(envelope, as_json)
                last = envelope.id
            time.sleep(_LOOK)


@click.command(
    "tap",
    epilog=manual(
        {"tap": "does the bus ring?", "tap --topic session --json": "one object per line"},
        note="Heard from the bus as any listener hears it, from now on: what is missed is missed, and a gap is said."
        " The history, and following without gaps: events --follow.",
    ),
)
@click.option("--topic", "prefix", default="", help="Only events whose topic begins so, for example swap.")
@json_option
@click.pass_obj
def tap_command(cli: Cli, prefix: str, as_json: bool) -> None:
    """Show events live from the bus until Ctrl-C. What is missed shows as a gap; `events` has everything."""
    import zmq

    from failover.bus.subscriber import Subscriber

    # All of it, since only the whole shows gaps.
    subscriber = Subscriber(cli.config.paths.bus_out, ("",))
    poller = zmq.Poller()
    poller.register(subscriber.socket, zmq.POLLIN)
    try:
        while True:
            poller.poll(1000)
            for envelope in subscriber.receive():
                if subject(envelope.event).startswith(prefix):
                    _print(envelope, as_json)
            if subscriber.take_gap():
                click.echo(
                    "claude-failover: a gap, or the beginning; what came before: claude-failover events", err=True
                )
    except KeyboardInterrupt:
        pass
    finally:
        subscriber.close()


def _print(envelope: Envelope, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(envelope).decode())
        return
    fields: dict[str, Any] = msgspec.structs.asdict(envelope.event)
    words = " ".join(f"{name}={_word(value)}" for name, value in fields.items())
    click.echo(printable(f"{clock_time(envelope.at_ms)}  {envelope.source}  {topic(envelope.event)}  {words}"))


def _word(value: Any) -> str:
    text = ",".join(value) if isinstance(value, tuple) else str(value)
    return f'"{text}"' if " " in text or not text else text
