"""Providers that do over a realtime session what nobody asked them to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import InvalidStatus

from servers import PROVIDER_KEY, RunningServer, StartServer
from socket_events import opened

_PATH = "/v1/realtime?model=gpt-realtime"
_CREATED = {"type": "session.created", "event_id": "e", "session": {"type": "realtime"}}

Script = Callable[[ServerConnection], Awaitable[None]]


class Provider:
    """A websocket server that does what a test tells it to."""

    def __init__(self, port: int) -> None:
        self.base_url = f"http://127.0.0.1:{port}/v1"
        self.received: list[dict[str, Any]] = []


@asynccontextmanager
async def provider_that(
    *events: dict[str, Any], then: int | None = None
) -> AsyncIterator[Provider]:
    """One that sends `events` at once, and closes with the code `then` or waits."""
    provider: Provider

    async def session(connection: ServerConnection) -> None:
        for event in (_CREATED, *events):
            await connection.send(json.dumps(event))
        if then is not None:
            await connection.close(then)
            return
        async for message in connection:
            provider.received.append(json.loads(message))

    async with serve(session, "127.0.0.1", 0) as server:
        provider = Provider(server.sockets[0].getsockname()[1])
        yield provider


async def started(server_with: StartServer, provider: Provider, more: str = "") -> RunningServer:
    # In a thread: the provider lives on this loop.
    settings = f"""
providers: {{openai: {{base_url: "{provider.base_url}", api_key: {PROVIDER_KEY}}}}}
prices: {{"gpt-realtime": {{input: "1000", output: "1000"}}}}
{more}
"""
    return await asyncio.to_thread(server_with, settings=settings)


def begun(response_id: str) -> dict[str, Any]:
    response = {"id": response_id, "status": "in_progress", "conversation_id": "conv"}
    return {"type": "response.created", "response": response}


def delta(response_id: str) -> dict[str, Any]:
    return {"type": "response.output_text.delta", "response_id": response_id, "delta": "Water"}


def done(response_id: str, **usage: int) -> dict[str, Any]:
    response = {
        "id": response_id,
        "status": "completed",
        "conversation_id": "conv",
        "usage": usage or None,
    }
    return {"type": "response.done", "response": response}


async def test_a_response_that_nobody_asked_for_is_counted(server_with: StartServer):
    told = done("resp_1", input_tokens=10, output_tokens=5)
    async with provider_that(begun("resp_1"), delta("resp_1"), told) as provider:
        server = await started(server_with, provider)
        async with opened(server, path=_PATH) as events:
            await events.until("response.done")
        record = await asyncio.to_thread(server.record, response_id="resp_1")
    assert (record["input_tokens"], record["output_tokens"]) == (10, 5)
    assert record["cost_nanousd"] == 15_000_000


async def test_one_that_can_not_be_paid_is_cancelled_and_not_passed_on(server_with: StartServer):
    budget = "budgets: [{per: key, usd: '0.01', window: total}]"
    told = done("resp_1", input_tokens=10, output_tokens=1)
    async with provider_that(begun("resp_1"), delta("resp_1"), told) as provider:
        server = await started(server_with, provider, budget)
        async with opened(server, path=_PATH) as events:
            error = await events.until("error")
            assert error["error"]["code"] == "budget_exceeded"
            await events.send({"type": "input_audio_buffer.clear"})
            while not any(e["type"] == "input_audio_buffer.clear" for e in provider.received):
                await asyncio.sleep(0.02)
        record = await asyncio.to_thread(server.record, response_id="resp_1")
    cancelled = [e for e in provider.received if e["type"] == "response.cancel"]
    assert [event["response_id"] for event in cancelled] == ["resp_1"]
    assert not any("delta" in event for event in events.seen)
    assert record["cost_nanousd"] == 11_000_000, "what it did all the same is in the books"


async def test_a_response_without_usage_is_estimated_and_says_so(server_with: StartServer):
    async with provider_that(begun("resp_1"), delta("resp_1"), done("resp_1")) as provider:
        server = await started(server_with, provider)
        async with opened(server, path=_PATH) as events:
            await events.until("response.done")
        record = await asyncio.to_thread(server.record, response_id="resp_1")
    assert record["tokens_estimated"]
    assert record["output_tokens"] == 1
    assert record["cost_nanousd"] > 0


async def test_a_session_that_the_provider_ends_well_ends_well(server_with: StartServer):
    async with provider_that(then=1000) as provider:
        server = await started(server_with, provider)
        async with opened(server, path=_PATH) as events:
            assert await events.closed() == 1000
    assert [event["type"] for event in events.seen] == ["session.created"]


async def test_a_provider_that_quotes_its_key_is_not_repeated(server_with: StartServer):
    quoting = {"type": "error", "error": {"message": f"bad key {PROVIDER_KEY}", "type": "x"}}
    async with provider_that(quoting) as provider:
        server = await started(server_with, provider)
        async with opened(server, path=_PATH) as events:
            error = await events.until("error")
    assert error["error"]["message"] == "bad key [redacted]"


async def test_a_session_that_begins_with_an_error_is_a_refused_handshake(
    server_with: StartServer,
):
    async def session(connection: ServerConnection) -> None:
        error = {"message": "no more", "type": "insufficient_quota", "code": "insufficient_quota"}
        await connection.send(json.dumps({"type": "error", "error": error}))
        await connection.wait_closed()

    async with serve(session, "127.0.0.1", 0) as listening:
        provider = Provider(listening.sockets[0].getsockname()[1])
        server = await started(server_with, provider)
        with pytest.raises(InvalidStatus) as raised:
            async with opened(server, path=_PATH):
                pass
    answer = raised.value.response
    assert answer.status_code == 429
    assert json.loads(answer.body)["error"]["code"] == "insufficient_quota"


async def test_a_client_that_does_not_read_holds_its_provider_back(server_with: StartServer):
    sent = 0

    async def session(connection: ServerConnection) -> None:
        nonlocal sent
        await connection.send(json.dumps(_CREATED))
        await connection.recv()
        for _ in range(1_000):
            await connection.send(json.dumps({"type": "x", "filling": "x" * 100_000}))
            sent += 1

    async with serve(session, "127.0.0.1", 0, compression=None) as listening:
        provider = Provider(listening.sockets[0].getsockname()[1])
        server = await started(server_with, provider)
        # It leaves what it has not read unread, so there is no reply to its close to wait for.
        async with opened(server, path=_PATH, max_queue=1, close_timeout=0.1) as events:
            await events.send({"type": "input_audio_buffer.clear"})
            before = -1
            while sent != before:
                before = sent
                await asyncio.sleep(0.5)
            assert 0 < sent < 400, "of 100 MB, what the buffers on the way hold"
            for _ in range(500):
                await events.next()
            assert sent > before
