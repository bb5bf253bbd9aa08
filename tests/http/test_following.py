"""An order is placed once for its key, and is followed to its end."""

from __future__ import annotations

import threading
import time
from typing import Any

from failover.store import flags, orders
from tests.http.plane import Plane
from tests.waiting import wait_for

SWAP: dict[str, Any] = {"verb": "swap", "args": {"to": "b"}, "by": "ann"}


def test_an_order_with_a_key_is_placed_once_also_over_a_restart(control: Plane) -> None:
    first = control.tcp("POST", "/v1/orders", SWAP, Idempotency_Key="k1")
    assert first[0] == 201
    assert control.tcp("POST", "/v1/orders", SWAP, Idempotency_Key="k1") == first
    control.stop()
    control.start()
    assert control.tcp("POST", "/v1/orders", SWAP, Idempotency_Key="k1") == first
    assert control.request("POST", "/v1/orders", {**SWAP, "args": {"to": "a"}}, Idempotency_Key="k1")[0] == 422
    assert len(orders.pending(control.store)) == 1
    assert control.tcp("POST", "/v1/orders", SWAP, Idempotency_Key="k2")[1]["order"] == first[1]["order"] + 1
    for wrong in ("", "a b", "x" * 256, "é"):
        assert control.tcp("POST", "/v1/orders", SWAP, Idempotency_Key=wrong)[0] == 400, wrong
    assert len(orders.pending(control.store)) == 2


def test_what_is_done_at_once_is_done_once_for_its_key(control: Plane) -> None:
    paused = control.request("POST", "/v1/orders", {"verb": "pause"}, Idempotency_Key="p")
    control.request("POST", "/v1/orders", {"verb": "resume"})
    assert control.request("POST", "/v1/orders", {"verb": "pause"}, Idempotency_Key="p") == paused
    assert flags.paused(control.store) is None, "the answer is given again, nothing is done"


def test_an_order_that_was_refused_may_be_tried_again_with_its_key(control: Plane) -> None:
    control.request("POST", "/v1/orders", {"verb": "pause"})
    assert control.request("POST", "/v1/orders", SWAP, Idempotency_Key="k")[0] == 409
    control.request("POST", "/v1/orders", {"verb": "resume"})
    assert control.request("POST", "/v1/orders", SWAP, Idempotency_Key="k")[0] == 201


def test_ten_at_once_with_one_key_place_one_order(control: Plane) -> None:
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(control.tcp("POST", "/v1/orders", SWAP, Idempotency_Key="k")))
        for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {(status, answer["order"]) for status, answer in found} == {(201, 1)}
    assert len(orders.pending(control.store)) == 1


def test_an_order_is_waited_for_until_its_end(control: Plane) -> None:
    number = control.tcp("POST", "/v1/orders", SWAP)[1]["order"]
    assert control.tcp("GET", f"/v1/orders/{number}?wait=0.2", scope="read")[1]["result"] is None
    found: list[Any] = []
    waiting = threading.Thread(target=lambda: found.append(control.tcp("GET", f"/v1/orders/{number}?wait=30")))
    waiting.start()
    time.sleep(0.3)  # whether it waits by then or not, the result must come
    assert not found
    with control.store.transaction() as tx:
        orders.finish(tx, number, 5, "done", "moved 1 of 1 sessions")
    wait_for(lambda: found, 10, "the answer")
    waiting.join()
    assert found[0][1]["result"]["sentence"] == "moved 1 of 1 sessions"


def test_a_wait_that_makes_no_sense_is_refused(control: Plane) -> None:
    for wait in ("-1", "61", "x", "nan", "inf"):
        assert control.tcp("GET", f"/v1/orders/1?wait={wait}")[0] == 400, wait
