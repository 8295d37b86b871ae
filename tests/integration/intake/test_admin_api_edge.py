"""What holds for every answer: its shape, its headers, and what bad input gets."""

from __future__ import annotations

import gzip

import pytest
from admin_server import AdminServer

from headgate.config.settings import ServerSettings
from headgate.storage import Database


async def test_every_answer_has_a_request_id_of_its_own(sqlite_server):
    seen = set()
    for path in ("/healthz", "/api/keys", "/nowhere", "/api/broken", "/api/keys/key_none"):
        answer = await sqlite_server.call("GET", path)
        assert answer.headers["x-request-id"].startswith("req_")
        assert answer.headers["content-type"] == "application/json"
        seen.add(answer.headers["x-request-id"])
    assert len(seen) == 5


@pytest.mark.parametrize("path", ["/", "/nowhere", "/api", "/api/keys/", "/api/keys/a/b", "//"])
async def test_an_unknown_address_is_404_in_openais_shape(sqlite_server, path):
    answer = await sqlite_server.call("GET", path)
    assert (answer.status, answer.error["code"]) == (404, "not_found")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "TRACE", "DELETE", "BREW"])
async def test_an_unknown_method_is_405_and_tells_the_known_ones(sqlite_server, method):
    answer = await sqlite_server.call(method, "/api/keys")
    assert (answer.status, answer.error["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, POST"


async def test_head_is_get_without_the_body(sqlite_server):
    get, head = [await sqlite_server.call(method, "/healthz") for method in ("GET", "HEAD")]
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"] == str(len(get.body))


async def test_a_fault_of_ours_is_500_and_tells_nothing_but_where_to_look(sqlite_server):
    answer = await sqlite_server.call("GET", "/api/broken")
    assert (answer.status, answer.error["code"]) == (500, "internal_error")
    assert answer.headers["x-request-id"] in answer.error["message"]
    assert b"hg_secret" not in answer.body
    assert b"Traceback" not in answer.body


async def test_the_log_of_a_fault_tells_where_but_not_what_was_said(sqlite_server, caplog):
    answer = await sqlite_server.call("GET", "/api/broken")
    facts = vars(caplog.records[-1])
    assert facts["request_id"] == answer.headers["x-request-id"]
    assert facts["raised"] == ["builtins.RuntimeError"]
    assert "admin_server.py" in facts["at"][-1]
    assert facts["exc_info"] is None
    assert "hg_secret" not in str(facts)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "missing_body"),
        (b"  \n", "missing_body"),
        (b"{", "invalid_json"),
        (b'{"limits": {},}', "invalid_json"),
        (b"\xff\xfe", "invalid_json"),
        (b'{"anything": ' + b"[" * 50_000, "invalid_json"),
        (b'"text"', "invalid_request"),
        (b"[]", "invalid_request"),
    ],
)
async def test_a_body_that_is_no_json_object_is_400(sqlite_server, body, code):
    answer = await sqlite_server.call("POST", "/api/echo", body=body)
    assert (answer.status, answer.error["code"]) == (400, code)


async def test_a_wrong_field_deep_within_is_named(sqlite_server):
    answer = await sqlite_server.call("POST", "/api/echo", json={"limits": {"a": "x"}})
    assert answer.status == 400
    assert answer.error["param"].startswith("limits")


async def test_a_body_where_none_is_expected_is_400_unless_empty(sqlite_server):
    key = sqlite_server.key()
    path = f"/api/keys/{key.key.id}/revoke"
    answer = await sqlite_server.call("POST", path, json={"at": 5})
    assert (answer.status, answer.error["param"]) == (400, "at")
    assert (await sqlite_server.call("POST", path, json={})).status == 200


async def test_a_body_beyond_the_limit_is_413(sqlite_server):
    answer = await sqlite_server.call("POST", "/api/echo", body=b" " * 100_001)
    assert (answer.status, answer.error["code"]) == (413, "payload_too_large")


async def test_a_compressed_body_is_read_and_a_bomb_is_413(sqlite_server):
    headers = {"content-encoding": "gzip"}
    body = gzip.compress(b'{"limits": {"a": 1}}')
    answer = await sqlite_server.call("POST", "/api/echo", body=body, headers=headers)
    assert answer.json() == {"limits": {"a": 1}, "anything": None}
    bomb = gzip.compress(b" " * 10_000_000)
    assert (await sqlite_server.call("POST", "/api/echo", body=bomb, headers=headers)).status == 413


@pytest.mark.parametrize("query", ["a=%00", "%", "a" * 10, "&".join(["a=1"] * 101), "ü=1"])
async def test_a_query_that_means_nothing_is_400(sqlite_server, query):
    assert (await sqlite_server.call("GET", "/api/keys", query=query)).status == 400


async def test_an_answer_is_not_kept_by_caches(sqlite_server):
    assert (await sqlite_server.call("GET", "/api/keys")).headers["cache-control"] == "no-store"


async def test_the_client_is_found_behind_a_declared_proxy(sqlite_url):
    database = Database(sqlite_url)
    server = AdminServer(database, settings=ServerSettings(trusted_proxies=("10.0.0.0/8",)))
    await server.start()
    key = server.key("auditor", networks=("192.0.2.0/24",))
    for peer, forwarded, status in (
        ("10.0.0.1", "192.0.2.7", 200),
        ("10.0.0.1", "192.0.2.7, 10.0.0.2", 200),
        ("10.0.0.1", "192.0.2.7, 198.51.100.1", 403),
        ("198.51.100.1", "192.0.2.7", 403),
        ("192.0.2.7", "198.51.100.1", 200),
        (None, "192.0.2.7", 403),
    ):
        answer = await server.call(
            "GET", "/api/usage", key=key, peer=peer, headers={"x-forwarded-for": forwarded}
        )
        assert answer.status == status, (peer, forwarded)
    await server.stop()
    database.close()
