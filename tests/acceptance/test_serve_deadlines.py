"""A call is answered within the time that its client says it waits."""

from __future__ import annotations

import time

import pytest

from servers import RunningServer
from upstreams import (
    DONE,
    STREAM_HEAD,
    Upstream,
    chat_usage,
    chat_words,
    chunk,
    completion,
    error,
    reply,
    stream,
)


def ask(server: RunningServer, model: str, headers: dict[str, str], **more: object):
    body = {"model": model, "messages": [], **more}
    return server.post("/v1/chat/completions", body, headers=headers)


@pytest.mark.parametrize(
    "headers",
    [{"x-stainless-read-timeout": "1"}, {"x-stainless-timeout": "1"}, {"prefer": "wait=1"}],
    ids=["python-sdk", "node-sdk", "prefer"],
)
def test_a_provider_that_is_too_slow_for_the_client_is_given_up_in_time(
    gateway: RunningServer, upstream: Upstream, model: str, headers: dict[str, str]
):
    upstream.answers(model, [20.0])
    began_s = time.monotonic()
    answer = ask(gateway, model, headers)
    assert time.monotonic() - began_s < 10
    assert (answer.status, answer.error["code"]) == (504, "deadline_exceeded")
    assert upstream.wait_for(model).left.wait(3), "the call went on upstream"
    assert len(upstream.requests(model)) == 1
    record = gateway.record(id=answer.headers["x-headgate-call-id"])
    assert record["error_class"] == "deadline_exceeded"


def test_no_retry_is_begun_that_can_not_end_in_time(
    gateway: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(model, error(429, "busy", headers=[("retry-after", "7")]))
    began_s = time.monotonic()
    answer = ask(gateway, model, {"x-stainless-read-timeout": "5"})
    assert time.monotonic() - began_s < 4
    assert (answer.status, answer.error["code"]) == (429, "busy")
    assert len(upstream.requests(model)) == 1


def test_a_stream_that_does_not_begin_in_time_is_given_up(
    gateway: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(model, [STREAM_HEAD, 20.0])
    answer = ask(gateway, model, {"x-stainless-read-timeout": "1"}, stream=True)
    assert (answer.status, answer.error["code"]) == (504, "deadline_exceeded")


def test_a_stream_that_flows_may_outlast_the_wait_for_each_piece(
    gateway: RunningServer, upstream: Upstream, model: str
):
    first, *rest = chat_words(model, "Wa", "ter", "flows")
    events = [first, *(step for event in rest for step in (0.5, event))]
    upstream.answers(model, stream(*events, chat_usage(model), DONE))
    answer = ask(gateway, model, {"x-stainless-read-timeout": "1"}, stream=True)
    assert answer.body.endswith(DONE)


def test_prefer_wait_bounds_a_stream_to_its_end(
    gateway: RunningServer, upstream: Upstream, model: str
):
    begun = [chunk(event) for event in chat_words(model, "Wa")]
    upstream.answers(model, [STREAM_HEAD, *begun, 20.0])
    began_s = time.monotonic()
    answer = ask(gateway, model, {"prefer": "wait=1"}, stream=True)
    assert time.monotonic() - began_s < 10
    assert b'"code":"deadline_exceeded"' in answer.body
    assert b"[DONE]" not in answer.body


def test_a_client_that_waits_long_enough_gets_its_answer(
    gateway: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(model, error(500, "server_error"), [0.2, *reply(completion(model))])
    assert ask(gateway, model, {"x-stainless-read-timeout": "10"}).status == 200
