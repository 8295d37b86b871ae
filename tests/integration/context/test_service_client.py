"""The client of the operator's services and the connector on it, against real sockets."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from headgate.config.connectors import ConnectorSettings
from headgate.config.services import HttpServiceSettings
from headgate.context.connector import ArgumentError, ConnectorError, NoRecordError
from headgate.context.connectors import Connectors
from headgate.context.http_connector import HttpConnector
from headgate.context.service import ServiceClient, ServiceError
from upstreams import CUT, RESET, Script, Upstream, reply, upstream_running

TOKEN = "the-token-of-the-tests"


@pytest.fixture(scope="module")
def service() -> Iterator[Upstream]:
    with upstream_running() as running:
        yield running


def client(service: Upstream, **changes: Any) -> ServiceClient:
    made = {"base_url": service.base_url, "headers": {"Authorization": f"Bearer {TOKEN}"}}
    return ServiceClient(HttpServiceSettings(**made | changes))


async def failure(made: ServiceClient, path: str, **options: Any) -> ServiceError:
    try:
        with pytest.raises(ServiceError) as error:
            await made.send("GET", path, **options)
        assert TOKEN not in str(error.value)
        assert "127.0.0.1" not in str(error.value)
        return error.value
    finally:
        await made.close()


async def test_a_request_carries_its_headers_query_and_body(service):
    service.answers("/v1/echo?a=1&b=x+y", reply({"ok": True}))
    made = client(service)
    answer = await made.send(
        "POST", "/echo", query=[("a", "1"), ("b", "x y")], headers={"x-run": "r1"}, body=b'{"q":1}'
    )
    await made.close()
    assert (answer.status, answer.media_type, answer.body) == (
        200,
        "application/json",
        b'{"ok": true}',
    )
    asked = service.wait_for("/v1/echo?a=1&b=x+y")
    assert (asked.method, asked.body) == ("POST", b'{"q":1}')
    assert asked.header("authorization") == f"Bearer {TOKEN}"
    assert asked.header("x-run") == "r1"
    assert asked.header("content-type") == "application/json"


async def test_any_status_is_an_answer_and_redirects_are_not_followed(service):
    service.answers("/v1/elsewhere", reply({}, status=302, headers=[("location", "/v1/trap")]))
    made = client(service)
    assert (await made.send("GET", "/elsewhere")).status == 302
    await made.close()
    assert service.requests("/v1/trap") == []


async def test_an_answer_that_is_too_large_is_not_read_to_its_end(service):
    service.answers("/v1/large", reply(b"x" * 1_000_000))
    error = await failure(client(service, max_answer_bytes=1000), "/large")
    assert error.may_have_arrived


async def test_a_service_that_is_slow_is_given_up(service):
    held = threading.Event()
    service.answers("/v1/slow", [held, *reply({})])
    began_s = time.monotonic()
    error = await failure(client(service, timeout_s=0.3), "/slow")
    held.set()
    assert error.may_have_arrived
    assert time.monotonic() - began_s < 3


async def test_a_service_that_drips_is_given_up_at_the_end_of_its_time(service):
    drip: Script = [b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n", *[b"x", 0.1] * 40]
    service.answers("/v1/drip", drip)
    began_s = time.monotonic()
    await failure(client(service, timeout_s=0.5), "/drip")
    assert time.monotonic() - began_s < 3


@pytest.mark.parametrize(
    "script",
    [
        [CUT],
        [RESET],
        [b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc", CUT],
        [b"\x00\x01garbage"],
    ],
    ids=["cut", "reset", "cut in the body", "garbage"],
)
async def test_a_broken_answer_is_none(service, script, request):
    path = f"/{request.node.callspec.id.replace(' ', '-')}"
    service.answers(f"/v1{path}", script)
    error = await failure(client(service), path)
    assert error.may_have_arrived


async def test_a_service_that_is_down_has_not_been_asked():
    made = ServiceClient(HttpServiceSettings(base_url="http://127.0.0.1:1"))
    error = await failure(made, "/x")
    assert not error.may_have_arrived
    assert str(error) == "the service could not be reached (connect)"


async def test_what_is_cancelled_drops_its_connection(service):
    held = threading.Event()
    service.answers("/v1/cancelled", [held, *reply({})])
    made = client(service)
    task = asyncio.create_task(made.send("GET", "/cancelled"))
    asked = await asyncio.to_thread(service.wait_for, "/v1/cancelled")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(asked.left.wait, 5)
    held.set()
    await made.close()


def connector(service: Upstream | None, timeout_s: float = 2.0, **operation: Any) -> HttpConnector:
    made = {
        "base_url": "http://127.0.0.1:1" if service is None else service.base_url,
        "headers": {"authorization": f"Bearer {TOKEN}"},
        "timeout_s": timeout_s,
        "max_answer_bytes": 64 * 1024,
        "operations": {"read": {"path": "/a/{id}", "fields": {"name": "text"}, **operation}},
    }
    return HttpConnector(msgspec.convert({"http": made}, ConnectorSettings).http)


async def read(made: HttpConnector, **arguments: Any) -> list[dict[str, Any]]:
    try:
        return await made.records("read", arguments)
    finally:
        await made.close()


async def test_a_record_and_a_list_are_found_where_they_stand(service):
    service.answers("/v1/a/one", reply({"data": {"account": {"name": "Orrin"}}}))
    assert await read(connector(service, at="data.account"), id="one") == [{"name": "Orrin"}]
    service.answers("/v1/a/bare", reply({"name": "Orrin"}))
    assert await read(connector(service), id="bare") == [{"name": "Orrin"}]
    service.answers("/v1/a/marked", reply(b'\xef\xbb\xbf{"name": "Orrin"}'))
    assert await read(connector(service), id="marked") == [{"name": "Orrin"}]
    service.answers("/v1/a/list", reply({"items": [{"name": str(n)} for n in range(50)]}))
    found = await read(connector(service, at="items", many=3), id="list")
    assert [one["name"] for one in found] == ["0", "1", "2", "3"], "one more than are taken"


async def test_a_question_that_is_posted_reads_as_well(service):
    service.answers("/v1/search", reply([{"name": "Orrin"}]))
    made = connector(
        service, path="/search", method="POST", many=5, body={"where": {"id": "{id}"}, "n": 5}
    )
    assert await read(made, id='"},"x":{"') == [{"name": "Orrin"}]
    asked = service.wait_for("/v1/search")
    assert json.loads(asked.body) == {"where": {"id": '"},"x":{"'}, "n": 5}


async def test_a_hostile_value_stays_in_its_segment_and_its_parameter(service):
    target = "/v1/a/x%2Fy%3Fadmin%3D1?view=a%26b%3D1"
    service.answers(target, reply({"name": "Orrin"}))
    made = connector(service, query={"view": "{view}"})
    assert await read(made, id="x/y?admin=1", view="a&b=1") == [{"name": "Orrin"}]
    with pytest.raises(ArgumentError):
        await read(connector(service), id="../../admin")


@pytest.mark.parametrize("status", [204, 404, 410])
async def test_what_is_not_there_is_no_record(service, status):
    service.answers(f"/v1/a/none{status}", reply({"error": "none"}, status=status))
    with pytest.raises(NoRecordError):
        await read(connector(service), id=f"none{status}")


@pytest.mark.parametrize(
    ("name", "script", "told", "retryable"),
    [
        ("html", reply(b"<html>private</html>", content_type="text/html"), "not JSON", False),
        ("garbage", reply(b"\xff\xfe{"), "not JSON", False),
        ("deep", reply(b"[" * 60_000), "not JSON", False),
        ("list", reply([{"name": "private"}, {"name": "b"}]), None, False),
        ("text", reply(b'"private"'), "gave no record as its answer", False),
        ("scalars", reply(b"[1, 2]"), "record [0] is no object", False),
        ("redirect", reply({}, status=307, headers=[("location", "/v1/trap")]), "307", False),
        ("denied", reply({"error": "private"}, status=401), "connector's headers", False),
        ("broken", reply({"error": "private"}, status=500), "answered 500", True),
        ("busy", reply({}, status=503), "answered 503", True),
        ("wrong", reply({"error": "private"}, status=400), "answered 400", False),
        ("megabyte", reply({"name": "x" * 1_000_000}), "larger than `max_answer", False),
    ],
)
async def test_an_answer_that_is_none_is_told_without_its_contents(
    service, name, script, told, retryable
):
    service.answers(f"/v1/a/{name}", script)
    if told is None:
        assert len(await read(connector(service), id=name)) == 2, "who narrows refuses that"
        return
    with pytest.raises(ConnectorError) as error:
        await read(connector(service), id=name)
    assert told in str(error.value)
    assert "private" not in str(error.value)
    assert error.value.retryable is retryable
    assert service.requests("/v1/trap") == []


async def test_a_place_that_an_answer_lacks_is_named(service):
    service.answers("/v1/a/odd", reply({"data": None}))
    for at, told in (("data.account", "nothing at `data.account`"), ("datum", "nothing at")):
        with pytest.raises(ConnectorError, match=told):
            await read(connector(service, at=at), id="odd")
    with pytest.raises(NoRecordError):
        await read(connector(service, at="data"), id="odd")


async def test_what_may_go_well_later_is_asked_for_once_more(service):
    service.answers("/v1/a/later", reply({}, status=503), reply({"name": "Orrin"}))
    operation = {"path": "/a/{id}", "fields": {"name": "text"}}
    settings = {"http": {"base_url": service.base_url, "operations": {"read": operation}}}
    connectors = Connectors({"crm": msgspec.convert(settings, ConnectorSettings)})
    found = await connectors.ask("crm.read", {"id": "later"}, None, 5.0)
    assert found.value == {"name": "Orrin"}
    assert len(service.requests("/v1/a/later")) == 2
    await connectors.close()
