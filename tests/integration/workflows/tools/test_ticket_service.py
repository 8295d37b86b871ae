"""The example's ticket service keeps what it promises to those who act on it."""

from __future__ import annotations

import http.client
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ticket_service import asked, tickets_running

TICKET = {"title": "Export cuts off", "priority": "high", "customer_id": "C-7", "tags": ["export"]}


@pytest.fixture(scope="module")
def service(tmp_path_factory) -> str:
    with tickets_running(tmp_path_factory.mktemp("tickets")) as address:
        yield address


def created(service: str, body=TICKET, key: str | None = None) -> tuple[int, dict]:
    return asked(service, "/tickets", body, headers={"Idempotency-Key": key} if key else None)


def test_a_ticket_is_made_and_found_again(service):
    status, ticket = created(service)
    assert status == 201
    assert ticket["id"].startswith("T-")
    assert ticket | TICKET == ticket
    assert (ticket["description"], ticket["status"]) == ("", "open")
    assert asked(service, f"/tickets/{ticket['id']}") == (200, ticket)


def test_the_list_has_the_newest_first_and_can_be_one_customers(service):
    first = created(service, TICKET | {"customer_id": "C-list"})[1]
    second = created(service, TICKET | {"customer_id": "C-list"})[1]
    created(service, TICKET | {"customer_id": "C-other"})
    assert asked(service, "/tickets?customer_id=C-list") == (200, {"tickets": [second, first]})
    assert asked(service, "/tickets?customer_id=C-list&limit=1")[1]["tickets"] == [second]
    assert len(asked(service, "/tickets")[1]["tickets"]) >= 3


def test_the_same_key_makes_one_ticket_however_often_and_at_once_it_is_sent(service):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: created(service, key="k-together"), range(24)))
    assert sorted(status for status, _ in answers) == [200] * 23 + [201]
    assert len({ticket["id"] for _, ticket in answers}) == 1


def test_the_same_key_with_another_body_is_refused(service):
    created(service, key="k-other")
    status, answer = created(service, TICKET | {"title": "Another"}, key="k-other")
    assert (status, answer["error"]["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"{", 400, None),
        (b"\xff", 400, None),
        (b"", 400, None),
        (b"[" * 60_000, 400, None),
        ([], 422, None),
        ({}, 422, "title"),
        ({"title": "  "}, 422, "title"),
        ({"title": "x" * 201}, 422, "title"),
        ({"title": "\ud800"}, 422, "title"),
        ({"title": "a", "priority": "huge"}, 422, "priority"),
        ({"title": "a", "tags": ["a"] * 21}, 422, "tags"),
        ({"title": "a", "tags": [1]}, 422, "tags"),
        ({"title": "a", "customer_id": 3}, 422, "customer_id"),
        ({"title": "a", "customer_id": "\udfff"}, 422, "customer_id"),
        ({"title": "a", "owner": "me"}, 422, "owner"),
    ],
)
def test_what_is_wrong_is_refused_by_its_field(service, body, status, field):
    before = asked(service, "/tickets")[1]["tickets"][:1]
    answered, answer = asked(service, "/tickets", body)
    assert answered == status
    assert answer["error"].get("field") == field
    assert answer["error"]["message"]
    assert asked(service, "/tickets")[1]["tickets"][:1] == before


@pytest.mark.parametrize(
    "path",
    ["/", "/ticket", "/tickets/", "/tickets/T-999999", "/tickets/1", "/tickets/T-%D9%A1",
     "/tickets/T-1/x", "/tickets/T-" + "9" * 5000],
)  # fmt: skip
def test_what_is_not_there_is_404(service, path):
    assert asked(service, path)[0] == 404
    assert asked(service, path, TICKET)[0] == 404


def test_a_limit_that_is_none_is_refused(service):
    for limit in ("0", "201", "x", "9" * 5000):
        assert asked(service, f"/tickets?limit={limit}")[0] == 400


def test_bodies_without_length_or_too_large_are_not_read(service):
    host = service.removeprefix("http://")
    for headers, status in (({"Content-Length": "x"}, 411), ({"Content-Length": "9" * 12}, 413)):
        connection = http.client.HTTPConnection(host, timeout=5)
        connection.request("POST", "/tickets", headers=headers)
        assert connection.getresponse().status == status
        connection.close()


def test_a_client_that_leaves_in_the_middle_leaves_nothing_behind(service):
    host, _, port = service.removeprefix("http://").partition(":")
    before = asked(service, "/tickets")[1]
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b'POST /tickets HTTP/1.1\r\nContent-Length: 99\r\n\r\n{"title":"a"}')
    time.sleep(0.1)
    assert asked(service, "/tickets")[1] == before


def test_a_token_is_asked_of_all_but_the_health_check(tmp_path: Path):
    with tickets_running(tmp_path, "--token", "s3cret") as service:
        assert asked(service, "/healthz") == (200, {"status": "ok"})
        assert asked(service, "/tickets")[0] == 401
        assert asked(service, "/tickets", headers={"Authorization": "Bearer no"})[0] == 401
        assert asked(service, "/tickets", headers={"Authorization": "Bearer s3cret"})[0] == 200


def test_tickets_outlive_the_service_and_so_do_their_keys(tmp_path: Path):
    with tickets_running(tmp_path) as service:
        ticket = created(service, key="k")[1]
    with tickets_running(tmp_path) as service:
        assert created(service, key="k") == (200, ticket)
    assert "Traceback" not in (tmp_path / "tickets.log").read_text()


def test_an_answer_that_is_dropped_leaves_the_ticket(tmp_path: Path):
    with tickets_running(tmp_path, "--drop-answers", "1") as service:
        with pytest.raises(http.client.RemoteDisconnected):
            created(service, key="k")
        assert created(service, key="k")[0] == 200
        assert len(asked(service, "/tickets")[1]["tickets"]) == 1
        assert created(service)[0] == 201


def test_a_refused_ticket_is_not_made(tmp_path: Path):
    with tickets_running(tmp_path, "--refuse", "1", "--slow", "0.2") as service:
        started = time.monotonic()
        assert created(service)[0] == 503
        assert time.monotonic() - started >= 0.2
        assert asked(service, "/tickets")[1]["tickets"] == []
        assert created(service)[0] == 201
