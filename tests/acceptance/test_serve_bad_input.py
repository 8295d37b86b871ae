"""What bad input gets: the right status, OpenAI's error shape, what to do, and one record."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from servers import (
    ADMIN_KEY,
    RunningServer,
    StartServer,
    end_server,
    start_server,
    until,
)
from upstreams import Upstream

CALLS = ("chat/completions", "responses", "embeddings", "moderations")

MALFORMED = {
    "nothing": b"",
    "half": b'{"model": "m", "messages": [',
    "a list": b"[]",
    "a string": b'"model"',
    "null": b"null",
    "two values": b"{}{}",
    "not text": b"\xff\xfe{}",
    "not a number": b'{"model": "m", "temperature": NaN}',
    "a lone surrogate's bytes": b'{"model": "m\xed\xa0\x80"}',
    "deeply nested": b'{"model": "m", "messages": ' + b"[" * 20_000 + b"]" * 20_000 + b"}",
}


@pytest.mark.parametrize("endpoint", CALLS)
@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_a_body_that_is_no_json_object_is_a_400_that_says_so(
    gateway: RunningServer, endpoint: str, body: bytes
):
    answer = gateway.post(f"/v1/{endpoint}", body)
    assert answer.status == 400
    assert answer.error["type"] == "invalid_request_error"
    assert answer.error["code"] == "invalid_json"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]


WRONG: dict[str, tuple[dict[str, Any], str | None]] = {
    "no model": ({"messages": []}, "model"),
    "empty model": ({"model": "", "messages": []}, "model"),
    "model of a wrong type": ({"model": 5, "messages": []}, "model"),
    "model null": ({"model": None, "messages": []}, "model"),
    "stream of a wrong type": ({"model": "m", "stream": "yes"}, "stream"),
}


@pytest.mark.parametrize(("body", "param"), WRONG.values(), ids=WRONG)
def test_a_field_that_headgate_reads_is_named_where_it_is_wrong(
    gateway: RunningServer, body: dict[str, Any], param: str | None
):
    answer = gateway.post("/v1/chat/completions", body)
    assert answer.status == 400
    assert answer.error["param"] == param
    assert str(param) in answer.error["message"]


def test_a_refused_call_leaves_one_record_that_cost_nothing(gateway: RunningServer):
    answer = gateway.post("/v1/chat/completions", b"{", headers={"x-headgate-feature": "tickets"})
    record = gateway.record(id=answer.headers["x-headgate-call-id"])
    assert (record["status"], record["error_class"]) == (400, "invalid_json")
    assert (record["attempts"], record["cost_nanousd"]) == (0, 0)
    assert record["feature"] == "tickets"


def test_no_key_and_a_wrong_key_are_a_401(gateway: RunningServer):
    missing = gateway.chat("m", key=None)
    assert (missing.status, missing.error["code"]) == (401, "missing_api_key")
    assert "hg_" in missing.error["message"]
    assert missing.headers["www-authenticate"].startswith("Bearer")
    for wrong in ("hg_wrong", "sk-openai-key", "x" * 5000):
        answer = gateway.chat("m", key=wrong)
        assert (answer.status, answer.error["code"]) == (401, "invalid_api_key")
        assert wrong not in answer.body.decode()


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "hg_naked", "Bearer \xff\xfe", "a b c"],
)
def test_any_other_authorization_is_a_401_too(gateway: RunningServer, header: str):
    answer = gateway.chat("m", key=None, headers={"authorization": header})
    assert answer.status == 401
    assert answer.error["type"] == "authentication_error"


def test_a_forbidden_model_is_a_403_that_says_where_to_look(
    gateway: RunningServer, upstream: Upstream, model: str
):
    key = gateway.new_key(models=["gpt-5-mini", "allowed-*"])
    assert gateway.chat(f"allowed-{model}", key=key).status == 200
    refused = gateway.chat(model, key=key)
    assert refused.status == 403
    assert refused.error["code"] == "model_not_allowed"
    assert "/v1/models" in refused.error["message"]
    assert not upstream.requests(model)
    assert gateway.record(id=refused.headers["x-headgate-call-id"])["status"] == 403


def test_an_unknown_model_is_a_404_that_says_where_to_look(server_with: StartServer):
    server = server_with(
        settings="""
