"""The official SDK's Realtime connections, as they are documented, in front of a running server."""

from __future__ import annotations

import base64

import pytest
from openai import AsyncOpenAI, AuthenticationError, OpenAI
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from servers import RunningServer, until
from socket_events import Events

_MODEL = "gpt-realtime"
_WRITTEN = {"type": "realtime", "output_modalities": ["text"]}
_ASKED = {
    "type": "message",
    "role": "user",
    "content": [{"type": "input_text", "text": "How do rivers feed canals?"}],
}


def test_a_written_conversation_over_a_socket(client: OpenAI, simulated: RunningServer):
    with client.realtime.connect(model=_MODEL) as connection:
        connection.session.update(session={**_WRITTEN, "model": _MODEL})
        connection.conversation.item.create(item=_ASKED)
        connection.response.create()
        text, done = "", None
        for event in connection:
            assert event.type != "error", event
            if event.type == "response.output_text.delta":
                text += event.delta
            elif event.type == "response.done":
                done = event.response
                break
    assert len(text) > 20
    record = simulated.record(response_id=done.id)
    assert (record["endpoint"], record["status"], record["attempts"]) == ("realtime", 200, 1)
    assert record["input_tokens"] == done.usage.input_tokens
    assert record["output_tokens"] == done.usage.output_tokens
    assert record["output_audio_tokens"] == 0
    assert record["cost_nanousd"] > 0
    assert record["first_token_us"] > 0
    assert not record["tokens_estimated"]


async def test_a_spoken_conversation_is_answered_by_itself_and_priced_as_sound(
    async_client: AsyncOpenAI, simulated: RunningServer
):
    async with async_client.realtime.connect(model=_MODEL) as connection:
        loud = base64.b64encode(b"\1\2" * 24_000).decode()
        silence = base64.b64encode(bytes(24_000)).decode()
        await connection.input_audio_buffer.append(audio=loud)
        await connection.input_audio_buffer.append(audio=silence)
        seen, heard = [], b""
        async for event in connection:
            assert event.type != "error", event
            seen.append(event.type)
            if event.type == "response.output_audio.delta":
                heard += base64.b64decode(event.delta)
            elif event.type == "response.done":
                break
        response = event.response
    assert "input_audio_buffer.speech_stopped" in seen
    assert len(heard) > 48_000
    record = simulated.record(response_id=response.id)
    assert record["input_audio_tokens"] == response.usage.input_token_details.audio_tokens > 0
    assert record["output_audio_tokens"] == response.usage.output_token_details.audio_tokens > 0
    # Public prices: sound heard $32 a million, said $64; text $4 and $16.
    texts_in = record["input_tokens"] - record["input_audio_tokens"] - record["cached_tokens"]
    texts_out = record["output_tokens"] - record["output_audio_tokens"]
    cost = texts_in * 4_000 + record["cached_tokens"] * 400 + record["input_audio_tokens"] * 32_000
    cost += texts_out * 16_000 + record["output_audio_tokens"] * 64_000
    assert record["cost_nanousd"] == cost


async def test_several_responses_of_a_session_are_several_calls(
    async_client: AsyncOpenAI, simulated: RunningServer
):
    ids = []
    async with async_client.realtime.connect(model=_MODEL) as connection:
        await connection.session.update(session=_WRITTEN)
        for _ in range(3):
            await connection.conversation.item.create(item=_ASKED)
            await connection.response.create()
            async for event in connection:
                if event.type == "response.done":
                    ids.append(event.response.id)
                    break
    assert until(lambda: all(simulated.records(response_id=one) for one in ids), 3)


async def test_a_response_can_be_cancelled_and_what_was_said_is_settled(
    async_client: AsyncOpenAI, simulated: RunningServer
):
    async with async_client.realtime.connect(model=_MODEL) as connection:
        await connection.session.update(session=_WRITTEN)
        await connection.conversation.item.create(item=_ASKED)
        await connection.response.create()
        async for event in connection:
            if event.type == "response.output_text.delta":
                await connection.response.cancel()
            if event.type == "response.done":
                break
    assert event.response.status == "cancelled"
    record = simulated.record(response_id=event.response.id)
    assert record["status"] == 200
    assert record["output_tokens"] >= 1


