"""Providers that do over a realtime session what nobody asked them to."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.server import ServerConnection, serve

from servers import PROVIDER_KEY, RunningServer, StartServer
from socket_events import WAIT_S, opened

_CREATED = {"type": "session.created", "event_id": "e", "session": {"type": "realtime"}}

Script = Callable[[ServerConnection], None]


class Provider:
    """A websocket server that does in the sessions of each model what a test tells it to."""

    def __init__(self) -> None:
        self.base_url = ""
        self.received: dict[str, list[dict[str, Any]]] = {}
        """By model."""
        self._scripts: dict[str, Script] = {}

    def does(self, model: str, script: Script) -> str:
        """Let sessions of `model` go like `script`; the address of one."""
        self._scripts[model] = script
        self.received[model] = []
        return f"/v1/realtime?model={model}"

    def sends(self, model: str, *events: dict[str, Any], then: int | None = None) -> str:
        """Let it send `events` at once, and close with the code `then` or wait."""

        def script(connection: ServerConnection) -> None:
            for event in (_CREATED, *events):
                connection.send(json.dumps(event))
            if then is not None:
                connection.close(then)
            for message in connection:
                self.received[model].append(json.loads(message))

        return self.does(model, script)

    def session(self, connection: ServerConnection) -> None:
        """Carry one session."""
        assert connection.request is not None
        model = parse_qs(urlsplit(connection.request.path).query)["model"][0]
        with suppress(ConnectionClosed):
            self._scripts[model](connection)


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    provider = Provider()
    with serve(provider.session, "127.0.0.1", 0, compression=None) as listening:
        provider.base_url = f"http://127.0.0.1:{listening.socket.getsockname()[1]}/v1"
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield provider
        listening.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def server(shared_with: StartServer, provider: Provider) -> RunningServer:
    return shared_with(
        settings=f"""
providers: {{openai: {{base_url: "{provider.base_url}", api_key: {PROVIDER_KEY}}}}}
prices: {{"*": {{input: "1000", output: "1000"}}}}
budgets: [{{per: key, of: {{feature: poor}}, usd: "0.01", window: total}}]
"""
    )


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


async def test_a_response_that_nobody_asked_for_is_counted(
    server: RunningServer, provider: Provider
):
    told = done("resp_unasked", input_tokens=10, output_tokens=5)
    path = provider.sends("unasked", begun("resp_unasked"), delta("resp_unasked"), told)
    async with opened(server, path=path) as events:
        await events.until("response.done")
    record = await asyncio.to_thread(server.record, response_id="resp_unasked")
    assert (record["input_tokens"], record["output_tokens"]) == (10, 5)
    assert record["cost_nanousd"] == 15_000_000


async def test_one_that_can_not_be_paid_is_cancelled_and_not_passed_on(
    server: RunningServer, provider: Provider
):
    told = done("resp_unpaid", input_tokens=10, output_tokens=1)
    path = provider.sends("unpaid", begun("resp_unpaid"), delta("resp_unpaid"), told)
    received = provider.received["unpaid"]
    async with opened(server, path=path, headers={"x-headgate-feature": "poor"}) as events:
        error = await events.until("error")
        assert error["error"]["code"] == "budget_exceeded"
        await events.send({"type": "input_audio_buffer.clear"})
        async with asyncio.timeout(WAIT_S):
            while not any(e["type"] == "input_audio_buffer.clear" for e in received):
                await asyncio.sleep(0.02)
    record = await asyncio.to_thread(server.record, response_id="resp_unpaid")
    cancelled = [e for e in received if e["type"] == "response.cancel"]
    assert [event["response_id"] for event in cancelled] == ["resp_unpaid"]
    assert not any("delta" in event for event in events.seen)
    assert record["cost_nanousd"] == 11_000_000, "what it did all the same is in the books"


async def test_a_response_without_usage_is_estimated_and_says_so(
    server: RunningServer, provider: Provider
):
    said = begun("resp_untold"), delta("resp_untold"), done("resp_untold")
    async with opened(server, path=provider.sends("untold", *said)) as events:
        await events.until("response.done")
    record = await asyncio.to_thread(server.record, response_id="resp_untold")
    assert record["tokens_estimated"]
    assert record["output_tokens"] == 1
    assert record["cost_nanousd"] > 0


async def test_a_session_that_the_provider_ends_well_ends_well(
    server: RunningServer, provider: Provider
):
    async with opened(server, path=provider.sends("ending", then=1000)) as events:
        assert await events.closed() == 1000
    assert [event["type"] for event in events.seen] == ["session.created"]


async def test_a_provider_that_quotes_its_key_is_not_repeated(
    server: RunningServer, provider: Provider
):
    quoting = {"type": "error", "error": {"message": f"bad key {PROVIDER_KEY}", "type": "x"}}
    async with opened(server, path=provider.sends("quoting", quoting)) as events:
        error = await events.until("error")
    assert error["error"]["message"] == "bad key [redacted]"


async def test_a_session_that_begins_with_an_error_is_a_refused_handshake(
    server: RunningServer, provider: Provider
):
    def script(connection: ServerConnection) -> None:
        error = {"message": "no more", "type": "insufficient_quota", "code": "insufficient_quota"}
        connection.send(json.dumps({"type": "error", "error": error}))
        connection.recv()

    with pytest.raises(InvalidStatus) as raised:
        async with opened(server, path=provider.does("refusing", script)):
            pass
    answer = raised.value.response
    assert answer.status_code == 429
    assert json.loads(answer.body)["error"]["code"] == "insufficient_quota"


async def test_a_client_that_does_not_read_holds_its_provider_back(
    server: RunningServer, provider: Provider
):
    sent = 0

    def script(connection: ServerConnection) -> None:
        nonlocal sent
        connection.send(json.dumps(_CREATED))
        connection.recv()
        for _ in range(1_000):
            connection.send(json.dumps({"type": "x", "filling": "x" * 100_000}))
            sent += 1

    path = provider.does("flooding", script)
    # It leaves what it has not read unread, so there is no reply to its close to wait for.
    async with opened(server, path=path, max_queue=1, close_timeout=0.1) as events:
        await events.send({"type": "input_audio_buffer.clear"})
        before = -1
        while sent == 0 or sent != before:
            before = sent
            await asyncio.sleep(0.5)
        assert 0 < sent < 400, "of 100 MB, what the buffers on the way hold"
        for _ in range(500):
            await events.next()
        assert sent > before
