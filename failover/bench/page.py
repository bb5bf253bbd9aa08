"""How long after an event is committed the page shows it: in a real browser, through the real daemon.

The page's own clock is the host's, so the time of an event in the store and the time of its appearance can be
subtracted.
"""

from __future__ import annotations

import socket
from typing import Any

from failover.bench.effort import Effort
from failover.bench.result import Row, row
from failover.http.auth import token
from failover.sim.chromium import chromium
from failover.sim.world import World

_SESSIONS = 6
#: Notes when each event's line came, and when each session's move was first shown at each step.
_WATCH = """() => {
    window.lines = {}; window.steps = {};
    const look = () => {
        const now = Date.now();
        for (const line of document.querySelectorAll("#events li")) window.lines[line.dataset.event] ??= now;
        const swap = document.getElementById("now-title").textContent.match(/swap (\\d+)/)?.[1];
        for (const row of document.querySelectorAll("#rows tr")) {
            const step = row.querySelector(".step").textContent;
            window.steps[`${swap} ${row.querySelector("button").textContent} ${step}`] ??= now;
        }
    };
    const options = {subtree: true, childList: true, characterData: true};
    for (const id of ["events", "rows", "now-title"]) {
        new MutationObserver(look).observe(document.getElementById(id), options);
    }
}"""


def page(effort: Effort) -> list[Row]:
    """Measure how long after its commit an event, and the state that it tells of, is to be seen on the page."""
    return [
        row(f"event to page, {what}", value, "ms", None, 500.0, note=note)
        for what, (value, note) in measure(effort).items()
    ]


def measure(effort: Effort) -> dict[str, tuple[float, str]]:
    """Return the median and the worst time (milliseconds; of how many) of events' lines, and of the ends of moves."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        listen = f"127.0.0.1:{probe.getsockname()[1]}"
    sessions = effort.size(_SESSIONS, 4)
    names = {f"ccl-{number}": "app" for number in range(sessions)}
    with World(real=effort.real, accounts=("a", "b"), sessions=names, extra={"http": {"listen": listen}}) as world:
        world.up()
        world.launch(account="a")
        with chromium() as browser:
            page = browser.new_page()
            page.goto(f"http://{listen}/#token={token(world.config.paths.token_file, 'read')}")
            page.locator("#link", has_text="live").wait_for()
            page.locator("#rows tr").nth(sessions - 1).wait_for()
            page.evaluate(_WATCH)
            first = world.query("SELECT max(id) FROM events")[0][0]
            for trial in range(effort.trials):
                world.cli("swap", "--to", "ba"[trial % 2])
                page.locator("#now-title", has_text=f"swap {trial + 1}, ").wait_for()
            lines, steps = page.evaluate("[lines, steps]")
        return _figures(world, first, lines, steps)


def _figures(world: World, first: int, lines: dict[str, int], steps: dict[str, int]) -> dict[str, tuple[float, str]]:
    rows = world.query("SELECT id, at_ms, type, body FROM events WHERE id > ?", first)
    seen = [lines[str(row["id"])] - row["at_ms"] for row in rows if str(row["id"]) in lines]
    ends = [steps[key] - row["at_ms"] for row in rows if (key := _end(row)) in steps]
    return {**_spread("its line", seen), **_spread("the end of a move", ends)}


def _end(row: Any) -> str:
    """Return the key under which the page notes the end of a move, "" for other events."""
    import msgspec

    event = msgspec.json.decode(row["body"])
    if row["type"] != "swap.move-advanced" or event["state"] != "verified":
        return ""
    return f"{event['swap']} {event['session']} verified"


def _spread(what: str, values: list[float]) -> dict[str, tuple[float, str]]:
    ordered = sorted(values)
    if not ordered:
        raise RuntimeError(f"nothing was measured of {what}: the page showed none")
    return {f"{what}, p50": (ordered[len(ordered) // 2], ""), f"{what}, worst": (ordered[-1], f"of {len(ordered)}")}
