"""Realtime sessions as an operator relies on them: nothing dodges keys, budgets and books."""

from __future__ import annotations

import asyncio
import base64
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from headgate.simulator import SimulatorConfig, SimulatorHandle, serve_in_thread
from servers import PROVIDER_KEY, RunningServer, StartServer, end_server, start_server, until
from socket_events import Events, opened

_PATH = "/v1/realtime?model=gpt-realtime"
_WRITTEN = {"type": "realtime", "output_modalities": ["text"]}
_LOUD = base64.b64encode(b"\1\2" * 12_000).decode()
_SILENCE = base64.b64encode(bytes(24_000)).decode()


def say(text: str = "How do rivers feed canals?") -> dict[str, Any]:
    content = [{"type": "input_text", "text": text}]
    return {
        "type": "conversation.item.create",
        "item": {"type": "message", "role": "user", "content": content},
    }


def hear(sound: str) -> dict[str, Any]:
    return {"type": "input_audio_buffer.append", "audio": sound}


async def written(events: Events, text: str = "How do rivers feed canals?", **response: Any) -> Any:
    """One written turn; what ends it."""
    await events.send(say(text))
    await events.send({"type": "response.create", "response": response})
    while True:
        event = await events.next()
        if event["type"] in ("response.done", "error"):
            return event


@pytest.fixture(scope="module")
def provider() -> Iterator[SimulatorHandle]:
    """A provider that these tests can count the sessions of."""
    with serve_in_thread(SimulatorConfig(tokens_per_s=0, api_keys=(PROVIDER_KEY,))) as running:
        yield running


@pytest.fixture(scope="module")
def laddered(
    provider: SimulatorHandle, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """A server whose route has a target that is away and one that answers."""
    server = start_server(
        tmp_path_factory.mktemp("laddered") / "server",
        settings=f"""
providers:
  away: {{base_url: "http://127.0.0.1:9/v1", api_key: {PROVIDER_KEY}, models: [none]}}
  claude: {{kind: anthropic, api_key: {PROVIDER_KEY}, models: ["claude-*"]}}
  keyed:
    base_url: "{provider.base_url}"
    keys: [{{name: wrong, api_key: sk-wrong}}, {{name: right, api_key: {PROVIDER_KEY}}}]
retries: {{max_attempts: 1}}
breaker: {{min_calls: 2, open_s: 60}}
routes:
  voice:
    targets:
      - {{provider: away, model: gpt-realtime}}
      - {{provider: keyed, model: gpt-realtime}}
prices:
  "gpt-realtime": {{input: "1000", output: "1000"}}
budgets:
  - {{per: key, of: {{feature: small}}, usd: "3.00", window: total}}
  - {{per: key, of: {{feature: nothing}}, usd: "0.01", window: total}}
""",
    )
    yield server
    end_server(server)


async def test_a_session_opens_at_the_next_target_and_by_the_key_that_is_let_in(
    laddered: RunningServer,
):
    for _ in range(3):
        async with opened(laddered, path="/v1/realtime?model=voice") as events:
            # Its own name for the model, which the provider does not know.
            await events.send({"type": "session.update", "session": {**_WRITTEN, "model": "voice"}})
            done = await written(events)
            assert done["type"] == "response.done", done
    record = laddered.record(response_id=done["response"]["id"])
    assert (record["route"], record["model_requested"]) == ("voice", "voice")
    assert (record["provider"], record["provider_key"]) == ("keyed", "right")
    metrics = laddered.get("/metrics").body.decode()
    assert 'headgate_breakers_open{target="away/gpt-realtime"} 1.0' in metrics


async def test_a_session_that_opens_nowhere_is_refused_and_recorded(laddered: RunningServer):
    for model, status, code in (
        ("gpt-nowhere", 404, b"model_not_found"),
        ("claude-sonnet-5", 400, b"unsupported_by_provider"),
    ):
        with pytest.raises(InvalidStatus) as raised:
            async with opened(laddered, path=f"/v1/realtime?model={model}"):
                pass
        answer = raised.value.response
        assert answer.status_code == status
        assert code in answer.body
        record = laddered.record(id=answer.headers["x-headgate-call-id"])
        assert (record["status"], record["cost_nanousd"]) == (status, 0)


async def test_a_budget_refuses_a_response_and_not_the_session(laddered: RunningServer):
    headers = {"x-headgate-feature": "small"}
    key = laddered.new_key_object()
    async with opened(laddered, key["key"], path=_PATH, headers=headers) as events:
        await events.send({"type": "session.update", "session": _WRITTEN})
        endings = [await written(events, max_output_tokens=200) for _ in range(12)]
        kinds = [event["type"] for event in endings]
        assert kinds[0] == "response.done"
        assert kinds[-1] == "error"
        assert endings[-1]["error"]["code"] == "budget_exceeded"
        assert endings[-1]["error"]["event_id"]
        await events.send({"type": "session.update", "session": _WRITTEN})
        assert await events.until("session.updated")
    records = until(
        lambda: found if len(found := laddered.records(key_id=key["id"])) == 12 else None, 5
    )
    assert sum(record["cost_nanousd"] for record in records) <= 3_000_000_000
    assert [record["status"] for record in records] == [
        200 if kind == "response.done" else 429 for kind in kinds
    ]


async def test_sound_is_not_taken_where_its_answer_could_not_be_paid(laddered: RunningServer):
    key = laddered.new_key_object()
    headers = {"x-headgate-feature": "nothing"}
    async with opened(laddered, key["key"], path=_PATH, headers=headers) as events:
        for sound in (_LOUD, _LOUD, _SILENCE, _SILENCE):
            await events.send(hear(sound))
        refused = await events.until("error")
        assert refused["error"]["code"] == "budget_exceeded"
        # Where it does not answer by itself, sound costs nothing.
        quiet = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}
        await events.send({"type": "session.update", "session": quiet})
        await events.until("session.updated")
        await events.send(hear(_LOUD))
        await events.send({"type": "input_audio_buffer.commit"})
        await events.until("input_audio_buffer.committed")
        await events.send({"type": "response.create"})
        assert (await events.until("error"))["error"]["code"] == "budget_exceeded"
    kinds = {event["type"] for event in events.seen}
    assert "input_audio_buffer.speech_started" not in kinds
    assert not any(kind.startswith("response.") for kind in kinds)


