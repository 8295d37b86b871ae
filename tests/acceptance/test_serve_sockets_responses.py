"""Websockets of Responses as an operator relies on them: the same keys, limits, books and stops."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from headgate.cli.init import write_example
from servers import ADMIN_KEY, RunningServer, StartServer, until
from socket_events import opened
from upstreams import CUT, Upstream, response_deltas, stream

_MODEL = "gpt-4.1-mini"


def create(text: str = "How do rivers feed canals?", **more: object) -> dict[str, object]:
    return {"type": "response.create", "model": _MODEL, "input": text, **more}


@pytest.mark.parametrize(
    ("key", "path", "status", "code"),
    [
        (None, "/v1/responses", 401, b"missing_api_key"),
        ("hg_nobody-has-this-key-0123456789", "/v1/responses", 401, b"invalid_api_key"),
        (ADMIN_KEY, "/v1/chat/completions", 404, b"not_found"),
        (ADMIN_KEY, "/healthz", 404, b"not_found"),
    ],
)
async def test_a_handshake_is_refused_as_a_request_would_be(
    simulated: RunningServer, key: str | None, path: str, status: int, code: bytes
):
    with pytest.raises(InvalidStatus) as raised:
        async with opened(simulated, key, path=path):
            pass
    answer = raised.value.response
    assert answer.status_code == status
    assert code in answer.body
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"].startswith("req_")


async def test_a_role_that_calls_no_models_opens_no_socket(simulated: RunningServer):
    key = simulated.new_key(role="reviewer")
    with pytest.raises(InvalidStatus) as raised:
        async with opened(simulated, key):
            pass
    assert raised.value.response.status_code == 403


async def test_a_browsers_key_comes_as_a_subprotocol(simulated: RunningServer):
    offered = ["realtime", f"openai-insecure-api-key.{ADMIN_KEY}"]
    async with opened(simulated, None, subprotocols=offered) as events:
        await events.send(create())
        assert await events.until("response.completed")


async def test_models_that_a_key_may_not_use_are_refused_one_by_one(simulated: RunningServer):
    key = simulated.new_key(models=["gpt-4.1-*"])
    async with opened(simulated, key) as events:
        await events.send(create(model="gpt-5-mini"))
        refused = await events.until("error")
        assert (refused["status"], refused["error"]["code"]) == (403, "model_not_allowed")
        await events.send(create())
        assert await events.until("response.completed")


async def test_one_project_can_not_go_on_from_anothers_response(simulated: RunningServer):
    for name in ("upper", "lower"):
        simulated.post("/api/projects", {"name": name})
    upper, lower = (simulated.new_key(project=name) for name in ("upper", "lower"))
    async with opened(simulated, upper) as events:
        await events.send(create())
        answered = (await events.until("response.completed"))["response"]["id"]
    async with opened(simulated, lower) as events:
        await events.send(create(previous_response_id=answered))
        refused = await events.until("error")
        assert refused["error"]["code"] == "previous_response_not_found"
    async with opened(simulated, upper) as events:
        await events.send(create(previous_response_id=answered))
        assert await events.until("response.completed")


async def test_a_budget_is_kept_response_by_response_within_a_socket(
    server_with: StartServer,
):
    server = server_with(
        settings="""