async def test_what_a_transcript_takes_is_recorded_by_its_own_model(
    async_client: AsyncOpenAI, simulated: RunningServer
):
    writer = "gpt-4o-mini-transcribe"
    async with async_client.realtime.connect(model=_MODEL) as connection:
        await connection.session.update(
            session={
                "type": "realtime",
                "audio": {
                    "input": {"transcription": {"model": writer}, "turn_detection": None},
                },
            }
        )
        await connection.input_audio_buffer.append(
            audio=base64.b64encode(b"\1\2" * 24_000).decode()
        )
        await connection.input_audio_buffer.commit()
        async for event in connection:
            assert event.type != "error", event
            if event.type == "conversation.item.input_audio_transcription.completed":
                break
    record = simulated.record(endpoint="realtime", model_answered=writer)
    assert record["input_audio_tokens"] == event.usage.input_token_details.audio_tokens > 0
    assert record["cost_nanousd"] > 0


async def test_events_that_are_refused_say_which_and_leave_the_session_open(
    async_client: AsyncOpenAI,
):
    async with async_client.realtime.connect(model=_MODEL) as connection:
        await connection.recv()
        await connection.send({"type": "response.wave", "event_id": "mine"})
        refused = await connection.recv()
        assert refused.error.code == "unknown_event"
        assert refused.error.event_id == "mine"
        await connection.session.update(session={"type": "realtime", "model": "gpt-realtime-mini"})
        assert (await connection.recv()).error.code == "model_can_not_change"
        await connection.session.update(session=_WRITTEN)
        assert (await connection.recv()).type == "session.updated"


async def test_a_handshake_that_is_refused_says_why(async_client: AsyncOpenAI):
    for options, status in (
        ({"model": "no-such-model"}, 404),
        ({"call_id": "rtc_1"}, 400),
        ({}, 400),
    ):
        with pytest.raises(InvalidStatus) as raised:
            async with async_client.realtime.connect(**options):
                pass
        assert raised.value.response.status_code == status
        assert b'"message"' in raised.value.response.body


async def test_a_browser_opens_a_session_with_a_secret_that_its_application_made(
    async_client: AsyncOpenAI, simulated: RunningServer
):
    made = await async_client.realtime.client_secrets.create(
        session={**_WRITTEN, "model": _MODEL, "instructions": "Speak of rivers."},
        extra_headers={"x-headgate-feature": "kiosk"},
    )
    address = f"{simulated.base_url.replace('http', 'ws')}/realtime"
    offered = ["realtime", f"openai-insecure-api-key.{made.value}"]
    async with connect(address, subprotocols=offered) as browser:
        assert browser.subprotocol == "realtime"
        events = Events(browser)
        assert (await events.until("session.created"))["session"]["model"] == _MODEL
        session = (await events.until("session.updated"))["session"]
        assert session["instructions"] == "Speak of rivers."
        await events.send({"type": "conversation.item.create", "item": _ASKED})
        await events.send({"type": "response.create"})
        done = await events.until("response.done")
    record = simulated.record(response_id=done["response"]["id"])
    assert (record["feature"], record["status"]) == ("kiosk", 200)


async def test_a_secret_opens_nothing_else_and_ends_with_its_key(simulated: RunningServer):
    key = simulated.new_key_object(models=["gpt-realtime"])
    async with AsyncOpenAI(base_url=simulated.base_url, api_key=key["key"], max_retries=0) as own:
        made = await own.realtime.client_secrets.create(
            session={"type": "realtime", "model": _MODEL}
        )
    async with AsyncOpenAI(base_url=simulated.base_url, api_key=made.value) as browser:
        with pytest.raises(InvalidStatus) as raised:
            async with browser.responses.connect():
                pass
        assert raised.value.response.status_code == 403
        with pytest.raises(InvalidStatus) as raised:
            async with browser.realtime.connect(model="gpt-realtime-mini"):
                pass
        assert raised.value.response.status_code == 403
        with pytest.raises(AuthenticationError):
            await browser.models.list()
        async with browser.realtime.connect(model=_MODEL) as connection:
            await connection.recv()
        simulated.request("DELETE", f"/api/keys/{key['id']}")
        with pytest.raises(InvalidStatus) as raised:
            async with browser.realtime.connect(model=_MODEL):
                pass
        assert raised.value.response.status_code == 401
    forged = made.value[:-4] + "AAAA"
    async with AsyncOpenAI(base_url=simulated.base_url, api_key=forged) as browser:
        with pytest.raises(InvalidStatus) as raised:
            async with browser.realtime.connect(model=_MODEL):
                pass
        assert raised.value.response.status_code == 401