async def test_what_is_kept_ready_for_sound_is_given_back(laddered: RunningServer):
    key = laddered.new_key_object()
    headers = {"x-headgate-feature": "small"}
    # Sound that nobody answers, again and again: what it could have cost is free each time.
    for _ in range(5):
        async with opened(laddered, key["key"], path=_PATH, headers=headers) as events:
            short = {"type": "realtime", "max_output_tokens": 200}
            await events.send({"type": "session.update", "session": short})
            await events.until("session.updated")
            await events.send(hear(_LOUD))
            assert (await events.until("input_audio_buffer.speech_started"))["type"]


async def test_a_transcriber_that_the_key_may_not_use_is_refused(laddered: RunningServer):
    key = laddered.new_key(models=["gpt-realtime"])
    async with opened(laddered, key, path=_PATH) as events:
        hearing = {"transcription": {"model": "gpt-4o-transcribe"}}
        session = {"type": "realtime", "audio": {"input": hearing}}
        await events.send({"type": "session.update", "session": session})
        assert (await events.until("error"))["error"]["code"] == "model_not_allowed"


async def test_a_field_given_twice_does_not_hide_an_event(laddered: RunningServer):
    headers = {"x-headgate-feature": "nothing"}
    async with opened(laddered, laddered.new_key(), path=_PATH, headers=headers) as events:
        await events.next()
        await events.send('{"type":"session.update","session":{},"type":"response.create"}')
        assert (await events.next())["error"]["code"] == "budget_exceeded"


async def test_the_providers_key_stays_here(laddered: RunningServer, provider: SimulatorHandle):
    async with opened(laddered, path=_PATH) as events:
        await events.until("session.created")
    shown = next(one for one in reversed(provider.requests) if one.path == "/v1/realtime")
    assert shown.headers["authorization"] == f"Bearer {PROVIDER_KEY}"
    assert "hg_" not in str(shown.headers)


@pytest.mark.parametrize("fault", ["cut;after=6", "reset;after=6", "malformed-json;after=6"])
async def test_a_provider_that_breaks_off_ends_the_session_in_an_error(
    simulated: RunningServer, fault: str
):
    key = simulated.new_key_object()
    headers = {"x-simulator-fault": fault}
    async with opened(simulated, key["key"], path=_PATH, headers=headers) as events:
        await events.send({"type": "session.update", "session": _WRITTEN})
        await events.send(say())
        await events.send({"type": "response.create"})
        assert await events.closed() == 1011
    error = events.seen[-1]
    assert error["type"] == "error"
    assert error["error"]["type"] == "upstream_error"
    record = simulated.record(key_id=key["id"])
    assert record["status"] == 502
    assert record["tokens_estimated"]
    assert record["cost_nanousd"] > 0


async def test_a_handshake_that_fails_once_is_made_again(simulated: RunningServer):
    for fault in ("503 first", "429;retry-after-ms=20 first", "reset first"):
        async with opened(simulated, path=_PATH, headers={"x-simulator-fault": fault}) as events:
            assert await events.until("session.created")


