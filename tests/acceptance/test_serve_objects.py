"""Files and their like on a real server: limits, failures, and what is refused or let pass."""

from __future__ import annotations

import http.client
import json
import time
from pathlib import Path

import pytest

from servers import ADMIN_KEY, PROVIDER_KEY, RunningServer, StartServer, until
from upstreams import CUT, Upstream, chunk, error, reply

FORM = "multipart/form-data; boundary=x1"
HEAD = (
    b'--x1\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n'
    b'--x1\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
)
TAIL = b"\r\n--x1--\r\n"


def form(size: int) -> bytes:
    return HEAD + b"x" * size + TAIL


def uploaded(server: RunningServer, body: bytes, path: str = "/v1/files", **more):
    return server.request("POST", path, body, headers={"content-type": FORM}, **more)


@pytest.fixture
def small(shared_with: StartServer) -> RunningServer:
    return shared_with(
        settings="endpoints: {max_upload_bytes: 5000, upload_idle_s: 0.4, allow: ['/v1/chatkit/*']}"
    )


@pytest.fixture
def letting_pass(shared_with: StartServer, upstream: Upstream) -> RunningServer:
    """One that lets pass what Headgate doesn't know, at certain addresses."""
    return shared_with(
        settings="""
endpoints:
  allow:
    - /v1/things
    - /v1/things/*
    - /v1/fine_tuning/*
    - /v1/assistants
    - /v1/threads/*
""",
        upstream=upstream,
    )


@pytest.fixture
def open_to_all(shared_with: StartServer, upstream: Upstream) -> RunningServer:
    """One that gives out what was made elsewhere."""
    return shared_with(
        settings="""
endpoints: {unregistered_objects: open}
retries: {max_attempts: 2, base_delay_s: 0}
""",
        upstream=upstream,
    )


def test_a_body_beyond_the_limit_is_refused_whether_it_says_its_length_or_not(small):
    assert uploaded(small, form(1000)).status == 200
    declared = uploaded(small, form(6000))
    assert (declared.status, declared.error["code"]) == (413, "payload_too_large")
    assert "endpoints.max_upload_bytes" in declared.error["message"]
    connection = http.client.HTTPConnection(small.host, small.port, timeout=10)
    headers = {"authorization": f"Bearer {ADMIN_KEY}", "content-type": FORM}
    connection.request("POST", "/v1/files", iter([HEAD, b"x" * 3000, b"y" * 3000]), headers)
    assert connection.getresponse().status == 413
    connection.close()
    listed = small.get("/v1/files").json()["data"]
    assert [file["bytes"] for file in listed] == [1000]


def test_an_upload_that_pauses_too_long_is_given_up(small):
    with small.connect() as raw:
        raw.sendall(
            b"POST /v1/files HTTP/1.1\r\nhost: x\r\nauthorization: Bearer %b\r\n"
            b"content-type: %b\r\ncontent-length: 2000\r\n\r\n"
            % (ADMIN_KEY.encode(), FORM.encode())
            + HEAD
        )
        assert b" 408 " in raw.recv(65536)


def test_a_form_that_is_not_well_formed_is_refused(small):
    for path in ("/v1/files", "/v1/audio/transcriptions"):
        broken = uploaded(small, form(100)[:-6], path)
        assert (broken.status, broken.error["code"]) == (400, "invalid_form")
    headers = {"content-type": "multipart/form-data"}
    assert small.request("POST", "/v1/files", form(1), headers=headers).status == 415
    assert (
        small.request("POST", "/v1/batches", form(1), headers={"content-type": FORM}).status == 415
    )
    zipped = {"content-type": FORM, "content-encoding": "gzip"}
    assert small.request("POST", "/v1/files", form(1), headers=zipped).status == 415


def test_an_address_that_is_not_known_is_refused_with_what_to_do(small):
    for path in ("/v1/nothing", "/v1/assistants", "/v1/files/a/b/c", "/v1/organization/users"):
        refused = small.get(path)
        assert refused.status == 404
        assert "endpoints: {allow" in refused.error["message"]
    wrong = small.request("DELETE", "/v1/files")
    assert wrong.status == 405
    assert set(wrong.headers["allow"].split(", ")) == {"GET", "POST"}
    assert small.get("/v1/files", key=None).status == 401
    assert small.get("/v1/chatkit/v_1", key=None).status == 401


def test_no_address_leads_elsewhere(gateway: RunningServer, upstream: Upstream):
    before = len(upstream.asked())
    for path in (
        "/v1/files/..%2fmodels",
        "/v1/files/%2e%2e",
        "/v1/files/../models",
        "/v1/files/a%3fb",
        "/v1/files/a%00",
        "/v1/files/a%0d%0ax: y",
    ):
        assert gateway.get(path.replace(" ", "%20")).status in (400, 404), path
    assert len(upstream.asked()) == before


