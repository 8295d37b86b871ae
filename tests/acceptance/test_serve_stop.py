"""A stop: what is in flight is finished or cleanly ended, and no record is lost."""

from __future__ import annotations

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from crowd import answers_well, write_workflow
from servers import ADMIN_KEY, OpenStream, RunningServer, StartServer, until
from upstreams import (
    DONE,
    Upstream,
    chat_event,
    chat_usage,
    chat_words,
    completion,
    reply,
    response_deltas,
    stream,
)


def _streaming(model: str) -> dict[str, object]:
    return {"model": model, "messages": [], "stream": True}


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stream_in_flight_is_finished_and_recorded(
    server_with: StartServer, upstream: Upstream, model: str, workers: int, number: signal.Signals
):
    server = server_with(upstream=upstream, workers=workers, as_installed=True)
    go_on = threading.Event()
    upstream.answers(
        model,
        stream(
            *chat_words(model, "Wa"),
            go_on,
            chat_event(model, {"content": "ter"}),
            chat_usage(model),
            DONE,
        ),
    )
    flowing = server.begin("/v1/chat/completions", _streaming(model))
    flowing.read_until(b'"Wa"')
    server.process.send_signal(number)
    # It no longer listens, but it still speaks.
    assert until(lambda: not _is_listening(server), 5)
    assert server.process.poll() is None
    go_on.set()
    assert flowing.rest().endswith(DONE)
    assert b'"ter"' in flowing.seen
    assert server.wait() in (0, 128 + number)
    record = server.record(id=flowing.headers["x-headgate-call-id"])
    assert (record["status"], record["error_class"]) == (200, None)
    assert (record["input_tokens"], record["output_tokens"]) == (9, 3)


def _is_listening(server: RunningServer) -> bool:
    try:
        server.connect(1).close()
    except OSError:
        return False
    return True


def test_beyond_its_grace_a_stop_ends_streams_in_an_error_and_replies_with_one(
    server_with: StartServer, upstream: Upstream, model: str
):
    server = server_with(
        upstream=upstream, settings="server: {shutdown_grace_s: 1}", as_installed=True
    )
    chat, response, whole = f"{model}-chat", f"{model}-response", f"{model}-whole"
    upstream.answers(chat, stream(*chat_words(chat, "Wa"), 30.0))
    upstream.answers(response, stream(*response_deltas(response, "Wa"), 30.0))
    upstream.answers(whole, [30.0])
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(server.chat, whole)
        upstream.wait_for(whole)
        chatting = server.begin("/v1/chat/completions", _streaming(chat))
        responding = server.begin(
            "/v1/responses", {"model": response, "input": "x", "stream": True}
        )
        chatting.read_until(b'"Wa"')
        responding.read_until(b'"Wa"')
        began_s = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        for flowing in (chatting, responding):
            text = flowing.rest()
            assert b'"error"' in text
            assert b"call_cancelled" in text
            assert b"[DONE]" not in text
            assert b"response.completed" not in text
        answer = waiting.result()
    assert (answer.status, answer.error["code"]) == (503, "call_cancelled")
    assert server.wait() == 0
    assert 0.9 <= time.monotonic() - began_s < 6
    for name in (chat, response, whole):
        assert server.record(model_requested=name)["error_class"] == "call_cancelled"
        assert upstream.wait_for(name).left.wait(1)


def test_no_record_is_lost_by_a_stop(server_with: StartServer, upstream: Upstream, model: str):
    server = server_with(
        upstream=upstream, settings="ledger: {flush_interval_ms: 200}", as_installed=True
    )
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: server.chat(model), range(60)))
    server.process.send_signal(signal.SIGTERM)
    assert server.wait() == 0
    told = {answer.headers["x-headgate-call-id"] for answer in answers}
    assert len(told) == 60
    assert {record["id"] for record in server.records(model_requested=model)} == told


def test_an_idle_connection_does_not_hold_a_stop_up(
    server_with: StartServer, upstream: Upstream, model: str
):
    server = server_with(upstream=upstream, as_installed=True)
    upstream.answers(model, reply(completion(model)))
    assert server.chat(model).status == 200
    with server.connect() as idle:
        idle.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        assert b" 200 " in idle.recv(65536)
        began_s = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began_s < 3


_HEEDS_NOTHING = """
import asyncio
import threading

from headgate.checks.guards import PASS, Guard


class HeedsNothing(Guard):
    async def check_input(self, parts, call):
        threading.Thread(target=threading.Event().wait).start()
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                pass
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_a_guard_that_heeds_no_cancellation_does_not_hold_a_stop_up(
    server_with: StartServer, tmp_path: Path, upstream: Upstream, model: str, workers: int
):
    (tmp_path / "guard.py").write_text(_HEEDS_NOTHING)
    server = server_with(
        upstream=upstream,
        workers=workers,
        settings=f"""
guards:
  stubborn:
    custom: {{file: {tmp_path}/guard.py, guard: HeedsNothing}}
    timeout_s: 0.1
guard_policies: {{all: {{guards: [stubborn]}}}}
""",
        as_installed=True,
    )
    refused = server.chat(model)
    assert (refused.status, refused.error["code"]) == (503, "guard_failed")
    assert server.stop() == 0
    assert server.record(model_requested=model)["status"] == 503


def test_a_second_signal_ends_it_at_once_and_loses_no_record(
    server_with: StartServer, upstream: Upstream, model: str
):
    server = server_with(upstream=upstream, as_installed=True)
    stuck = f"{model}-stuck"
    upstream.answers(stuck, stream(*chat_words(stuck, "Wa"), 30.0))
    flowing = server.begin("/v1/chat/completions", _streaming(stuck))
    flowing.read_until(b'"Wa"')
    done = server.chat(model)
    server.process.send_signal(signal.SIGINT)
    assert until(lambda: not _is_listening(server), 5)
    began_s = time.monotonic()
    server.process.send_signal(signal.SIGINT)
    server.wait()
    assert time.monotonic() - began_s < 8
    assert server.record(id=done.headers["x-headgate-call-id"])["status"] == 200
    flowing.leave()


@pytest.mark.parametrize("workers", [1, 2])
def test_who_follows_a_run_that_waits_keeps_no_server_from_stopping(
    server_with: StartServer, upstream: Upstream, model: str, workers: int, tmp_path: Path
):
    write_workflow(tmp_path / "installation", "labels", model, "review: {always: true}")
    answers_well(upstream, model, after_s=0.0)
    server = server_with(
        folder=tmp_path / "installation", settings="", upstream=upstream, workers=workers
    )
    run = server.post("/api/workflows/labels/runs", {"input": {"text": "hello"}}).json()
    assert run["status"] == "awaiting_review"
    with closing(HTTPConnection(server.host, server.port, timeout=20)) as connection:
        headers = {"authorization": f"Bearer {ADMIN_KEY}"}
        connection.request("GET", f"/api/runs/{run['id']}/events", headers=headers)
        followed = OpenStream(connection)
        followed.read_until(b"event: run.awaiting_review")
        server.process.send_signal(signal.SIGTERM)
        followed.rest()  # it has an end, and is not cut
    assert server.wait(15) == 0, "the grace of 30 s is for calls"
