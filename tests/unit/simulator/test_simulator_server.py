"""The simulator starts fast, stops when it is told, and can be a process of its own."""

from __future__ import annotations

import asyncio
import http.client
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import openai
import pytest
from plain_http import ask

from headgate.simulator import Simulator, SimulatorConfig, serve_in_thread
from headgate.simulator.faults.grammar import FaultSyntaxError
from headgate.simulator.wire.delivery import SimulatedDisconnectError

PROCESS = """
from headgate.simulator import SimulatorConfig, run
run(SimulatorConfig(port=0), lambda url: print(url, flush=True))
print("stopped", flush=True)
"""


def test_it_starts_and_stops_in_no_time():
    threads = threading.active_count()
    began = time.monotonic()
    with serve_in_thread() as handle:
        started_s = time.monotonic() - began
        assert handle.base_url.startswith("http://127.0.0.1:")
        assert handle.base_url.endswith("/v1")
        assert ask(f"{handle.base_url}/models").status == 200
        began = time.monotonic()
    assert started_s < 5
    assert time.monotonic() - began < 4
    assert threading.active_count() == threads
    handle.close()


def test_a_stalled_stream_does_not_keep_it_from_stopping():
    with serve_in_thread(SimulatorConfig(faults="stall;after=1")) as handle:
        address = urlsplit(handle.base_url)
        assert address.hostname is not None
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=5)
        body = '{"model":"gpt-4.1","stream":true,"messages":[{"role":"user","content":"x"}]}'
        connection.request("POST", "/v1/chat/completions", body, {"authorization": "Bearer k"})
        reply = connection.getresponse()
        reply.read1(100)
        began = time.monotonic()
        handle.close()
        assert time.monotonic() - began < 4
        reply.close()
        connection.close()


def test_a_taken_port_is_told():
    with serve_in_thread() as first:
        port = urlsplit(first.base_url).port or 0
        with pytest.raises(OSError, match="in use"), serve_in_thread(SimulatorConfig(port=port)):
            pass


def test_several_run_side_by_side():
    with serve_in_thread() as one, serve_in_thread() as other:
        assert one.base_url != other.base_url
        assert ask(f"{one.base_url}/models").body == ask(f"{other.base_url}/models").body


def test_it_listens_on_ipv6_where_it_is_told_to():
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        with serve_in_thread(SimulatorConfig(host="::1")) as handle:
            assert handle.base_url.startswith("http://[::1]:")
            assert ask(f"{handle.base_url}/models").status == 200
    except OSError:
        pytest.skip("no IPv6 here")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_as_a_process_it_runs_until_it_is_signalled(number: signal.Signals, tmp_path: Path):
    process = subprocess.Popen(
        [sys.executable, "-c", PROCESS], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    )
    try:
        assert process.stdout is not None
        base_url = process.stdout.readline().strip()
        with openai.OpenAI(base_url=base_url, api_key="k") as sdk:
            assert sdk.responses.create(model="gpt-4.1", input="Say hi you").output_text == "hi you"
        process.send_signal(number)
        assert process.wait(10) == 0
        assert process.stdout.read() == "stopped\n"
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def test_a_configuration_that_cannot_be_is_refused():
    with pytest.raises(FaultSyntaxError):
        Simulator(SimulatorConfig(faults="explode"))


def test_the_rates_limits_are_enforced_where_it_is_wished():
    config = SimulatorConfig(requests_per_min=2, enforce_rate_limits=True)
    with (
        serve_in_thread(config) as handle,
        openai.OpenAI(base_url=handle.base_url, api_key="k", max_retries=0) as sdk,
    ):
        for _ in range(2):
            sdk.embeddings.create(model="text-embedding-3-small", input="x")
        with pytest.raises(openai.RateLimitError) as limited:
            sdk.embeddings.create(model="text-embedding-3-small", input="x")
        assert int(limited.value.response.headers["retry-after"]) >= 1
        assert limited.value.response.headers["x-ratelimit-remaining-requests"] == "0"


async def test_in_a_tests_own_process_a_cut_fails_the_application():
    body = b'{"model":"gpt-4.1","messages":[{"role":"user","content":"x"}]}'
    sent: list[dict[str, object]] = []

    arriving: asyncio.Queue[dict[str, object]] = asyncio.Queue()
    for _ in range(2):
        arriving.put_nowait({"type": "http.request", "body": body, "more_body": False})
    receive = arriving.get

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/chat/completions",
        "query_string": b"",
        "headers": [(b"authorization", b"Bearer k")],
    }
    await Simulator()(scope, receive, send)  # type: ignore[arg-type]
    assert sent[0]["status"] == 200
    scope["headers"] = [(b"authorization", b"Bearer k"), (b"x-simulator-fault", b"reset")]
    with pytest.raises(SimulatedDisconnectError):
        await Simulator()(scope, receive, send)  # type: ignore[arg-type]
