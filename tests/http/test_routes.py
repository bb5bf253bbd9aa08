"""What the routes answer, page by page, and one thing at a time."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from failover.config import load
from failover.core.choice import Stay, Verdict
from failover.core.move import Move
from failover.core.task import State, Task
from failover.core.usage import Reading
from failover.events import UsageRead
from failover.store import choices, swaps, tasks, usage
from failover.store.db import Store
from tests.http.plane import Plane, plane

DAY = 86400.0


@pytest.fixture(scope="module")
def control() -> Iterator[Plane]:
    with plane() as found:
        fill(found.store, found.folder)
        yield found


def fill(store: Store, folder: Path) -> None:
    """Let the other roles have written something of everything."""
    now = store.now_ms()
    with store.transaction() as tx:
        for number in range(7):
            swap = swaps.begin(
                tx, kind="swap", source="a", target="b", urgency="soft", reason=f"reason {number}", order_id=0,
                request_id=0, started_ms=now, started_mono=100.0, deadline_mono=200.0, host_boot="x",
            )  # fmt: skip
            move = Move(
                id=0, swap=swap, session="s-0", conversation="c", cwd="/x", source="a", target="b", kind="swap",
                state="verified", at={"holding": 100.5, "stopping": 101.0, "answering": 101.75, "verified": 103.0},
            )  # fmt: skip
            number_of_move = swaps.add_move(tx, move)
            for was, now_in in (("queued", "holding"), ("holding", "verified")):
                made = Move(**{**as_dict(move), "id": number_of_move, "state": now_in, "why": f"since {was}"})
                swaps.journal(tx, made, was, now)
            swaps.finish(tx, swap, "done", "moved 1 of 1 sessions", now + 3000)
        for number in range(12):
            state: State = "done" if number % 2 else "queued"
            tasks.add(
                tx,
                Task(id=0, name=f"t{number}", project="/p" if number < 9 else "/q", state=state, priority=number % 3,
                     queued_ms=1, finished_ms=1000 + number if state == "done" else 0),
            )  # fmt: skip
        for number in range(5):
            tx.execute(
                "INSERT INTO checkpoints (session, conversation, at_ms, occasion, body)"
                " VALUES (?, 'c', ?, 'turn', '{}')",
                ("s-1" if number == 4 else "s-0", now),
            )
            tx.emit(UsageRead(account="a", window="five_hour", used=number, resets_at=None, source="test"))
        choices.keep(tx, None, Stay("all is well", "a", verdicts=(Verdict("a", "kept", "in use"),)), now)
        for minute in range(0, 1200, 10):
            at = now - minute * 60_000
            usage.note(tx, Reading(account="a", window="five_hour", used=50 - minute / 60, resets_at=now // 1000 + 3600,
                                   observed_ms=at, source="statusline"))  # fmt: skip


def as_dict(move: Move) -> dict[str, Any]:
    return {name: getattr(move, name) for name in move.__struct_fields__}


def got(control: Plane, path: str, **headers: str) -> tuple[int, Any, http.client.HTTPMessage]:
    connection = http.client.HTTPConnection("127.0.0.1", control.port, timeout=20)
    connection.request("GET", path, headers={"Authorization": f"Bearer {control.token('read')}", **headers})
    response = connection.getresponse()
    text = response.read()
    connection.close()
    return response.status, json.loads(text) if text else None, response.headers


def pages(control: Plane, path: str) -> list[list[Any]]:
    found = []
    while path:
        status, answer, headers = got(control, path)
        assert status == 200, answer
        found.append(answer)
        link = headers.get("Link", "")
        assert not link or link.endswith('>; rel="next"')
        path = link[1:].partition(">")[0]
        assert len(found) < 50
    return found


@pytest.mark.parametrize(
    ("path", "key"),
    [("/v1/swaps", "id"), ("/v1/tasks", "id"), ("/v1/checkpoints", "id"), ("/v1/events", "id"),
     ("/v1/events?after=0", "id"), ("/v1/tasks?project=/p", "id"), ("/v1/checkpoints?session=s-0", "id")],
)  # fmt: skip
def test_a_list_in_pages_is_the_list(control: Plane, path: str, key: str) -> None:
    mark = "&" if "?" in path else "?"
    whole = [one[key] for one in got(control, f"{path}{mark}limit=1000")[1]]
    assert len(whole) > 3 and len(set(whole)) == len(whole)
    parts = pages(control, f"{path}{mark}limit=2")
    assert max(map(len, parts)) == 2
    if path == "/v1/events":
        parts.reverse()  # it leads back in time
    assert [one[key] for part in parts for one in part] == whole


def test_tasks_stay_in_their_order_while_pages_are_read(control: Plane) -> None:
    listed = [(one["state"], one["priority"]) for one in got(control, "/v1/tasks")[1]]
    assert listed == sorted(listed, key=lambda one: (one[0] == "done", -one[1] if one[0] == "queued" else 0))
    for wrong in ("x", "1.2", "1.2.x", "1.2.99999999999999999999", "1.2.3.4"):
        assert got(control, f"/v1/tasks?after={wrong}")[0] == 400


def test_a_swap_is_told_in_full(control: Plane) -> None:
    status, found, _ = got(control, "/v1/swaps/3")
    assert (status, found["swap"]["reason"], found["seconds"]) == (200, "reason 2", 3.0)
    (move,) = found["moves"]
    assert (move["source"], move["move"]["target"], move["away"]) == ("a", "b", 0.75)
    assert move["entered"] == {"holding": 0.5, "stopping": 1.0, "answering": 1.75, "verified": 3.0}
    assert [(one["was"], one["state"], one["why"]) for one in move["journal"]] == [
        ("queued", "holding", "since queued"),
        ("holding", "verified", "since holding"),
    ]


@pytest.mark.parametrize(
    ("path", "name"),
    [("/v1/accounts/b", "b"), ("/v1/sessions/s-1", "s-1"), ("/v1/tasks/2", "t1")],
)
def test_one_thing_is_had_by_its_name(control: Plane, path: str, name: str) -> None:
    assert got(control, path)[1]["name"] == name
    parent, _, _ = path.rpartition("/")
    for other in ("99", "x%2fy", "..", "%00", "é".encode().hex()):
        status, answer, _ = got(control, f"{parent}/{other}")
        assert (status, answer["title"]) == (404, "Not Found")


def test_the_decision_says_why(control: Plane) -> None:
    found = got(control, "/v1/decision")[1]
    assert (found["kind"], found["reason"], found["verdicts"][0]["why"]) == ("stay", "all is well", "in use")


def test_usage_is_thinned_to_equal_steps(control: Plane) -> None:
    status, found, _ = got(control, f"/v1/usage?account=a&window=five_hour&since={control.store.now_ms() / 1000 - DAY}")
    assert status == 200
    (window,) = found["windows"]
    assert len(window["used"]) == 300 == round((found["until"] - found["since"]) / found["step"])
    known = [one for one in window["used"] if one is not None]
    assert known == sorted(known) and known[-1] == 50 and window["used"][0] is None
    assert len(got(control, "/v1/usage?step=43200")[1]["windows"][0]["used"]) == 2
    for wrong in ("account=c", "step=1", "step=0", "step=-1", "step=nan", "since=nan", "since=-1e300", "since=9e15"):
        assert got(control, f"/v1/usage?{wrong}")[0] == 400, wrong


def test_who_has_the_status_already_is_told_so_until_something_changes(control: Plane) -> None:
    for path in ("/v1/status", "/v1/accounts", "/v1/sessions"):
        status, whole, headers = got(control, path)
        assert status == 200 and whole
        assert got(control, path, **{"If-None-Match": f'"x", W/{headers["ETag"]}'})[:2] == (304, None)
    tag = got(control, "/v1/status")[2]["ETag"]
    assert control.request("POST", "/v1/orders", {"verb": "pause"})[0] == 201
    status, whole, _ = got(control, "/v1/status", **{"If-None-Match": tag})
    assert (status, whole["paused_by"]) == (200, "HTTP"), "an answer is never older than an order before it"
    control.request("POST", "/v1/orders", {"verb": "resume"})


def test_a_task_is_added_as_a_whole_file_and_none_is_overwritten(control: Plane) -> None:
    project = load(control.file).projects[0]
    inbox = project / ".agent-queue" / "inbox"
    body = {"text": "Do it.", "name": "one", "priority": 3, "session": "s-0"}
    status, answer = control.tcp("POST", "/v1/tasks", body)
    assert (status, answer["name"], answer["project"]) == (201, "one", str(project))
    assert (inbox / "one.md").read_text() == '---\npriority: 3\nsession: "s-0"\n---\nDo it.\n'
    status, answer = control.tcp("POST", "/v1/tasks", {**body, "text": "Something else."})
    assert status == 409 and "exists already" in answer["detail"]
    assert "Do it." in (inbox / "one.md").read_text()
    assert control.tcp("POST", "/v1/tasks", {"text": "No name."}, scope="read")[0] == 403
    assert control.tcp("POST", "/v1/tasks", {"text": "No name.", "project": str(project)})[0] == 201
    assert len(list(inbox.iterdir())) == 2


@pytest.mark.parametrize(
    "body",
    [{}, {"text": ""}, {"text": " \n"}, {"text": "x\0y"}, {"text": "x", "name": "../x"}, {"text": "x", "name": "a/b"},
     {"text": "x", "name": "x" * 300}, {"text": "x", "project": "/etc"}, {"text": "x", "project": "~nobody-here/x"},
     {"text": "x", "project": "\0"}, {"text": "x", "priority": 10**9}, {"text": "x", "session": 'a"\nb: c'},
     {"text": "x", "titel": "y"}, {"text": 5}, {"text": "x", "name": ".hidden"}],
)  # fmt: skip
def test_a_task_that_makes_no_sense_is_refused(control: Plane, body: dict[str, Any]) -> None:
    before = sorted(control.folder.rglob("*.md"))
    status, answer = control.tcp("POST", "/v1/tasks", body)
    assert (status, answer["status"]) == (400, 400)
    assert sorted(control.folder.rglob("*.md")) == before


def test_the_description_names_every_route_and_its_errors(control: Plane) -> None:
    schema = got(control, "/schema/openapi.json")[1]
    paths = {path: set(methods) for path, methods in schema["paths"].items()}
    assert {"/v1/status", "/v1/events/stream", "/v1/swaps/{number}", "/v1/usage", "/v1/decision"} <= set(paths)
    assert paths["/v1/orders"] == {"post"} and paths["/v1/tasks"] == {"get", "post"}
    for path, methods in schema["paths"].items():
        for method, about in methods.items():
            assert about["summary"] and about["description"], path
            for status, answer in about["responses"].items():
                if status >= "400" and path != "/readyz":
                    assert list(answer["content"]) == ["application/problem+json"], (path, method, status)
