"""A whole host with its daemon: a person watches a swap on the page, orders one, and the control plane is killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator

import pytest

from failover.http.auth import token
from failover.sim.world import World
from tests.page.browser import Reader
from tests.page.conftest import free_port

Open = Callable[..., Reader]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    names = {f"ccl-{number}": "app" for number in range(3)}
    listen = {"listen": f"127.0.0.1:{free_port()}"}
    with World(accounts=("main", "backup"), sessions=names, extra={"http": listen}) as made:
        made.up()
        made.launch(account="main")
        yield made


@pytest.fixture
def page(world: World, reader: Open) -> Reader:
    config = world.config
    found = reader(f"http://{config.http.listen}/#token={token(config.paths.token_file, 'operate')}")
    found.see("#rows tr:nth-child(3)")
    found.see("#link", "live")
    return found


def accounts_shown(page: Reader) -> list[str]:
    return [cell.inner_text() for cell in page.page.locator("#rows .account-name").all()]


def test_a_person_sees_what_would_move_orders_it_and_watches_it_to_the_end(world: World, page: Reader) -> None:
    assert accounts_shown(page) == ["main"] * 3
    page.page.evaluate(
        "() => { window.steps = new Set(); const look = () => document.querySelectorAll('#rows .step')"
        ".forEach(one => one.textContent && window.steps.add(one.textContent)); new MutationObserver(look)"
        ".observe(document.getElementById('rows'), {subtree: true, childList: true, characterData: true}); }"
    )
    page.page.get_by_role("button", name="Swap…", exact=True).click()
    page.page.get_by_label("To", exact=True).select_option("backup")
    page.page.get_by_role("button", name="Show what would move").click()
    page.see("dialog .plan", "3 sessions would move; about 6 k tokens of context would be cached anew")
    assert world.query("SELECT 1 FROM swaps") == [], "nothing was done yet"
    page.page.get_by_role("button", name="Move 3 sessions").click()
    page.see("#notes li[data-look=done]", "moved 3 of 3 sessions")
    page.see("#now-title", "main → backup, done")
    page.see("#swaps li", "moved 3 of 3 sessions")
    assert accounts_shown(page) == ["backup"] * 3
    assert {world.placement(name).account for name in world.sessions} == {"backup"}
    steps = set(page.page.evaluate("[...steps]"))
    assert len(steps) >= 2 and steps <= {
        "queued", "holding", "at boundary", "checkpointed", "stopping", "proven dead", "relaunching", "relaunched",
        "answering", "verified",
    }  # fmt: skip
    page.see("#said", "done")


def test_a_pause_is_ordered_and_a_swap_is_then_refused_with_the_reason(world: World, page: Reader) -> None:
    before = accounts_shown(page)
    other = "main" if before[0] == "backup" else "backup"
    page.page.get_by_role("button", name="Pause…").click()
    page.page.get_by_role("button", name="Pause", exact=True).click()
    page.see("#whole", "paused by the page")
    page.page.locator("#rows button").first.click()
    page.page.get_by_role("button", name="Move…").click()
    page.page.get_by_label("To", exact=True).select_option(other)
    page.page.get_by_role("button", name="Show what would move").click()
    page.page.get_by_role("button", name="Move 1 session").click()
    page.see("#notes li[data-look=refused]", "paused by the page")
    page.page.get_by_role("button", name="Resume…").click()
    page.page.get_by_role("button", name="Resume", exact=True).click()
    page.see("#notes li[data-look=done]", "resumed")
    assert accounts_shown(page) == before


def test_the_page_outlives_a_killed_control_plane(world: World, page: Reader) -> None:
    (row,) = world.query("SELECT pid FROM roles WHERE role = 'control-plane'")
    os.kill(row["pid"], signal.SIGKILL)
    page.see("#link", "no connection since")
    page.see("#link", "live")
    page.see("#events li", "control-plane started")
    world.cli("pause")
    page.see("#whole", "paused by")
    world.cli("resume")
    page.page.locator("#whole").filter(has_not_text="paused").wait_for()