def test_only_what_is_named_passes_however_its_address_is_written(
    letting_pass: RunningServer, upstream: Upstream
):
    server = letting_pass
    passing = (
        "things",
        "things/a",
        "things/a/content",
        "things/a..b",
        "things/a%2fb",
        "thing%73",
    )
    refused = (
        "things/", "things//a", "things/../files", "things/%2e%2e/files", "things/..%2ffiles",
        "things/a/../../files", "things/%252e%252e/files", "things/.a", "things/...", "thingsx",
        "things;x", "things/a;b", "things%00", "things/a%20b", "things/a%0d%0ab", "things/%5c..",
        "Things", "./things", "/things", "chat/../things", "completions", "assistants/x",
        "things/" + "a" * 200,
    )  # fmt: skip
    for path in passing:
        before = len(upstream.asked())
        assert server.get(f"/v1/{path}", key=None).status == 401
        assert len(upstream.asked()) == before
        server.get(f"/v1/{path}")
        assert len(upstream.asked()) == before + 1, path
    before = len(upstream.asked())
    for path in refused:
        for method in ("GET", "POST"):
            got = server.request(method, f"/v1/{path}", b"{}" if method == "POST" else b"")
            assert got.status == 404, path
    for method in ("HEAD", "OPTIONS", "PROPFIND"):
        assert server.request(method, "/v1/things/a").status == 404
    assert server.get("/v1/fine_tuning/jobs/ftjob-of-others/new").status == 404
    assert len(upstream.asked()) == before

    def passed() -> bool:
        kept = [one for one in server.records() if one["endpoint"].startswith("things")]
        return len(kept) == len(passing) and all(one["key_id"] for one in kept)

    assert until(passed, 5.0)


def test_a_head_request_is_answered_without_a_body(small: RunningServer):
    ask = f"host: x\r\nauthorization: Bearer {ADMIN_KEY}\r\n"
    with small.connect() as raw:
        for path in ("/v1/chat/completions", "/v1/responses", "/v1/files", "/v1/nothing"):
            raw.sendall(f"HEAD {path} HTTP/1.1\r\n{ask}\r\n".encode())
        raw.sendall(f"GET /healthz HTTP/1.1\r\n{ask}connection: close\r\n\r\n".encode())
        received = b""
        while data := raw.recv(65536):
            received += data
    *heads, last = received.split(b"HTTP/1.1 ")[1:]
    assert len(heads) == 4
    assert all(head.endswith(b"\r\n\r\n") for head in heads)
    assert last.startswith(b"200 OK")


def test_what_is_let_pass_goes_with_the_providers_key_and_leaves_a_record(
    letting_pass: RunningServer, upstream: Upstream
):
    server = letting_pass
    upstream.answers("/v1/assistants?seconds=4", reply({"id": "asst_1"}, status=201))
    body = {"prompt": "A river"}
    passed = server.post("/v1/assistants?seconds=4", body)
    assert (passed.status, passed.json()) == (201, {"id": "asst_1"})
    sent = upstream.requests("/v1/assistants?seconds=4")[0]
    assert sent.header("authorization") == f"Bearer {PROVIDER_KEY}"
    assert sent.json() == body
    record = server.record(id=passed.headers["x-headgate-call-id"])
    assert (record["endpoint"], record["status"], record["cost_nanousd"]) == (
        "assistants",
        201,
        None,
    )
    upstream.answers("/v1/threads/s_1/content", reply(b"\0\1", content_type="application/zip"))
    got = server.get("/v1/threads/s_1/content")
    assert (got.body, got.headers["content-type"]) == (b"\0\1", "application/zip")
    assert server.request("PATCH", "/v1/threads/s_1", {}).status == 404
    key = server.new_key(models=["gpt-5"])
    assert server.post("/v1/assistants", {"model": "sora-2"}, key=key).status == 403
    assert server.post("/v1/assistants", body, key=key).status == 403


def test_objects_made_elsewhere_are_reached_only_where_that_is_set(
    open_to_all: RunningServer, upstream: Upstream, gateway: RunningServer
):
    upstream.answers("/v1/files/file-old", reply({"id": "file-old"}))
    assert gateway.get("/v1/files/file-old").status == 404
    assert open_to_all.get("/v1/files/file-old").json() == {"id": "file-old"}


def test_a_list_that_fails_is_asked_for_again_and_its_error_handed_on(
    open_to_all: RunningServer, upstream: Upstream
):
    server = open_to_all
    page = reply({"object": "list", "data": [{"id": "b_1"}], "has_more": False})
    upstream.answers("/v1/batches?limit=100", error(500, "oops"), page)
    listed = server.get("/v1/batches")
    assert [one["id"] for one in listed.json()["data"]] == ["b_1"]
    assert listed.headers["x-headgate-attempts"] == "2"
    upstream.answers("/v1/evals?limit=100", error(409, "no_evals"))
    assert server.get("/v1/evals").error["code"] == "no_evals"
    upstream.answers("/v1/containers?limit=100", reply(b"<html>"))
    assert server.get("/v1/containers").error["code"] == "upstream_malformed_reply"


