"""Failures that a second attempt or another target cures, and what the client and ledger see."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from servers import PROVIDER_KEY, RunningServer, StartServer, end_server, start_server
from upstreams import (
    CUT,
    DONE,
    RESET,
    STREAM_HEAD,
    Script,
    Upstream,
    chat_usage,
    chat_words,
    chunk,
    completion,
    error,
    reply,
    stream,
)


@pytest.fixture(scope="module")
def ladder(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server with a route of two targets for each of the names that tests ask for."""
    routes = "\n".join(
        f"""
  {name}:
    targets:
      - {{provider: here, model: {name}-1}}
      - {{provider: there, model: {name}-2}}"""
        for name in ROUTES
    )
    server = start_server(
        tmp_path_factory.mktemp("ladder") / "server",
        settings=f"""
providers:
  here: {{base_url: "{upstream.base_url}", api_key: {PROVIDER_KEY}}}
  there: {{base_url: "{upstream.base_url}", api_key: {PROVIDER_KEY}}}
retries:
  max_attempts: 2
  base_delay_s: 0.01
  max_delay_s: 1
  # All routes share two providers, and the first fails in each test: it must not count as down.
  budget: {{floor_per_s: 1000}}
routes:{routes}
""",
    )
    yield server
    end_server(server)


BROKEN: dict[str, Script] = {
    "429": error(429, "rate_limit_exceeded"),
    "500": error(500, "server_error"),
    "503-page": reply(b"<html>busy</html>", status=503, content_type="text/html"),
    "529": error(529, "overloaded"),
    "no-json": reply(b"Internal error", status=200),
    "no-object": reply(b"[1, 2]"),
    "error-with-200": reply({"error": {"message": "No model is free.", "code": 503}}),
    "text-with-200": reply({"error": "No model is free."}),
    "no-status": reply(completion("no-status"), status=999),
    "cut": [b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{", CUT],
    "reset": [RESET],
    "garbage": [b"SSH-2.0-OpenSSH_9.6\r\n", CUT],
    "401": error(401, "invalid_api_key"),
    "404": error(404, "model_not_found"),
}

ROUTES = [
    *(f"falls-{name.lower()}" for name in BROKEN),
    *(f"streams-{name}" for name in ("error", "cut-early", "cut-late")),
    "quota",
    "bad-request",
    "all-broken",
]


def test_a_429_that_passes_is_not_seen_by_the_client(
    gateway: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(
        model,
        error(429, "rate_limit_exceeded", headers=[("retry-after-ms", "30")]),
        reply(completion(model)),
    )
    answer = gateway.chat(model)
    assert answer.status == 200
    assert answer.headers["x-headgate-attempts"] == "2"
    record = gateway.record(id=answer.headers["x-headgate-call-id"])
    assert (record["status"], record["attempts"], record["error_class"]) == (200, 2, None)
    assert len(gateway.records(model_requested=model)) == 1


@pytest.mark.parametrize("name", ["500", "503-page", "no-json", "cut", "garbage"])
def test_a_failure_that_passes_is_not_seen_by_the_client(
    gateway: RunningServer, upstream: Upstream, model: str, name: str
):
    upstream.answers(model, BROKEN[name], reply(completion(model)))
    answer = gateway.chat(model)
    assert answer.status == 200
    assert answer.headers["x-headgate-attempts"] == "2"


def test_an_error_that_comes_as_200_is_raised_in_the_sdk(
    gateway: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(model, reply({"error": {"message": "Too much.", "code": "context_full"}}))
    answer = gateway.chat(model)
    assert (answer.status, answer.error["code"]) == (502, "context_full")
    record = gateway.record(id=answer.headers["x-headgate-call-id"])
    assert (record["status"], record["error_class"]) == (502, "context_full")


def test_a_connection_that_was_reset_is_made_anew(
    gateway: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(model, [RESET], reply(completion(model)))
    assert gateway.chat(model).status == 200
    assert len(upstream.requests(model)) == 2


def test_a_provider_is_left_alone_for_as_long_as_it_asks(
    gateway: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(
        model,
        error(429, "rate_limit_exceeded", headers=[("retry-after", "1")]),
        reply(completion(model)),
    )
    began_s = time.monotonic()
    assert gateway.chat(model).status == 200
    assert time.monotonic() - began_s >= 1.0


def test_a_429_that_asks_for_too_long_is_handed_on_with_its_headers(
    gateway: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(
        model,
        error(
            429,
            "rate_limit_exceeded",
            headers=[("retry-after", "60"), ("x-should-retry", "true")],
        ),
    )
    began_s = time.monotonic()
    answer = gateway.chat(model)
    assert time.monotonic() - began_s < 20
    assert answer.status == 429
    assert answer.headers["retry-after"] == "60"
    assert answer.headers["x-should-retry"] == "true"
    assert answer.error["code"] == "rate_limit_exceeded"
    record = gateway.record(id=answer.headers["x-headgate-call-id"])
    assert (record["status"], record["error_class"]) == (429, "rate_limit_exceeded")
    assert record["cost_nanousd"] == 0


def test_the_attempts_are_as_many_as_the_file_says_and_the_last_answer_is_shown(
    gateway: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(model, error(500, "one"), error(500, "two"), error(500, "three"))
    answer = gateway.chat(model)
    assert answer.status == 500
    assert answer.error["code"] == "three"
    assert answer.headers["x-headgate-attempts"] == "3"
    assert len(upstream.requests(model)) == 3


@pytest.mark.parametrize("status", [400, 403, 404, 409, 413, 422])
def test_a_mistake_of_the_client_is_not_tried_again(
    gateway: RunningServer, upstream: Upstream, model: str, status: int
):
    upstream.answers(model, error(status, "your_mistake"))
    answer = gateway.chat(model)
    assert (answer.status, answer.error["code"]) == (status, "your_mistake")
    assert len(upstream.requests(model)) == 1


def test_an_empty_quota_is_not_tried_again(gateway: RunningServer, upstream: Upstream, model: str):
    upstream.answers(model, error(429, "insufficient_quota"))
    assert gateway.chat(model).status == 429
    assert len(upstream.requests(model)) == 1


def test_a_refused_provider_key_is_the_operators_matter_and_not_shown(
    gateway: RunningServer, upstream: Upstream, model: str
):
    words = f"Incorrect API key provided: {PROVIDER_KEY}"
    upstream.answers(
        model,
        reply({"error": {"message": words, "type": "x", "param": None, "code": "x"}}, status=401),
    )
    answer = gateway.chat(model)
    assert answer.status == 502
    assert answer.error["code"] == "upstream_authentication_failed"
    assert "operator" in answer.error["message"]
    assert answer.headers["x-should-retry"] == "false"
    assert PROVIDER_KEY not in answer.body.decode()


@pytest.mark.parametrize("name", BROKEN)
def test_the_second_target_answers_where_the_first_fails(
    ladder: RunningServer, upstream: Upstream, name: str
):
    route = f"falls-{name}"
    upstream.answers(f"{route}-1", BROKEN[name])
    answer = ladder.chat(route)
    assert answer.status == 200
    assert answer.headers["x-headgate-target"] == f"there/{route}-2"
    tries = 1 if name in ("401", "404") else 2
    assert answer.headers["x-headgate-attempts"] == str(tries + 1)
    record = ladder.record(id=answer.headers["x-headgate-call-id"])
    assert record["route"] == record["model_requested"] == route
    assert (record["provider"], record["model_answered"]) == ("there", f"{route}-2")
    assert record["attempts"] == tries + 1


def test_a_mistake_of_the_client_is_not_taken_to_the_second_target(
    ladder: RunningServer, upstream: Upstream
):
    upstream.answers("bad-request-1", error(400, "your_mistake"))
    assert ladder.chat("bad-request").status == 400
    assert not upstream.requests("bad-request-2")


def test_an_empty_quota_is_taken_to_the_second_target_at_once(
    ladder: RunningServer, upstream: Upstream
):
    upstream.answers("quota-1", error(429, "insufficient_quota"))
    answer = ladder.chat("quota")
    assert (answer.status, answer.headers["x-headgate-attempts"]) == (200, "2")


def test_what_the_last_target_said_is_shown_where_all_fail(
    ladder: RunningServer, upstream: Upstream
):
    upstream.answers("all-broken-1", error(503, "first_is_down"))
    upstream.answers("all-broken-2", error(503, "second_is_down"))
    answer = ladder.chat("all-broken")
    assert (answer.status, answer.error["code"]) == (503, "second_is_down")
    assert answer.headers["x-headgate-attempts"] == "4"
    assert len(ladder.records(model_requested="all-broken")) <= 1


def _streamed(server: RunningServer, model: str):
    return server.post("/v1/chat/completions", {"model": model, "messages": [], "stream": True})


@pytest.mark.parametrize(
    ("route", "script"),
    [
        ("streams-error", error(500, "server_error")),
        ("streams-cut-early", [STREAM_HEAD, CUT]),
    ],
)
def test_a_stream_that_fails_before_its_first_event_is_taken_to_the_second_target(
    ladder: RunningServer, upstream: Upstream, route: str, script: Script
):
    upstream.answers(f"{route}-1", script)
    answer = _streamed(ladder, route)
    assert answer.status == 200
    assert answer.headers["x-headgate-target"] == f"there/{route}-2"
    assert answer.body.endswith(DONE)


def test_a_stream_that_fails_after_its_first_event_never_moves_silently(
    ladder: RunningServer, upstream: Upstream
):
    begun = chat_words("streams-cut-late-1", "Wa")
    upstream.answers("streams-cut-late-1", [STREAM_HEAD, *(chunk(event) for event in begun), CUT])
    answer = _streamed(ladder, "streams-cut-late")
    assert answer.body.startswith(b"".join(begun))
    assert b'"error"' in answer.body[len(b"".join(begun)) :]
    assert b"[DONE]" not in answer.body
    assert not upstream.requests("streams-cut-late-2")


def test_a_target_that_tells_no_usage_is_not_asked_for_it(
    server_with: StartServer, upstream: Upstream, model: str
):
    server = server_with(
        settings=f"""
providers:
  tells: {{base_url: "{upstream.base_url}", api_key: {PROVIDER_KEY}}}
  refuses: {{base_url: "{upstream.base_url}", api_key: {PROVIDER_KEY}, stream_usage: false}}
retries: {{max_attempts: 1}}
routes:
  down:
    targets: [{{provider: tells, model: {model}-1}}, {{provider: refuses, model: {model}-2}}]
  up:
    targets: [{{provider: refuses, model: {model}-3}}, {{provider: tells, model: {model}-4}}]
"""
    )
    for failing in (1, 3):
        upstream.answers(f"{model}-{failing}", error(503, "busy"))
    for route in ("down", "up"):
        answer = _streamed(server, route)
        assert answer.body.endswith(DONE)
    asked = [upstream.wait_for(f"{model}-{n}").json().get("stream_options") for n in (1, 2, 3, 4)]
    assert asked == [{"include_usage": True}, None, None, {"include_usage": True}]


def test_a_stream_is_tried_again_too(gateway: RunningServer, upstream: Upstream, model: str):
    upstream.answers(
        model,
        error(503, "busy"),
        [STREAM_HEAD, RESET],
        stream(*chat_words(model, "Water"), chat_usage(model), DONE),
    )
    answer = _streamed(gateway, model)
    assert answer.headers["x-headgate-attempts"] == "3"
    assert answer.body.endswith(DONE)
    assert gateway.record(id=answer.headers["x-headgate-call-id"])["output_tokens"] == 3