providers:
  only:
    base_url: http://127.0.0.1:9/v1
    api_key: sk-only
    models: ["gpt-*"]
"""
    )
    answer = server.chat("claude-4")
    assert answer.status == 404
    assert answer.error["code"] == "model_not_found"
    assert answer.error["param"] == "model"
    assert "claude-4" in answer.error["message"]
    assert "/v1/models" in answer.error["message"]
    assert server.record(id=answer.headers["x-headgate-call-id"])["error_class"] == (
        "model_not_found"
    )


@pytest.mark.parametrize("endpoint", ["chat/completions", "responses"])
def test_an_unknown_workflow_is_a_404(gateway: RunningServer, endpoint: str):
    answer = gateway.post(
        f"/v1/{endpoint}", {"model": "workflow:nowhere", "input": "x", "messages": []}
    )
    assert answer.status == 404
    assert "nowhere" in answer.error["message"]
    over_http = gateway.post("/api/workflows/nowhere/runs", {"input": {}})
    assert over_http.status == 404
    assert "nowhere" in over_http.error["message"]


@pytest.mark.parametrize(
    "endpoint", ["embeddings", "moderations", "images/generations", "responses/input_tokens"]
)
def test_a_workflow_asked_where_none_answers_is_a_404_and_no_provider_hears_of_it(
    gateway: RunningServer, upstream: Upstream, endpoint: str
):
    model = f"workflow:asked-of-{endpoint.replace('/', '-')}"
    answer = gateway.post(f"/v1/{endpoint}", {"model": model, "input": "x", "prompt": "x"})
    assert (answer.status, answer.error["code"]) == (404, "model_not_found")
    assert "/v1/chat/completions and /v1/responses only" in answer.error["message"]
    assert not upstream.requests(model)


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/chat/completions", "/v1/chat/completions"),
        ("/v1/v1/chat/completions", "/v1/chat/completions"),
        ("/v1/chat/completions/", "/v1/chat/completions"),
        ("/files/file-1/content", "/v1/files/file-1/content"),
    ],
)
def test_a_base_url_that_leads_past_the_address_is_told(
    gateway: RunningServer, path: str, meant: str
):
    answer = gateway.post(path, {"model": "m"})
    assert answer.status == 404
    assert (
        f"There is nothing at {path}, but at {meant}: a client's base URL is"
        in (answer.error["message"])
    )


def test_an_unknown_address_is_a_404_and_a_wrong_method_a_405(gateway: RunningServer):
    nowhere = gateway.get("/v1/nowhere")
    assert nowhere.status == 404
    assert "/openapi.json" in nowhere.error["message"]
    assert gateway.post("/v1/audio/speech", {"model": "tts-1"}).status == 404
    wrong = gateway.get("/v1/embeddings")
    assert (wrong.status, wrong.error["code"]) == (405, "method_not_allowed")
    assert wrong.headers["allow"] == "POST"
    wrong = gateway.request("DELETE", "/v1/chat/completions")
    assert (wrong.status, wrong.headers["allow"]) == (405, "GET, POST")


LIMIT = "server: {max_body_bytes: 65536}"


@pytest.fixture(scope="module")
def small(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    server = start_server(
        tmp_path_factory.mktemp("small") / "server", settings=LIMIT, upstream=upstream
    )
    yield server
    end_server(server)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses", "/api/keys"])
def test_a_body_beyond_the_limit_is_a_413_that_names_the_limit(small: RunningServer, path: str):
    answer = small.post(path, {"model": "m", "messages": ["a" * 70_000]})
    assert answer.status == 413
    assert answer.error["code"] == "payload_too_large"
    assert "65536" in answer.error["message"]


def test_a_body_that_unpacks_beyond_the_limit_is_a_413(small: RunningServer, upstream: Upstream):
    bomb = gzip.compress(b'{"model": "bomb", "messages": ["' + b"a" * 50_000_000 + b'"]}')
    assert len(bomb) < 65536
    answer = small.post("/v1/chat/completions", bomb, headers={"content-encoding": "gzip"})
    assert answer.status == 413
    assert not upstream.requests("bomb")


def test_a_body_of_exactly_the_limit_is_taken(small: RunningServer, upstream: Upstream, model: str):
    start = json.dumps({"model": model, "messages": []})[:-2] + '"'
    body = (start + "a" * (65536 - len(start) - 3) + '"]}').encode()
    assert len(body) == 65536
    assert small.post("/v1/chat/completions", body).status == 200
    assert small.post("/v1/chat/completions", body + b" ").status == 413


def test_a_413_is_heard_by_a_sender_that_is_still_sending(small: RunningServer):
    with small.connect() as raw:
        raw.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer "
            + ADMIN_KEY.encode()
            + b"\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        piece = b"4000\r\n" + b"a" * 0x4000 + b"\r\n"
        for _ in range(10):
            raw.sendall(piece)
        raw.sendall(b"0\r\n\r\n")
        head = raw.recv(65536)
    assert head.startswith(b"HTTP/1.1 413 ")


def test_the_default_limit_is_32_mib(gateway: RunningServer):
    answer = gateway.post("/v1/chat/completions", b" " * (32 * 1024 * 1024 + 1), timeout_s=60)
    assert answer.status == 413
    assert "33554432" in answer.error["message"]


@pytest.mark.parametrize(
    ("encoding", "status"), [("br", 415), ("zstd", 415), ("gzip", 400), ("deflate", 400)]
)
def test_a_body_that_cannot_be_unpacked_is_refused(
    gateway: RunningServer, encoding: str, status: int
):
    answer = gateway.post(
        "/v1/chat/completions", b"not packed at all", headers={"content-encoding": encoding}
    )
    assert answer.status == status


def test_half_a_gzip_stream_is_a_400(gateway: RunningServer):
    half = gzip.compress(b'{"model": "m"}')[:-6]
    answer = gateway.post("/v1/chat/completions", half, headers={"content-encoding": "gzip"})
    assert (answer.status, answer.error["code"]) == (400, "invalid_encoding")


@pytest.mark.parametrize("feature", ["", "a" * 65, "line\tbreak", "caf\xe9", "<script>"])
def test_a_feature_that_could_not_be_shown_is_a_400(gateway: RunningServer, feature: str):
    answer = gateway.chat("m", headers={"x-headgate-feature": feature})
    assert answer.status == 400
    assert answer.error["param"] == "x-headgate-feature"


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/api/keys", {"name": "x", "rolle": "admin"}, "rolle"),
        ("/api/keys", {"name": "x", "role": "root"}, "role"),
        ("/api/keys", {"name": "x", "networks": ["10.0.0.0/33"]}, "networks"),
        ("/api/keys", {}, "name"),
        ("/api/projects", {"name": "p1", "color": "red"}, "color"),
    ],
)
def test_a_field_that_the_api_does_not_know_is_a_400_that_names_it(
    gateway: RunningServer, path: str, body: dict[str, Any], param: str
):
    answer = gateway.post(path, body)
    assert answer.status == 400
    assert answer.error["param"] is not None
    assert answer.error["param"].startswith(param)


def test_an_unknown_query_is_a_400_that_names_it(gateway: RunningServer):
    answer = gateway.get("/api/usage?gruop_by=model")
    assert (answer.status, answer.error["param"]) == (400, "gruop_by")
    assert gateway.get("/api/usage?group_by=colour").status == 400
    assert gateway.get("/api/usage?since=yesterdayish").status == 400


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        (
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n"
            b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n"
        ),
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
    ],
    ids=["tls", "no path", "negative length", "two lengths", "long path"],
)
def test_what_is_no_http_is_refused_and_the_server_goes_on(gateway: RunningServer, garbage: bytes):
    with gateway.connect(timeout_s=5) as raw:
        raw.sendall(garbage)
        raw.shutdown(1)
        first = raw.recv(65536)
    assert first == b"" or first.split()[1][:1] == b"4"
    assert gateway.get("/healthz", key=None).status == 200


def test_a_client_that_leaves_in_the_middle_of_its_body_leaves_one_record(
    gateway: RunningServer, model: str
):
    key = gateway.new_key_object()
    with gateway.connect() as raw:
        raw.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer "
            + key["key"].encode()
            + b"\r\ncontent-length: 1000\r\n\r\n{"
        )
        # Let the server begin to read before this connection is closed.
        until(lambda: False, 0.1)
    record = gateway.record(key_id=key["id"])
    assert (record["status"], record["error_class"]) == (499, "client_disconnected")
