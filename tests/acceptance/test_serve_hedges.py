"""A call that may be made twice is asked of a second target where the first is slow to begin."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from servers import RunningServer, end_server, ladders, start_server
from upstreams import (
    DONE,
    Upstream,
    chat_usage,
    chat_words,
    completion,
    error,
    reply,
    stream,
)

NAMES = ("slow", "quick", "unsafe", "embeds", "streams", "both-fail", "first-wins", "second-fails")


@pytest.fixture(scope="module")
def server(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    routes = (f"hedge-{name}" for name in NAMES)
    started = start_server(
        tmp_path_factory.mktemp("hedges") / "server",
        settings=ladders(upstream, routes, "hedge: {after_s: 0.6}"),
    )
    yield started
    end_server(started)


def ask(server: RunningServer, name: str, **more: object):
    body = {"model": f"hedge-{name}", "messages": [], **more}
    return server.post("/v1/chat/completions", body, headers={"x-headgate-hedge": "safe"})


def trail(server: RunningServer, answer) -> list[tuple[object, ...]]:
    return [
        (a["reason"], a["model"][-1], a["status"], a["error"]) for a in server.call(answer)["trail"]
    ]


def test_the_second_answers_where_the_first_is_slow_and_the_first_is_broken_off(
    server: RunningServer, upstream: Upstream
):
    upstream.answers("hedge-slow-1", [20.0])
    began_s = time.monotonic()
    answer = ask(server, "slow")
    assert time.monotonic() - began_s < 5
    assert answer.headers["x-headgate-target"] == "here/hedge-slow-2"
    assert upstream.wait_for("hedge-slow-1").left.wait(3), "the first went on upstream"
    assert trail(server, answer) == [
        ("first", "1", None, "hedge_lost"),
        ("hedge", "2", 200, None),
    ]


def test_a_first_that_is_quick_is_asked_alone(server: RunningServer, upstream: Upstream):
    answer = ask(server, "quick")
    assert answer.headers["x-headgate-attempts"] == "1"
    assert not upstream.requests("hedge-quick-2")


def test_a_call_that_nobody_declared_safe_is_never_made_twice(
    server: RunningServer, upstream: Upstream
):
    upstream.answers("hedge-unsafe-1", [0.9, *reply(completion("hedge-unsafe-1"))])
    assert server.chat("hedge-unsafe").headers["x-headgate-attempts"] == "1"
    assert not upstream.requests("hedge-unsafe-2")


def test_embeddings_are_safe_by_nature(server: RunningServer, upstream: Upstream):
    body = {"object": "list", "data": [], "model": "e", "usage": {"prompt_tokens": 1}}
    upstream.answers("hedge-embeds-1", [20.0])
    upstream.answers("hedge-embeds-2", reply(body))
    answer = server.post("/v1/embeddings", {"model": "hedge-embeds", "input": "Hi"})
    assert answer.status == 200
    assert answer.headers["x-headgate-target"] == "here/hedge-embeds-2"


def test_a_stream_is_hedged_until_its_first_event(server: RunningServer, upstream: Upstream):
    events = [*chat_words("m", "Wa", "ter"), chat_usage("m"), DONE]
    upstream.answers("hedge-streams-1", [20.0])
    upstream.answers("hedge-streams-2", stream(*events))
    answer = ask(server, "streams", stream=True)
    assert answer.body.endswith(DONE)
    assert answer.headers["x-headgate-target"] == "here/hedge-streams-2"


def test_a_first_that_answers_after_all_wins(server: RunningServer, upstream: Upstream):
    upstream.answers("hedge-first-wins-1", [1.2, *reply(completion("hedge-first-wins-1"))])
    upstream.answers("hedge-first-wins-2", [20.0])
    answer = ask(server, "first-wins")
    assert answer.headers["x-headgate-target"] == "here/hedge-first-wins-1"
    assert upstream.wait_for("hedge-first-wins-2").left.wait(3)
    assert trail(server, answer) == [
        ("first", "1", 200, None),
        ("hedge", "2", None, "hedge_lost"),
    ]


def test_a_second_that_fails_leaves_the_call_to_the_first(
    server: RunningServer, upstream: Upstream
):
    upstream.answers("hedge-second-fails-1", [1.2, *reply(completion("hedge-second-fails-1"))])
    upstream.answers("hedge-second-fails-2", error(500, "server_error"))
    answer = ask(server, "second-fails")
    assert answer.status == 200
    assert answer.headers["x-headgate-target"] == "here/hedge-second-fails-1"


def test_where_both_fail_the_client_is_told_once(server: RunningServer, upstream: Upstream):
    upstream.answers("hedge-both-fail-1", [0.9, *error(500, "first")])
    upstream.answers("hedge-both-fail-2", [0.9, *error(500, "second")])
    answer = ask(server, "both-fail")
    assert (answer.status, answer.error["code"]) == (500, "second")
    assert answer.headers["x-headgate-attempts"] == "2"


def test_another_word_than_safe_is_refused(server: RunningServer):
    body = {"model": "hedge-quick", "messages": []}
    answer = server.post("/v1/chat/completions", body, headers={"x-headgate-hedge": "yes"})
    assert (answer.status, answer.error["param"]) == (400, "x-headgate-hedge")
