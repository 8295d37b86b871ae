"""What a provider is sent and what a client gets back: the bytes that the other side wrote."""

from __future__ import annotations

import gzip
import json
import threading
import zlib

import pytest

from servers import ADMIN_KEY, PROVIDER_KEY, RunningServer, StartServer
from upstreams import DONE, Upstream, chat_event, chat_usage, chat_words, completion, reply, stream


def test_a_reply_is_handed_on_byte_for_byte(gateway: RunningServer, upstream: Upstream, model: str):
    odd = (
        b'{ "id":"x",\n\t"object":"chat.completion", "new_field": {"b": 1.50e+1, "a":[ ] },'
        b'"model":"' + model.encode() + b'","choices":[],  "e":"\\u00e9 \xc3\xa9" }  \n'
    )
    upstream.answers(model, reply(odd, headers=[("x-request-id", "req_odd")]))
    answer = gateway.chat(model)
    assert answer.status == 200
    assert answer.body == odd
    assert answer.headers["x-request-id"] == "req_odd"
    assert answer.headers["content-type"] == "application/json"


def test_a_stream_is_handed_on_byte_for_byte(
    gateway: RunningServer, upstream: Upstream, model: str
):
    words = chat_words(model, "Água", " 水 ", "\u2028 it flows")
    odd = b'data: {"choices":[],"obfuscation":"aZ","new":1.50}\n\n'
    comment = b": keep-alive\n\n"
    upstream.answers(model, stream(*words, comment, odd, chat_usage(model), DONE))
    answer = gateway.post(
        "/v1/chat/completions",
        {
            "model": model,
            "messages": [],
            "stream": True,
            "stream_options": {"include_usage": True},
        },
    )
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["x-request-id"] == "req_upstream_stream"
    assert answer.body == b"".join([*words, comment, odd, chat_usage(model), DONE])


def test_an_errors_reply_is_handed_on_byte_for_byte(
    gateway: RunningServer, upstream: Upstream, model: str
):
    odd = b'{"error":  {"message":"No.","type":"invalid_request_error","param":"x","code":null}}'
    upstream.answers(model, reply(odd, status=422))
    answer = gateway.chat(model)
    assert (answer.status, answer.body) == (422, odd)


def test_fields_that_headgate_does_not_know_reach_the_provider_untouched(
    gateway: RunningServer, upstream: Upstream, model: str
):
    body = (
        b'{"model": "' + model.encode() + b'", "messages": [{"role":"user","content":"\\u00e9"}],'
        b'"a_field_of_next_year": {"deep": [1.50, 1e3, {"x": null}], "text": "\xc3\xa9\\n"},'
        b'"seed": 12345678901234567890, "temperature": 1.0}'
    )
    assert gateway.post("/v1/chat/completions", body).status == 200
    sent = upstream.wait_for(model).body
    assert json.loads(sent) == json.loads(body)
    for untouched in (
        b'{"deep": [1.50, 1e3, {"x": null}], "text": "\xc3\xa9\\n"}',
        b'[{"role":"user","content":"\\u00e9"}]',
        b"12345678901234567890",
        b"1.0",
    ):
        assert untouched in sent


def test_a_field_given_twice_cannot_mean_two_things(
    gateway: RunningServer, upstream: Upstream, model: str
):
    body = f'{{"model":"first-{model}","messages":[],"model":"{model}"}}'.encode()
    assert gateway.post("/v1/chat/completions", body).status == 200
    assert upstream.wait_for(model).body.count(b'"model"') == 1


def test_a_providers_rate_and_retry_headers_reach_the_client(
    gateway: RunningServer, upstream: Upstream, model: str
):
    told = {
        "x-ratelimit-limit-requests": "5000",
        "x-ratelimit-remaining-tokens": "159976",
        "x-ratelimit-reset-tokens": "6m0s",
        "openai-processing-ms": "421",
        "openai-version": "2020-10-01",
    }
    kept_back = {"set-cookie": "__cf_bm=secret", "server": "cloudflare", "cf-ray": "8c1"}
    upstream.answers(model, reply(completion(model), headers=[*told.items(), *kept_back.items()]))
    headers = gateway.chat(model).headers
    assert told.items() <= headers.items()
    assert not kept_back.keys() & headers.keys()


