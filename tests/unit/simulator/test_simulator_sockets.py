"""The simulator over websockets, straight: what it hears, says, uses and breaks on purpose."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from headgate.simulator import SimulatorConfig, SimulatorHandle, serve_in_thread
from headgate.simulator.sockets.hearing import Hearing, audio_tokens

_REALTIME = "/realtime?model=gpt-realtime"
_PCM: dict[str, Any] = {"turn_detection": {"silence_duration_ms": 200}}


@pytest.fixture(scope="module")
def simulator():
    with serve_in_thread(SimulatorConfig(tokens_per_s=0)) as running:
        yield running


@asynccontextmanager
async def opened(
    simulator: SimulatorHandle, path: str, **headers: str
) -> AsyncIterator[ClientConnection]:
    sent = {"authorization": "Bearer sk-1"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    address = simulator.base_url.replace("http", "ws") + path
    async with connect(address, additional_headers=sent) as connection:
        yield connection


async def until(connection: ClientConnection, *kinds: str) -> dict[str, Any]:
    while True:
        event = dict(json.loads(await connection.recv()))
        if event["type"] in kinds:
            return event


async def ask(connection: ClientConnection, text: str, **response: Any) -> dict[str, Any]:
    part = {"type": "input_text", "text": text}
    item = {"type": "message", "role": "user", "content": [part]}
    await connection.send(json.dumps({"type": "conversation.item.create", "item": item}))
    await connection.send(json.dumps({"type": "response.create", "response": response}))
    return dict((await until(connection, "response.done"))["response"])


async def test_the_same_conversation_is_answered_the_same(simulator: SimulatorHandle):
    said = []
    for _ in range(2):
        async with opened(simulator, _REALTIME) as connection:
            done = await ask(connection, "What is a weir?", output_modalities=["text"])
            said.append(done["output"][0]["content"][0]["text"])
            usage = done["usage"]
            assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
            assert usage["output_token_details"]["audio_tokens"] == 0
    assert said[0] == said[1]


async def test_a_function_is_called_and_its_result_taken(simulator: SimulatorHandle):
    tool = {
        "type": "function",
        "name": "level",
        "description": "The level of a river.",
        "parameters": {
            "type": "object",
            "properties": {"river": {"type": "string"}},
            "required": ["river"],
        },
    }
    async with opened(simulator, _REALTIME) as connection:
        asked = {"tools": [tool], "tool_choice": "required", "output_modalities": ["text"]}
        done = await ask(connection, "How high is the Rhine?", **asked)
        (call,) = done["output"]
        assert (call["type"], call["name"]) == ("function_call", "level")
        assert "river" in json.loads(call["arguments"])
        result = {"type": "function_call_output", "call_id": call["call_id"], "output": "3 m"}
        await connection.send(json.dumps({"type": "conversation.item.create", "item": result}))
        await connection.send(json.dumps({"type": "response.create"}))
        spoken = (await until(connection, "response.done"))["response"]
        assert spoken["output"][0]["content"][0]["transcript"]


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ({"type": "nonsense"}, "unknown_event"),
        ({"type": "response.cancel"}, "response_cancel_not_active"),
        ({"type": "input_audio_buffer.commit"}, "input_audio_buffer_commit_empty"),
        ({"type": "conversation.item.delete", "item_id": "x"}, "item_not_found"),
        ({"type": "input_audio_buffer.append", "audio": "%"}, None),
        ({"type": "session.update", "session": 1}, "invalid_type"),
        ([], "invalid_type"),
    ],
)
async def test_bad_events_are_answered_and_the_session_goes_on(
    simulator: SimulatorHandle, event: Any, code: str | None
):
    async with opened(simulator, _REALTIME) as connection:
        await connection.send(json.dumps(event))
        assert (await until(connection, "error"))["error"]["code"] == code
        assert await ask(connection, "Hello", output_modalities=["text"])


async def test_a_session_that_only_writes_down(simulator: SimulatorHandle):
    async with opened(simulator, "/realtime?intent=transcription") as connection:
        writer = {"model": "whisper-1"}
        hearing = {"input": {"transcription": writer, "turn_detection": None}}
        update = {"type": "session.update", "session": {"type": "transcription", "audio": hearing}}
        await connection.send(json.dumps(update))
        sound = base64.b64encode(bytes(48_000)).decode()
        await connection.send(json.dumps({"type": "input_audio_buffer.append", "audio": sound}))
        await connection.send(json.dumps({"type": "input_audio_buffer.commit"}))
        kind = "conversation.item.input_audio_transcription.completed"
        assert (await until(connection, kind))["usage"]["type"] == "duration"


@pytest.mark.parametrize("path", ["/realtime?model=gpt-4.1-mini", "/realtime", "/embeddings"])
async def test_other_addresses_are_refused(simulator: SimulatorHandle, path: str):
    with pytest.raises(InvalidStatus) as raised:
        async with opened(simulator, path):
            pass
    assert raised.value.response.status_code in (400, 404)


async def test_faults_strike_sessions_and_responses(simulator: SimulatorHandle):
    with pytest.raises(InvalidStatus) as raised:
        async with opened(simulator, _REALTIME, x_simulator_fault="429 first"):
            pass
    assert raised.value.response.status_code == 429
    async with opened(simulator, _REALTIME, x_simulator_fault="429 first") as connection:
        assert await until(connection, "session.created")
    async with opened(simulator, _REALTIME, x_simulator_fault="cut;after=3") as connection:
        with pytest.raises(ConnectionClosed):
            await ask(connection, "Hello")
    async with opened(simulator, _REALTIME, x_simulator_fault="stream-error;after=3") as connection:
        assert (await ask(connection, "Hello"))["status"] == "failed"
        assert (await ask(connection, "Hello"))["status"] == "completed"
    create = json.dumps({"type": "response.create", "model": "gpt-4.1-mini", "input": "Hi"})
    for fault, code in (("503", "service_unavailable"), ("stream-error;after=3", "server_error")):
        async with opened(simulator, "/responses", x_simulator_fault=fault) as connection:
            await connection.send(create)
            assert (await until(connection, "error"))["error"]["code"] == code
    async with opened(simulator, "/responses", x_simulator_fault="cut;after=3") as connection:
        await connection.send(create)
        with pytest.raises(ConnectionClosed):
            await until(connection, "response.completed")


def test_a_speaker_is_heard_to_begin_and_to_end():
    hearing = Hearing()
    loud, silence = b"\1" * 4_800, bytes(4_800)
    assert hearing.hear(silence, _PCM) == []
    assert hearing.hear(loud, _PCM) == ["started"]
    assert hearing.hear(loud + silence, _PCM) == []
    assert hearing.hear(silence, _PCM) == ["stopped"]
    assert hearing.take(_PCM) == audio_tokens(5 * 4_800, _PCM) == 6
    assert hearing.take(_PCM) == 0


@given(st.lists(st.binary(max_size=40), max_size=30))
def test_beginnings_and_ends_take_turns_however_sound_is_cut(pieces: list[bytes]):
    hearing, heard = Hearing(), []
    short: dict[str, Any] = {"turn_detection": {"silence_duration_ms": 1}}
    for piece in pieces:
        heard += hearing.hear(piece, short)
    assert heard[::2] == ["started"] * len(heard[::2])
    assert heard[1::2] == ["stopped"] * len(heard[1::2])
    assert hearing.size_bytes == sum(map(len, pieces))
