"""How long Headgate waits for a provider, as its file says, and what it says when it stops."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from servers import RunningServer, end_server, start_server
from upstreams import (
    STREAM_HEAD,
    Upstream,
    chat_words,
    chunk,
    completion,
    reply,
    response_deltas,
    stream,
)

_SHORT_S = 0.3
_TOTAL_S = 0.9
_LATE_S = 5.0
"""How late a busy machine may be; without the timeout each would wait for 20 s."""


@pytest.fixture(scope="module")
def full_port() -> Iterator[int]:
    """A port whose connections are never accepted, because its queue is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            waiting.append(filler)
        yield listener.getsockname()[1]
        for filler in waiting:
            filler.close()


@pytest.fixture(scope="module")
def impatient(
    upstream: Upstream, full_port: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    timeouts = f"""
      connect_s: {_SHORT_S}
      first_byte_s: {_SHORT_S}
      idle_s: {_SHORT_S}
      total_s: {_TOTAL_S}"""
    server = start_server(
        tmp_path_factory.mktemp("impatient") / "server",
        settings=f"""
providers:
  unreachable:
    base_url: http://127.0.0.1:{full_port}/v1
    models: ["unreachable"]
    timeouts: {{connect_s: {_SHORT_S}}}
  slow:
    base_url: {upstream.base_url}
    api_key: sk-slow
    timeouts:{timeouts}
    embeddings_timeouts:{timeouts}
retries: {{max_attempts: 3, base_delay_s: 0.01}}
""",
    )
    yield server
    end_server(server)


def _asked(server: RunningServer, model: str, *, streamed: bool, endpoint: str):
    body = {"model": model, "messages": [], "input": "x", "stream": streamed}
    began_s = time.monotonic()
    answer = server.post(f"/v1/{endpoint}", body)
    return answer, time.monotonic() - began_s


def test_a_provider_that_accepts_no_connection_is_given_up(impatient: RunningServer):
    answer, took_s = _asked(impatient, "unreachable", streamed=False, endpoint="chat/completions")
    assert answer.status == 504
    assert answer.error["code"] == "upstream_connect_timeout"
    assert "unreachable" in answer.error["message"]
    assert took_s < _SHORT_S + _LATE_S
    record = impatient.record(id=answer.headers["x-headgate-call-id"])
    assert (record["status"], record["error_class"]) == (504, "upstream_connect_timeout")


@pytest.mark.parametrize("endpoint", ["chat/completions", "responses"])
def test_a_stream_that_does_not_begin_is_given_up(
    impatient: RunningServer, upstream: Upstream, model: str, endpoint: str
):
    upstream.answers(model, [20.0])
    answer, took_s = _asked(impatient, model, streamed=True, endpoint=endpoint)
    assert answer.status == 504
    assert answer.error["code"] == "upstream_first_byte_timeout"
    assert "providers.slow.timeouts" in answer.error["message"]
    assert _SHORT_S <= took_s < _SHORT_S + _LATE_S
    assert upstream.wait_for(model).left.wait(2)
    assert len(upstream.requests(model)) == 1, "a provider that is slow is not asked again"


def test_a_whole_reply_may_take_all_of_its_time_before_it_begins(
    impatient: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(model, [_SHORT_S * 2, *reply(completion(model))])
    answer, _ = _asked(impatient, model, streamed=False, endpoint="chat/completions")
    assert answer.status == 200
    other = f"{model}-never"
    upstream.answers(other, [20.0])
    answer, took_s = _asked(impatient, other, streamed=False, endpoint="chat/completions")
    assert answer.status == 504
    assert _TOTAL_S <= took_s < _TOTAL_S + _LATE_S


def test_embeddings_have_timeouts_of_their_own(
    impatient: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(model, [20.0])
    answer, took_s = _asked(impatient, model, streamed=False, endpoint="embeddings")
    assert answer.status == 504
    assert took_s < _SHORT_S + _LATE_S


@pytest.mark.parametrize("endpoint", ["chat/completions", "responses"])
def test_a_stream_that_stalls_ends_in_an_error_event(
    impatient: RunningServer, upstream: Upstream, model: str, endpoint: str
):
    begun = (
        chat_words(model, "Wa") if endpoint == "chat/completions" else response_deltas(model, "Wa")
    )
    upstream.answers(model, stream(*begun, 20.0))
    answer, took_s = _asked(impatient, model, streamed=True, endpoint=endpoint)
    assert answer.status == 200
    assert answer.body.startswith(b"".join(begun))
    assert b"upstream_idle_timeout" in answer.body[len(b"".join(begun)) :]
    assert b"[DONE]" not in answer.body
    assert took_s < _SHORT_S + _LATE_S
    assert upstream.wait_for(model).left.wait(2)
    record = impatient.record(id=answer.headers["x-headgate-call-id"])
    assert (record["status"], record["error_class"]) == (200, "upstream_idle_timeout")
    assert record["tokens_estimated"]


def test_a_stream_that_never_ends_is_ended_when_its_time_is_up(
    impatient: RunningServer, upstream: Upstream, model: str
):
    drops = [step for word in chat_words(model, *["drip"] * 100) for step in (chunk(word), 0.05)]
    upstream.answers(model, [STREAM_HEAD, *drops])
    answer, took_s = _asked(impatient, model, streamed=True, endpoint="chat/completions")
    assert b"upstream_total_timeout" in answer.body
    assert _TOTAL_S <= took_s < _TOTAL_S + _LATE_S
    assert upstream.wait_for(model).left.wait(2)


def test_a_whole_reply_that_stalls_in_its_middle_is_a_504(
    impatient: RunningServer, upstream: Upstream, model: str
):
    whole = reply(completion(model))[0]
    assert isinstance(whole, bytes)
    upstream.answers(model, [whole[:-20], threading.Event()])
    answer, _ = _asked(impatient, model, streamed=False, endpoint="chat/completions")
    assert answer.status == 504
    assert answer.error["code"] == "upstream_idle_timeout"
