"""Clients that keep the server waiting, and what is no request: none holds anything for ever."""

from __future__ import annotations

import json
import select
import socket

import pytest

from servers import ADMIN_KEY, RunningServer, StartServer, until
from upstreams import (
    DONE,
    Upstream,
    chat_event,
    chat_usage,
    chat_words,
    response_deltas,
    stream,
)

_HEAD = (
    b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer %b\r\n"
    % ADMIN_KEY.encode()
)

_MORE_THAN_BUFFERS_HOLD = [f"{number}{'w' * 50_000}" for number in range(600)]


@pytest.fixture
def hurried(shared_with: StartServer, upstream: Upstream) -> RunningServer:
    return shared_with(
        settings="""
server: {client_idle_s: 0.4}
prices: {"*": {input: "1", output: "1"}}
limits: [{per: feature, of: {feature: one-at-a-time}, concurrent: 1}]
""",
        upstream=upstream,
    )


def posted(model: str, *, streamed: bool = False, more: bytes = b"") -> bytes:
    body = json.dumps({"model": model, "messages": [], "stream": streamed}).encode()
    return _HEAD + more + b"content-length: %d\r\n\r\n" % len(body) + body


def answer(connection: socket.socket) -> tuple[bytes, dict[str, str]]:
    """The first line of what comes until the server closes, and the error in it."""
    received = b""
    while data := connection.recv(65536):
        received += data
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"content-type: application/json" in head
    return head.split(b"\r\n")[0], json.loads(body)["error"]


def test_a_call_whose_client_stops_reading_ends_and_frees_what_it_held(
    hurried: RunningServer, upstream: Upstream, model: str
):
    words = [chat_event(model, {"content": word}) for word in _MORE_THAN_BUFFERS_HOLD]
    upstream.answers(model, stream(*chat_words(model), *words, chat_usage(model), DONE))
    feature = b"x-headgate-feature: one-at-a-time\r\n"
    with hurried.connect() as connection:
        connection.sendall(posted(model, streamed=True, more=feature))
        record = until(lambda: hurried.records(model_requested=model), 20)[0]
        assert (record["status"], record["error_class"]) == (499, "client_disconnected")
        assert record["cost_nanousd"] > 0
        free = hurried.chat(f"{model}-2", headers={"x-headgate-feature": "one-at-a-time"})
        assert free.status == 200


def test_a_websocket_whose_client_stops_reading_ends_and_frees_what_it_held(
    hurried: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(model, stream(*response_deltas(model, *_MORE_THAN_BUFFERS_HOLD)))
    with hurried.connect() as connection:
        connection.sendall(
            _HEAD.replace(b"POST /v1/chat/completions", b"GET /v1/responses")
            + b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
            b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        seen = b""
        while not seen.endswith(b"\r\n\r\n"):
            seen += connection.recv(1)
        assert b" 101 " in seen
        ask = json.dumps({"type": "response.create", "model": model, "input": "x"}).encode()
        # One text, masked with zeros.
        connection.sendall(b"\x81\xfe%b\0\0\0\0%b" % (len(ask).to_bytes(2, "big"), ask))
        record = until(lambda: hurried.records(model_requested=model), 20)[0]
    assert (record["status"], record["error_class"]) == (499, "client_disconnected")
    assert record["cost_nanousd"] > 0


def test_a_body_that_stops_coming_is_a_408_with_a_record(hurried: RunningServer):
    with hurried.connect() as connection:
        connection.sendall(
            _HEAD + b'x-headgate-feature: paused\r\ncontent-length: 100\r\n\r\n{"model":'
        )
        line = connection.recv(65536).split(b"\r\n")[0]
        assert line == b"HTTP/1.1 408 Request Timeout"
    record = until(lambda: hurried.records(feature="paused"), 20)[0]
    assert (record["status"], record["cost_nanousd"]) == (408, 0)


def test_the_administrative_api_waits_no_longer_for_a_body(hurried: RunningServer):
    with hurried.connect() as connection:
        connection.sendall(_HEAD.replace(b"/v1/chat/completions", b"/api/keys"))
        connection.sendall(b"content-length: 100\r\n\r\n{")
        assert connection.recv(65536).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("begun", [b"POST /v1/ch", _HEAD], ids=["line", "headers"])
def test_a_request_that_never_begins_is_given_up(hurried: RunningServer, begun: bytes):
    with hurried.connect() as connection:
        connection.sendall(begun)
        assert connection.recv(1) == b""


def test_a_head_without_end_is_refused_before_it_fills_the_memory(gateway: RunningServer):
    with gateway.connect() as connection:
        sent = 0
        try:
            connection.sendall(_HEAD)
            while sent < 64 * 1024 * 1024:
                sent += connection.send(b"x-one-of-many: " + b"a" * 4000 + b"\r\n")
        except OSError:
            pass
    assert sent < 32 * 1024 * 1024


def test_a_head_that_is_too_large_is_told_in_openais_shape(gateway: RunningServer):
    def told() -> tuple[bytes, dict[str, str]] | None:
        with gateway.connect() as connection:
            try:
                connection.sendall(_HEAD)
                while not select.select([connection], [], [], 0.05)[0]:
                    connection.sendall(b"x-large: " + b"a" * 16_000 + b"\r\n")
                return answer(connection)
            except ConnectionError:
                return None  # more was sent while the answer was on its way, which TCP then drops

    refused = until(told, 20)
    assert refused
    line, error = refused
    assert line.startswith(b"HTTP/1.1 431 ")
    assert (error["type"], error["code"]) == ("invalid_request_error", "head_too_large")


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x16\x03\x01\x02\x00\x01\r\n\r\n",
        b"FETCH /v1/models HTTP/1.1\r\n\r\n",
        _HEAD + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        _HEAD + b"content-length: 5\r\ncontent-length: 6\r\n\r\n{}    ",
        _HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=["tls", "method", "both lengths", "two lengths", "chunk"],
)
def test_what_is_no_request_is_told_so_in_openais_shape(gateway: RunningServer, nonsense: bytes):
    with gateway.connect() as connection:
        connection.sendall(nonsense)
        line, error = answer(connection)
    assert line.startswith(b"HTTP/1.1 400 ")
    assert (error["type"], error["code"]) == ("invalid_request_error", "invalid_http")


def test_nonsense_behind_a_request_is_not_written_into_its_answer(
    gateway: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(model, stream(*chat_words(model, "Wa"), 30.0))
    with gateway.connect() as connection:
        connection.sendall(posted(model, streamed=True))
        received = b""
        while b'"Wa"' not in received:
            received += connection.recv(65536)
        connection.sendall(b"no request\r\n\r\n")
        try:
            while data := connection.recv(65536):
                received += data
        except ConnectionError:
            pass
    assert b"HTTP/1.1 400" not in received
    assert not received.endswith(b"0\r\n\r\n")


def test_what_follows_a_body_is_not_taken_for_headers(gateway: RunningServer, model: str):
    body = json.dumps({"model": model, "messages": []}).encode()
    with gateway.connect() as connection:
        connection.sendall(
            _HEAD
            + b"transfer-encoding: chunked\r\nconnection: close\r\n\r\n"
            + b"%x\r\n%b\r\n0\r\nx-headgate-feature: smuggled\r\n\r\n" % (len(body), body)
        )
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert until(lambda: gateway.records(model_requested=model), 20)[0]["feature"] is None
