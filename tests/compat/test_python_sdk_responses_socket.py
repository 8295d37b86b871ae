"""The official SDK's websocket of Responses, as it is documented, in front of a running server."""

from __future__ import annotations

from openai import AsyncOpenAI, OpenAI

from servers import RunningServer, until

_MODEL = "gpt-4.1-mini"


def test_a_response_comes_event_by_event_over_a_socket(client: OpenAI):
    with client.responses.connect() as connection:
        connection.response.create(model=_MODEL, input="How do rivers feed canals?")
        seen = []
        for event in connection:
            seen.append(event.type)
            if event.type == "response.completed":
                break
    assert seen[:2] == ["response.created", "response.in_progress"]
    assert "response.output_text.delta" in seen
    assert event.response.usage.output_tokens > 0


async def test_the_asynchronous_client_goes_on_over_the_same_socket(async_client: AsyncOpenAI):
    async with async_client.responses.connect() as connection:
        await connection.response.create(model=_MODEL, input="My favourite word is sluice.")
        first = await _answer(connection)
        await connection.response.create(
            model=_MODEL, input="And what is a weir?", previous_response_id=first.id
        )
        second = await _answer(connection)
    assert second.previous_response_id == first.id
    assert second.usage.input_tokens > first.usage.input_tokens


async def test_what_nobody_stored_can_be_gone_on_from_on_its_own_socket(
    async_client: AsyncOpenAI,
):
    async with async_client.responses.connect() as connection:
        await connection.response.create(
            model=_MODEL, input="My favourite word is sluice.", store=False
        )
        first = await _answer(connection)
        await connection.response.create(
            model=_MODEL, input="And weir?", store=False, previous_response_id=first.id
        )
        second = await _answer(connection)
        assert second.usage.input_tokens > first.usage.input_tokens + first.usage.output_tokens
        await connection.response.create(
            model=_MODEL, input="And mill?", store=False, previous_response_id=first.id
        )
        error = await connection.recv()
        assert error.type == "error"
        assert error.error.code == "previous_response_not_found"
    async with async_client.responses.connect() as other:
        await other.response.create(
            model=_MODEL, input="And mill?", store=False, previous_response_id=second.id
        )
        assert (await other.recv()).error.code == "previous_response_not_found"


async def test_a_warm_up_costs_nothing_and_is_gone_on_from(
    async_client: AsyncOpenAI, simulated: RunningServer
):
    async with async_client.responses.connect() as connection:
        await connection.response.create(
            model=_MODEL, input="My favourite word is sluice.", generate=False, store=False
        )
        warm = await _answer(connection)
        assert warm.output == []
        assert warm.usage.total_tokens == 0
        await connection.response.create(
            model=_MODEL, input="And weir?", store=False, previous_response_id=warm.id
        )
        answered = await _answer(connection)
        assert answered.usage.input_tokens > 10
    until(lambda: simulated.records(response_id=answered.id), 3)
    assert simulated.records(response_id=warm.id) == []


async def test_a_refused_response_is_an_event_and_leaves_the_socket_open(
    async_client: AsyncOpenAI,
):
    async with async_client.responses.connect() as connection:
        await connection.response.create(model="no-such-model", input="Hello")
        refused = await connection.recv()
        assert refused.type == "error"
        assert refused.status == 404
        assert refused.error.code == "model_not_found"
        assert refused.error.headers["x-headgate-call-id"].startswith("call_")
        await connection.send({"type": "response.wave"})
        assert (await connection.recv()).error.code == "unsupported_event"
        steer = {"type": "response.steer", "previous_response_id": "resp_1", "input": "Wait"}
        await connection.send(steer)
        failed = await connection.recv()
        assert failed.type == "response.steer.failed"
        assert failed.error.code == "steering_not_supported"
        assert failed.steer.input == "Wait"
        await connection.response.create(model=_MODEL, input="Hello", stream_id="left")
        event = await connection.recv()
        assert event.stream_id == "left"


async def _answer(connection):
    async for event in connection:
        assert event.type != "error", event
        if event.type == "response.completed":
            return event.response
    raise AssertionError("no response")
