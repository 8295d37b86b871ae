"""Until its first content has reached the client a stream moves to another target; then never."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from servers import RunningServer, end_server, ladders, start_server
from upstreams import (
    CUT,
    DONE,
    STREAM_HEAD,
    Script,
    Upstream,
    chat_event,
    chat_usage,
    chat_words,
    chunk,
    response_deltas,
    response_event,
    response_object,
    stream,
)

ROLE = chat_event("m", {"role": "assistant", "content": ""})


def in_stream_error(code: str) -> bytes:
    error = {"message": f"{code} it is", "type": "server_error", "param": None, "code": code}
    return b"data: " + json.dumps({"error": error}).encode() + b"\n\n"


def failed(code: str) -> list[bytes]:
    response = response_object("m", "failed", error={"code": code, "message": "no"})
    return [
        response_event("response.created", 0, response=response_object("m")),
        response_event("response.failed", 1, response=response),
    ]


CHAT: dict[str, Script] = {
    "cut-after-the-role": [STREAM_HEAD, chunk(ROLE), CUT],
    "error-first": stream(in_stream_error("server_error")),
    "error-after-the-role": stream(ROLE, in_stream_error("rate_limit_exceeded")),
}
RESPONSES: dict[str, Script] = {
    "failed": stream(*failed("server_error")),
    "cut-after-created": [STREAM_HEAD, chunk(failed("x")[0]), CUT],
}
STAYS = "refused-in-stream"
LATE = "breaks-late"
SAYS_WHY = "says-why-late"


@pytest.fixture(scope="module")
def server(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    routes = (f"moves-{name}" for name in (*CHAT, *RESPONSES, STAYS, LATE, SAYS_WHY, "thinks"))
    started = start_server(
        tmp_path_factory.mktemp("moves") / "server", settings=ladders(upstream, routes)
    )
    yield started
    end_server(started)


@pytest.mark.parametrize("name", CHAT)
def test_a_chat_moves_before_its_first_content(
    server: RunningServer, upstream: Upstream, name: str
):
    upstream.answers(f"moves-{name}-1", CHAT[name])
    body = {"model": f"moves-{name}", "messages": [], "stream": True}
    answer = server.post("/v1/chat/completions", body)
    assert answer.headers["x-headgate-target"] == f"here/moves-{name}-2"
    assert answer.body.endswith(DONE)
    assert b'"error"' not in answer.body
    assert answer.body.count(b'"role"') == 1


@pytest.mark.parametrize("name", RESPONSES)
def test_a_response_moves_before_its_first_content(
    server: RunningServer, upstream: Upstream, name: str
):
    upstream.answers(f"moves-{name}-1", RESPONSES[name])
    completed = response_event("response.completed", 9, response=response_object("m", "completed"))
    upstream.answers(f"moves-{name}-2", stream(*response_deltas("m", "Wa"), completed))
    body = {"model": f"moves-{name}", "input": "Hi", "stream": True}
    answer = server.post("/v1/responses", body)
    assert answer.headers["x-headgate-target"] == f"here/moves-{name}-2"
    assert b"response.completed" in answer.body
    assert b"response.failed" not in answer.body
    assert answer.body.count(b"event: response.created") == 1


def test_a_refusal_inside_a_stream_is_shown_as_it_is(server: RunningServer, upstream: Upstream):
    upstream.answers(f"moves-{STAYS}-1", stream(*failed("invalid_prompt")))
    body = {"model": f"moves-{STAYS}", "input": "Hi", "stream": True}
    answer = server.post("/v1/responses", body)
    assert b"invalid_prompt" in answer.body
    assert not upstream.requests(f"moves-{STAYS}-2")


def test_a_stream_whose_content_has_been_seen_stays_where_it_is(
    server: RunningServer, upstream: Upstream
):
    begun = [chunk(event) for event in chat_words("m", "Wa")]
    upstream.answers(f"moves-{LATE}-1", [STREAM_HEAD, *begun, CUT])
    body = {"model": f"moves-{LATE}", "messages": [], "stream": True}
    answer = server.post("/v1/chat/completions", body)
    assert b'"error"' in answer.body
    assert not upstream.requests(f"moves-{LATE}-2")


def test_a_stream_that_says_why_it_breaks_off_is_told_once_and_recorded_so(
    server: RunningServer, upstream: Upstream
):
    begun = [*chat_words("m", "Wa"), in_stream_error("server_error")]
    upstream.answers(f"moves-{SAYS_WHY}-1", stream(*begun))
    body = {"model": f"moves-{SAYS_WHY}", "messages": [], "stream": True}
    answer = server.post("/v1/chat/completions", body)
    assert answer.body.count(b'"error"') == 1
    assert not answer.body.endswith(DONE)
    assert server.call(answer)["error"] == "server_error"


def test_a_model_that_thinks_for_long_shows_that_it_has_begun(
    server: RunningServer, upstream: Upstream
):
    words = [chat_event("m", {"content": "Wa"}), chat_usage("m"), DONE]
    upstream.answers("moves-thinks-1", stream(ROLE, 3.0, *words))
    body = {"model": "moves-thinks", "messages": [], "stream": True}
    opened = server.begin("/v1/chat/completions", body)
    opened.read_until(b'"role"')
    assert b'"Wa"' not in opened.seen
    assert opened.rest().endswith(DONE)