prices: {"gpt-4.1-mini*": {input: "0", output: "1000"}}
budgets: [{per: key, usd: "0.05", window: total}]
"""
    )
    async with opened(server, server.new_key()) as events:
        endings = []
        for _ in range(6):
            await events.send(create(max_output_tokens=20))
            event = await events.next()
            while event["type"] not in ("error", "response.incomplete", "response.completed"):
                event = await events.next()
            endings.append(event["type"])
        assert endings.count("error") == 6 - endings.index("error") >= 3
        error = events.seen[-1]
        assert (error["status"], error["error"]["code"]) == (429, "budget_exceeded")
        assert error["error"]["headers"]["x-should-retry"] == "false"
    records = until(lambda: found if len(found := server.records()) == 6 else None, 5)
    assert sum(record["cost_nanousd"] for record in records) <= 50_000_000


async def test_a_stream_that_is_cut_ends_in_an_error_and_the_socket_goes_on(
    gateway: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(model, stream(*response_deltas(model, "Wa"), CUT))
    async with opened(gateway) as events:
        await events.send(create(model=model))
        error = await events.until("error")
        assert error["error"]["code"] == "upstream_cut"
        await events.send(create(model=model))
        assert await events.until("error")
    record = until(lambda: gateway.records(model_requested=model), 3)[0]
    assert record["error_class"] == "upstream_cut"
    assert record["tokens_estimated"]


async def test_a_client_that_leaves_takes_its_call_with_it(simulated: RunningServer):
    key = simulated.new_key_object()
    async with opened(simulated, key["key"]) as events:
        await events.send(create("Tell me a long story of rivers and canals, please."))
        await events.until("response.output_text.delta")
    record = simulated.record(key_id=key["id"])
    assert (record["status"], record["error_class"]) == (499, "client_disconnected")
    assert record["tokens_estimated"]
    assert record["cost_nanousd"] > 0


@pytest.mark.parametrize("message", ["{", "[]", '"x"', '{"type":"session.update"}', "{}"])
async def test_a_message_that_is_none_is_refused_and_the_socket_stays_open(
    simulated: RunningServer, message: str
):
    async with opened(simulated) as events:
        await events.send(message)
        refused = await events.until("error")
        assert refused["status"] == 400
        await events.send(create())
        assert await events.until("response.completed")


async def test_a_socket_is_bounded_in_number_in_size_and_in_time(server_with: StartServer):
    server = server_with(
        settings="sockets: {max_sessions: 1, max_message_bytes: 2048, idle_s: 0.5}"
    )
    async with opened(server) as events:
        with pytest.raises(InvalidStatus) as raised:
            async with opened(server):
                pass
        assert raised.value.response.status_code == 503
        assert await events.closed() == 1001
    async with opened(server) as events:
        await events.send("x" * 3000)
        assert await events.closed() == 1009


async def test_a_stop_finishes_the_response_under_way_and_then_closes(server_with: StartServer):
    server = server_with()
    async with opened(server) as idle, opened(server) as events:
        await events.send(create("Tell me a long story of rivers and canals, please."))
        await events.until("response.output_text.delta")
        server.process.send_signal(signal.SIGTERM)
        assert await idle.closed() == 1012
        assert await events.closed() == 1012
    assert events.seen[-1]["type"] == "response.completed"
    assert await asyncio.to_thread(server.wait) in (0, 143)
    assert server.record()["status"] == 200


async def test_beyond_its_grace_a_stop_ends_the_response(server_with: StartServer):
    server = server_with(settings="server: {shutdown_grace_s: 1}")
    async with opened(server, headers={"x-simulator-fault": "stall;after=8"}) as events:
        await events.send(create())
        await events.until("response.output_text.delta")
        server.process.send_signal(signal.SIGTERM)
        assert await events.closed() == 1012
    assert await asyncio.to_thread(server.wait) in (0, 143)
    record = server.record()
    assert record["error_class"] == "call_cancelled"
    assert record["tokens_estimated"]


async def test_a_workflow_is_a_model_over_a_socket_too(server_with: StartServer, tmp_path: Path):
    write_example(tmp_path / "example")
    server = server_with(folder=tmp_path / "example")
    ticket = (server.folder / "inputs" / "tickets.jsonl").read_text("utf-8").splitlines()[0]
    async with opened(server) as events:
        await events.send(create(ticket, model="workflow:ticket-triage"))
        done = await events.until("response.completed")
        assert '"summary"' in done["response"]["output"][0]["content"][0]["text"]
        await events.send(create(model="workflow:nowhere"))
        assert (await events.until("error"))["status"] == 404


_UPGRADE = "Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
_KEYED = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (f"GET /v1/responses HTTP/1.1\r\n{_UPGRADE}Sec-WebSocket-Version: 13\r\n", b"400"),
        (f"GET /v1/responses HTTP/1.1\r\n{_UPGRADE}{_KEYED}X-Long: {'a' * 20_000}\r\n", b"400"),
        (f"GET /v1/realtime?model=%ff HTTP/1.1\r\n{_UPGRADE}{_KEYED}", b"401"),
        (f"POST /v1/responses HTTP/1.1\r\n{_UPGRADE}{_KEYED}Content-Length: 0\r\n", b"401"),
    ],
)
def test_a_handshake_that_is_none_is_answered_at_once(
    simulated: RunningServer, lines: str, status: bytes
):
    with simulated.connect(5) as connection:
        connection.sendall(f"{lines}\r\n".encode())
        assert connection.recv(200).split(b" ")[1] == status


def test_frames_that_break_the_protocol_close_the_socket_with_their_code(
    simulated: RunningServer,
):
    key = f"Authorization: Bearer {ADMIN_KEY}\r\n"
    opening = f"GET /v1/responses HTTP/1.1\r\n{_UPGRADE}{_KEYED}{key}\r\n".encode()
    for frame, code in ((b"\x81\x05hello", 1002), (b"\x81\x82\0\0\0\0\xff\xfe", 1007)):
        with simulated.connect(5) as connection:
            connection.sendall(opening)
            seen = b""
            while b"\r\n\r\n" not in seen:
                seen += connection.recv(1000)
            connection.sendall(frame)
            close = connection.recv(200)
            assert close[0] == 0x88
            assert int.from_bytes(close[2:4]) == code
