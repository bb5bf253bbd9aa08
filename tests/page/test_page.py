"""What the page shows and does, on a control plane alone with a made-up pool."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser

from failover.core.session import SessionState
from failover.events import SessionLaunched, SessionStateChanged
from failover.http.auth import Scope, token
from failover.store import flags, sessions
from tests.http.plane import Plane
from tests.page.browser import Reader, read
from tests.page.pool import HOSTILE
from tests.waiting import wait_for

WEB = Path(__file__).parents[2] / "failover" / "http" / "web"
LOOKS = (Path(__file__).parent / "looks.js").read_text()
PHONE = {"viewport": {"width": 320, "height": 640}, "has_touch": True}

Open = Callable[..., Reader]


def address(control: Plane, scope: Scope = "operate") -> str:
    return f"http://127.0.0.1:{control.port}/#token={token(control.paths.token_file, scope)}"


@pytest.fixture
def seen(reader: Open, shown: Plane) -> Reader:
    found = reader(address(shown))
    found.see("#rows tr")
    found.see("#accounts .window")
    found.see("#pause:enabled")
    return found


def headers(control: Plane, path: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", control.port, timeout=20)
    connection.request("GET", path)
    answer = connection.getresponse()
    found = (answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    connection.close()
    return found


def test_all_of_the_page_is_at_most_100_kilobytes() -> None:
    assert sum(file.stat().st_size for file in WEB.iterdir()) <= 100_000


def test_each_part_is_served_without_a_token_and_lets_nothing_in_from_elsewhere(shown: Plane) -> None:
    for file in WEB.iterdir():
        path = "/" if file.name == "index.html" else f"/assets/{file.name}"
        status, told, body = headers(shown, path)
        assert (status, body) == (200, file.read_bytes()), path
        policy = dict(part.strip().split(" ", 1) for part in told["content-security-policy"].split(";"))
        assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert told["x-content-type-options"] == "nosniff"
    for path in ("/assets/index.html", "/assets/..%2fauth.py", "/assets/none.js", "/assets/"):
        assert headers(shown, path)[0] in (400, 404), path


def test_the_token_leaves_the_address_and_nothing_is_asked_of_another_host(seen: Reader, shown: Plane) -> None:
    assert seen.page.url == f"http://127.0.0.1:{shown.port}/"
    assert {url.split("/")[2] for url in seen.asked if not url.startswith("data:")} == {f"127.0.0.1:{shown.port}"}
    seen.page.reload()
    seen.see("#rows tr")  # the tab keeps it


def test_without_a_token_the_page_asks_for_it_and_says_where_it_is(reader: Open, shown: Plane) -> None:
    found = reader(f"http://127.0.0.1:{shown.port}/")
    found.see("#gate", "state_dir")
    found.page.keyboard.type("wrong" * 10)
    found.page.keyboard.press("Enter")
    found.see("#denied", "not the one")
    found.page.keyboard.type(token(shown.paths.token_file, "read"))
    found.page.keyboard.press("Enter")
    found.see("#rows tr")


def test_everything_is_there_at_a_glance(seen: Reader) -> None:
    page = seen.page
    assert page.locator("#rows tr").count() == 6
    assert page.locator("#accounts .window .mark").count() == 4, "both windows of both accounts, with their thresholds"
    seen.see("#now-title", "a → backup-of-b, 1 of 6 sessions there")
    assert [count.inner_text() for count in page.locator("#steps b").all()] == [
        "1", "1", "0", "0", "1", "0", "1", "0", "1", "1", "0",
    ]  # fmt: skip
    seen.see("#rows tr:nth-child(2) .step", "answering")
    seen.see("#rows tr:nth-child(2) .c-context", "19 k")
    seen.see("#roles-sum", "9 of 9 run")
    seen.see("#counts", "failed")
    seen.see("#events", "swap")
    seen.see("#plot path.use")
    seen.see("#swaps li")
    page.locator("#swaps summary").first.click()
    seen.see("#swaps tbody tr")
    assert page.locator("#swaps tbody tr").nth(1).locator("td").nth(4).inner_text() == "1.1 s", "how long it was away"


def test_names_are_data(seen: Reader) -> None:
    page = seen.page
    assert page.locator("img, iframe, object, embed").count() == 0
    assert page.title() != "taken"
    shown = [element.inner_text() for element in page.locator("#tasks .name").all()]
    for name in HOSTILE:
        clean = "".join(one if one.isprintable() else "·" for one in name)
        assert clean in shown, name
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_hostile_names_are_harmless_in_a_dialog_too(seen: Reader) -> None:
    row = seen.page.locator("#tasks li").filter(has_text="<img")
    row.get_by_role("button").click()
    seen.see("dialog", "<img src=x onerror=")
    seen.page.keyboard.press("Escape")
    assert seen.page.locator("img").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1440, 900), (320, 640)])
def test_it_can_be_read_by_everyone(reader: Open, shown: Plane, scheme: str, size: tuple[int, int]) -> None:
    options: dict[str, Any] = {"viewport": {"width": size[0], "height": size[1]}, "color_scheme": scheme}
    found = reader(address(shown), reduced_motion="reduce", **options)
    found.see("#rows tr")
    found.see("#plot path.use")
    assert found.page.evaluate(LOOKS) == []
    found.page.get_by_role("button", name="Swap…", exact=True).click()
    found.see("dialog #swap-to")
    assert found.page.evaluate(LOOKS) == []


def test_a_phone_scrolls_only_down_and_its_buttons_can_be_met(reader: Open, shown: Plane) -> None:
    found = reader(address(shown), **PHONE)
    found.see("#rows tr")
    found.see("#plot path.use")
    assert found.page.evaluate("document.documentElement.scrollWidth") == 320
    for button in found.page.locator("header button").all():
        box = button.bounding_box()
        assert box is not None and box["height"] >= 32 and box["x"] + box["width"] <= 320


def test_the_reader_may_choose_between_light_and_dark_and_it_is_kept(reader: Open, shown: Plane) -> None:
    found = reader(address(shown), color_scheme="light")

    def ground() -> str:
        return str(found.page.evaluate("getComputedStyle(document.body).backgroundColor"))

    light = ground()
    found.page.get_by_role("button", name="Dark").click()
    dark = ground()
    assert dark != light
    found.page.reload()
    assert ground() == dark


def test_an_order_can_be_given_by_keyboard_alone(seen: Reader, shown: Plane) -> None:
    page = seen.page
    keys = page.keyboard
    for _ in range(3):
        keys.press("Tab")  # past the way to the sessions, and the button for a swap
    assert page.evaluate("document.activeElement.id") == "pause"
    keys.press("Enter")
    seen.see("dialog[open]", "Nothing is started or moved")
    keys.press("Escape")
    page.locator("dialog").wait_for(state="hidden")
    assert page.evaluate("document.activeElement.id") == "pause", "the focus is where it was"
    assert flags.paused(shown.store) is None
    keys.press("Enter")
    seen.see("dialog[open]")
    keys.press("Enter")
    seen.see("#notes li[data-look=done]", "paused")
    assert flags.paused(shown.store) is not None
    seen.see("#whole", "paused by the page")
    keys.press("Enter")
    seen.see("dialog[open]", "It was paused by the page")
    keys.press("Enter")
    seen.see("#notes li[data-look=done]", "resumed")
    assert flags.paused(shown.store) is None


def test_a_refusal_is_shown_in_its_own_words(seen: Reader, shown: Plane) -> None:
    with shown.store.transaction() as tx:
        flags.pause(tx, shown.store.now_ms(), "ann")
    try:
        seen.page.locator("#rows button").first.click()
        seen.page.get_by_role("button", name="Restart…").click()
        seen.page.get_by_role("button", name="Restart", exact=True).click()
        seen.see("#notes li[data-look=refused]", "paused by ann, so nothing is started or moved")
    finally:
        with shown.store.transaction() as tx:
            flags.resume(tx, "ann")


def test_a_token_that_may_only_read_gives_no_orders_and_the_page_says_why(reader: Open, shown: Plane) -> None:
    found = reader(address(shown, "read"))
    found.see("#rows tr")
    found.see("#tasks li")
    found.see("#why", "This token may only read")
    assert all(button.is_disabled() for button in found.page.locator("[data-order]").all())
    found.page.locator("#rows button").first.click()
    found.see("dialog[open]")
    assert found.page.get_by_role("button", name="Restart…").is_disabled()


def test_what_does_not_change_is_not_drawn_again(seen: Reader, shown: Plane) -> None:
    seen.page.evaluate(
        "() => { window.changes = 0; new MutationObserver(all => { window.changes += all.length })"
        ".observe(document.getElementById('accounts'), {childList: true, subtree: true}); }"
    )
    before = seen.page.locator("#events li").count()
    _launched(shown, "s-3")
    seen.see("#events li", "s-3 started on")
    assert seen.page.locator("#events li").count() == before + 1
    assert seen.page.evaluate("changes") <= 8, "but for the countdowns"


def test_the_page_outlives_its_control_plane_and_misses_nothing(seen: Reader, shown: Plane) -> None:
    seen.see("#link", "live")
    shown.stop()
    seen.see("#link", "no connection since")
    _launched(shown, "s-5")
    shown.start()
    seen.see("#link", "live")
    seen.see("#events li", "s-5 started on")


def _launched(control: Plane, session: str) -> None:
    with control.store.transaction() as tx:
        tx.emit(SessionLaunched(session=session, account="a", conversation="c", pid=1))


@pytest.fixture(scope="module")
def crowd(shown: Plane) -> Iterator[Plane]:
    """Return the control plane with a hundred sessions."""
    shown.stop()
    text = shown.file.read_text()
    shown.file.write_text(text.replace("s-{0..5}", "s-{0..99}"))
    shown.start()
    yield shown


def test_a_hundred_sessions_keep_their_rows_and_only_what_changed_is_touched(browser: Browser, crowd: Plane) -> None:
    found = read(browser, address(crowd))
    try:
        wait_for(lambda: found.page.locator("#rows tr").count() == 100, 30, "a hundred sessions")
        found.page.evaluate(
            "() => { window.kept = [...document.querySelectorAll('#rows tr')]; window.made = 0; new MutationObserver("
            "all => { window.made += all.filter(one => one.target.id === 'rows').length })"
            ".observe(document.getElementById('rows'), {childList: true, subtree: true}); }"
        )
        _seen(crowd, "s-1", "exited")
        found.see("#rows tr:nth-child(2) .state", "exited")
        assert found.page.evaluate("kept.every(row => row.isConnected)")
        assert found.page.evaluate("made") == 0
        assert found.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    finally:
        found.close()


def _seen(control: Plane, session: str, state: SessionState) -> None:
    seen = sessions.sightings(control.store)[session]
    with control.store.transaction() as tx:
        sessions.sight(tx, msgspec.structs.replace(seen, state=state))
        tx.emit(SessionStateChanged(session=session, state=state, was=seen.state))
