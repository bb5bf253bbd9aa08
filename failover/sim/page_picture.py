"""Pictures of the page for the docs: a made-up week in the store, and then a real swap of a simulated pool."""

from __future__ import annotations

import io
import json
import socket
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from failover.http.auth import token
from failover.sim.chromium import chromium
from failover.sim.demo import drop_task
from failover.sim.week import fill
from failover.sim.world import World
from failover.store.db import Store

_ACCOUNTS = ("main", "backup", "spare")
_SESSIONS = {f"ccl-{number}": ("app" if number < 4 else "web") for number in range(7)}
_TASKS = ("parse-config", "fix-flaky-test", "write-changelog", "port-to-3.13", "trim-images", "cache-headers")
#: The week ends before the pool begins, so that its accounts are fresh.
_WEEK_ENDED = 6 * 3600.0
_PICTURES: Mapping[str, dict[str, Any]] = {
    "page-light.png": {"viewport": {"width": 1360, "height": 1180}, "color_scheme": "light"},
    "page-dark.png": {"viewport": {"width": 1360, "height": 1180}, "color_scheme": "dark"},
    "page-phone.png": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
}
#: Some have arrived and some are on their way.
_MID_SWAP = """() => {
    const at = name => Number(document.querySelector(`#steps .${name} b`)?.textContent);
    return document.querySelector("#now[data-open]") && at("verified") >= 2
        && ["stopping", "dead", "relaunching", "relaunched", "answering"].some(at);
}"""


def take(folder: Path) -> list[Path]:
    """Save each picture in `folder`, each of a swap of its own, and return where they are."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        listen = f"127.0.0.1:{probe.getsockname()[1]}"
    found = []
    with (
        World(accounts=_ACCOUNTS, sessions=_SESSIONS, extra={"http": {"listen": listen}}) as world,
        chromium() as browser,
    ):
        _week(world)
        world.api.control(
            chunk_delay=0.01,
            accounts={
                "main": {"u5": 0.62, "cost5": 0.002},
                "backup": {"u5": 0.21, "cost5": 0.002},
                "spare": {"u5": 0.04},
            },
        )
        world.up()
        world.launch(account="main")
        secret = token(world.config.paths.token_file, "operate")
        for place, (name, options) in enumerate(_PICTURES.items()):
            page = browser.new_page(reduced_motion="reduce", **options)
            page.goto(f"http://{listen}/#token={secret}")
            page.locator("#plot path.use").first.wait_for()
            for task in _TASKS:
                project = "app" if len(task) % 2 else "web"
                drop_task(world, project, f"{task}-{place + 1}" if place else task, 4, 1.5)
            world.wait(lambda: _working(world) >= 4, "sessions at work", 60)
            _order(listen, secret, {"verb": "swap", "args": {"to": _ACCOUNTS[(place + 1) % 2]}, "by": "ann"})
            world.wait(lambda page=page: page.evaluate(_MID_SWAP), "the middle of a swap", 60)  # type: ignore[misc]
            found.append(_small(page.screenshot(), folder / name))
            world.wait(lambda: not world.query("SELECT 1 FROM swaps WHERE state = 'open'"), "the swap's end", 120)
            page.close()
    return found


def _order(listen: str, secret: str, wanted: dict[str, Any]) -> None:
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    asked = urllib.request.Request(f"http://{listen}/v1/orders", json.dumps(wanted).encode(), headers)
    urllib.request.urlopen(asked, timeout=10).close()


def _week(world: World) -> None:
    config = world.config
    config.paths.ensure()
    store = Store.open(config.paths.store, "quota-monitor", "week")
    try:
        fill(store, _ACCOUNTS, time.time() - _WEEK_ENDED)
        with store.transaction() as tx:  # the long windows are not over, and would speak against an account
            tx.execute("DELETE FROM readings WHERE window = 'seven_day'")
    finally:
        store.close()


def _working(world: World) -> int:
    return sum(world.state_of(name) == "working" for name in world.sessions)


def _small(picture: bytes, path: Path) -> Path:
    """Save a picture with 255 colours, which a page of few needs no more of; the rare ones are kept."""
    from PIL import Image

    few = (
        Image.open(io.BytesIO(picture))
        .convert("RGB")
        .quantize(255, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    )
    few.save(path, optimize=True)
    return path