async def test_an_error_of_the_providers_own_is_shown(simulated: RunningServer):
    with pytest.raises(InvalidStatus) as raised:
        async with opened(simulated, path=_PATH, headers={"x-simulator-fault": "400"}):
            pass
    assert raised.value.response.status_code == 400
    assert b"malformed" in raised.value.response.body


async def test_a_client_that_leaves_pays_for_what_it_heard(simulated: RunningServer):
    key = simulated.new_key_object()
    async with opened(simulated, key["key"], path=_PATH) as events:
        await events.send({"type": "session.update", "session": _WRITTEN})
        await events.send(say("Tell me a long story of rivers and canals, please."))
        await events.send({"type": "response.create"})
        await events.until("response.output_text.delta")
    record = simulated.record(key_id=key["id"])
    assert (record["status"], record["error_class"]) == (499, "client_disconnected")
    assert record["tokens_estimated"]
    assert record["cost_nanousd"] > 0


async def test_a_session_ends_when_nothing_is_said(server_with: StartServer):
    server = server_with(settings="sockets: {idle_s: 0.4}")
    async with opened(server, path=_PATH) as events:
        assert await events.closed() == 1001
        assert events.seen[-1]["error"]["code"] == "session_idle"
    server = server_with(settings="sockets: {max_session_s: 0.4}")
    async with opened(server, path=_PATH) as events:
        assert await events.closed() == 1001
        assert events.seen[-1]["error"]["code"] == "websocket_connection_limit_reached"


async def test_a_stop_finishes_the_response_under_way(server_with: StartServer):
    server = server_with()
    async with opened(server, path=_PATH) as idle, opened(server, path=_PATH) as events:
        await events.send({"type": "session.update", "session": _WRITTEN})
        await events.send(say("Tell me a long story of rivers and canals, please."))
        await events.send({"type": "response.create"})
        await events.until("response.output_text.delta")
        server.process.send_signal(signal.SIGTERM)
        assert await idle.closed() == 1012
        assert await events.closed() == 1012
    assert "response.done" in {event["type"] for event in events.seen}
    assert await asyncio.to_thread(server.wait) in (0, 143)
    assert server.record()["status"] == 200


async def test_beyond_its_grace_a_stop_ends_the_session(server_with: StartServer):
    server = server_with(settings="server: {shutdown_grace_s: 1}")
    headers = {"x-simulator-fault": "stall;after=8"}
    async with opened(server, path=_PATH, headers=headers) as events:
        await events.send({"type": "session.update", "session": _WRITTEN})
        await events.send(say())
        await events.send({"type": "response.create"})
        await events.until("response.output_text.delta")
        server.process.send_signal(signal.SIGTERM)
        assert await events.closed() == 1012
    assert await asyncio.to_thread(server.wait) in (0, 143)
    record = server.record()
    assert (record["status"], record["error_class"]) == (503, "call_cancelled")
    assert record["tokens_estimated"]


async def test_an_operator_may_hand_out_the_providers_own_secrets(server_with: StartServer):
    server = server_with(settings="sockets: {client_secrets: provider}")
    made = server.post("/v1/realtime/client_secrets", {"session": {"type": "realtime"}})
    assert made.json()["value"].startswith("ek_")
    record = server.record(id=made.headers["x-headgate-call-id"])
    assert (record["endpoint"], record["cost_nanousd"]) == ("realtime/client_secrets", None)


async def test_a_key_that_is_revoked_ends_its_sessions(simulated: RunningServer):
    key = simulated.new_key_object()
    async with (
        opened(simulated, key["key"], path=_PATH) as talking,
        opened(simulated, key["key"]) as responses,
    ):
        await talking.until("session.created")
        simulated.request("DELETE", f"/api/keys/{key['id']}")
        assert await talking.closed() == 1008
        assert talking.seen[-1]["error"]["code"] == "key_revoked"
        await responses.send({"type": "response.create", "model": "gpt-4.1-mini", "input": "Hi"})
        assert (await responses.until("error"))["error"]["code"] == "key_revoked"


async def test_any_worker_knows_a_secret_that_another_made(server_with: StartServer):
    server = await asyncio.to_thread(server_with, workers=2)
    made = await asyncio.to_thread(
        server.post, "/v1/realtime/client_secrets", {"session": {"type": "realtime"}}
    )
    for _ in range(6):
        async with opened(server, made.json()["value"], path=_PATH) as events:
            assert await events.until("session.created")
    async with opened(server, path=_PATH) as events:
        server.process.send_signal(signal.SIGTERM)
        assert await events.closed() == 1012