def test_a_provider_that_refuses_headgates_key_is_not_quoted(
    gateway: RunningServer, upstream: Upstream
):
    upstream.answers("/v1/conversations", error(401, f"key {PROVIDER_KEY} is wrong"))
    refused = gateway.post("/v1/conversations", {})
    assert (refused.status, refused.error["code"]) == (502, "upstream_authentication_failed")


def test_what_is_made_without_a_name_is_an_error(gateway: RunningServer, upstream: Upstream):
    upstream.answers("/v1/vector_stores", reply({"object": "vector_store"}))
    made = gateway.post("/v1/vector_stores", {"name": "x"})
    assert (made.status, made.error["code"]) == (502, "upstream_malformed_reply")


def test_a_field_given_twice_means_the_same_to_the_provider(
    gateway: RunningServer, upstream: Upstream
):
    upstream.answers("/v1/evals", reply({"id": "eval_1"}))
    gateway.post("/v1/evals", b'{"name": "a", "name": "b", "metadata": {"a": 1, "a": 2}}')
    sent = upstream.requests("/v1/evals")[-1].body
    assert json.loads(sent) == {"name": "b", "metadata": {"a": 2}}
    assert sent.count(b'"name"') == 1
    for body in (b"[]", b"{", b"\xff", b"[" * 100_000):
        assert gateway.post("/v1/evals", body).status == 400


def test_a_download_that_is_cut_is_cut_for_the_application_too(
    open_to_all: RunningServer, upstream: Upstream
):
    server = open_to_all
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n"
    upstream.answers("/v1/files/file-1/content", [head, chunk(b"half"), CUT])
    connection = http.client.HTTPConnection(server.host, server.port, timeout=10)
    headers = {"authorization": f"Bearer {ADMIN_KEY}"}
    connection.request("GET", "/v1/files/file-1/content", headers=headers)
    answer = connection.getresponse()
    assert answer.status == 200
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        answer.read()
    connection.close()
    record = server.record(endpoint="files/content")
    assert (record["status"], record["error_class"]) == (200, "upstream_cut")


def test_a_large_upload_is_not_held_in_memory(gateway: RunningServer, upstream: Upstream):
    upstream.answers("/v1/files", reply({"id": "file-large"}))
    uploaded(gateway, form(1000))
    before = _memory_bytes(gateway)
    connection = http.client.HTTPConnection(gateway.host, gateway.port, timeout=60)
    size = 48 * 1024 * 1024
    headers = {
        "authorization": f"Bearer {ADMIN_KEY}",
        "content-type": FORM,
        "content-length": str(len(HEAD) + size + len(TAIL)),
    }
    connection.request("POST", "/v1/files", _pieces(size), headers)
    made = connection.getresponse()
    assert made.status == 200
    assert len(upstream.requests("/v1/files")[-1].body) == len(HEAD) + size + len(TAIL)
    connection.close()
    assert _memory_bytes(gateway) - before < 24 * 1024 * 1024


def _pieces(size: int):
    yield HEAD
    for _ in range(size // 65536):
        yield b"x" * 65536
    yield TAIL


def _memory_bytes(server: RunningServer) -> int:
    """The most that the server's own process has had."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def test_a_client_that_leaves_in_an_upload_leaves_a_record(simulated: RunningServer):
    with simulated.connect() as raw:
        raw.sendall(
            b"POST /v1/files HTTP/1.1\r\nhost: x\r\nauthorization: Bearer %b\r\n"
            b"x-headgate-feature: leaver\r\ncontent-type: %b\r\ncontent-length: 9000\r\n\r\n"
            % (ADMIN_KEY.encode(), FORM.encode())
            + HEAD
        )
        time.sleep(0.3)
    record = simulated.record(feature="leaver")
    assert (record["status"], record["error_class"]) == (499, "client_disconnected")


def test_what_one_worker_made_every_worker_knows(
    server_with: StartServer, postgres_url_of_its_own: str
):
    server = server_with(workers=2, database_url=postgres_url_of_its_own)
    server.post("/api/projects", {"name": "others"})
    theirs = server.new_key(project="others")
    for number in range(4):
        made = uploaded(server, form(number)).json()["id"]
        for _ in range(4):
            assert server.get(f"/v1/files/{made}").status == 200
            assert server.get(f"/v1/files/{made}", key=theirs).status == 404
    assert len(server.get("/v1/files").json()["data"]) == 4
    assert server.get("/v1/files", key=theirs).json()["data"] == []