def test_the_clients_own_key_and_headers_stay_here(
    gateway: RunningServer, upstream: Upstream, model: str
):
    gateway.chat(
        model,
        headers={
            "cookie": "session=1",
            "x-forwarded-for": "10.1.2.3",
            "x-headgate-user": "someone@example.org",
            "x-headgate-feature": "tickets",
            "x-stainless-lang": "python",
            "openai-organization": "org-of-the-client",
            "idempotency-key": "once",
        },
    )
    asked = upstream.wait_for(model)
    names = {name.lower() for name, _ in asked.headers}
    assert asked.header("authorization") == f"Bearer {PROVIDER_KEY}"
    assert asked.header("idempotency-key") == "once"
    assert not names & {
        "cookie", "x-forwarded-for", "x-headgate-user", "x-headgate-feature", "openai-organization",
    }  # fmt: skip
    assert not any(ADMIN_KEY in value for _, value in asked.headers)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_compressed_request_is_taken(
    gateway: RunningServer, upstream: Upstream, model: str, encoding: str
):
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "a" * 50_000}]})
    packed = (gzip if encoding == "gzip" else zlib).compress(body.encode())
    answer = gateway.post("/v1/chat/completions", packed, headers={"content-encoding": encoding})
    assert answer.status == 200
    asked = upstream.wait_for(model)
    assert asked.json() == json.loads(body)
    assert asked.header("content-encoding") is None


def test_a_large_reply_is_compressed_for_a_client_that_takes_it(
    gateway: RunningServer, upstream: Upstream, model: str
):
    large = json.dumps(completion(model, "flow " * 10_000)).encode()
    upstream.answers(model, reply(large))
    plain = gateway.chat(model)
    assert plain.body == large
    assert "content-encoding" not in plain.headers
    packed = gateway.chat(model, headers={"accept-encoding": "br, gzip;q=0.8"})
    assert packed.headers["content-encoding"] == "gzip"
    assert len(packed.body) < len(large) // 10
    assert gzip.decompress(packed.body) == large
    assert gateway.chat(model, headers={"accept-encoding": "gzip;q=0"}).body == large


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_providers_compressed_reply_is_unpacked(
    gateway: RunningServer, upstream: Upstream, model: str, encoding: str
):
    body = json.dumps(completion(model, "é" * 1000)).encode()
    packed = (gzip if encoding == "gzip" else zlib).compress(body)
    upstream.answers(model, reply(packed, headers=[("content-encoding", encoding)]))
    answer = gateway.chat(model)
    assert answer.body == body
    assert "content-encoding" not in answer.headers
    record = gateway.record(id=answer.headers["x-headgate-call-id"])
    assert (record["input_tokens"], record["output_tokens"]) == (9, 3)


def test_a_stream_is_handed_on_as_it_flows_and_not_at_its_end(
    gateway: RunningServer, upstream: Upstream, model: str
):
    go_on = threading.Event()
    first, second = chat_event(model, {"content": "one"}), chat_event(model, {"content": "two"})
    upstream.answers(model, stream(first, go_on, second, DONE))
    body = json.dumps({"model": model, "messages": [], "stream": True}).encode()
    with gateway.connect() as raw:
        raw.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer "
            + ADMIN_KEY.encode()
            + b"\r\ncontent-length: %d\r\n\r\n" % len(body)
            + body
        )
        seen = b""
        while b"one" not in seen:
            seen += raw.recv(65536)
        assert b"two" not in seen
        go_on.set()
        while b"[DONE]" not in seen:
            seen += raw.recv(65536)
    assert b"two" in seen


def test_a_body_of_many_megabytes_goes_through(
    server_with: StartServer, gateway: RunningServer, upstream: Upstream, model: str
):
    text = "0123456789abcdef" * (20 * 1024 * 1024 // 16)
    assert gateway.chat(model, text=text).status == 200
    assert upstream.wait_for(model).json()["messages"][0]["content"] == text
