"""Every fault is real on the socket, and does to the official SDK what OpenAI's would."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs
import openai
import pytest
from plain_http import KEY, ask

from headgate.simulator import SimulatorConfig, SimulatorHandle, serve_in_thread

HELLO: list[Any] = [{"role": "user", "content": "Say one two three four five six seven"}]
CHAT: dict[str, Any] = {"model": "gpt-4.1", "messages": HELLO}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def faulty() -> Iterator[SimulatorHandle]:
    with serve_in_thread(SimulatorConfig(tokens_per_s=0)) as handle:
        yield handle


@pytest.fixture
def sdk(faulty: SimulatorHandle) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=faulty.base_url, api_key="k", max_retries=0, timeout=10) as client:
        yield client


def fault(text: str) -> dict[str, str]:
    return {"x-simulator-fault": text}


def raw(handle: SimulatorHandle, body: dict[str, Any], written: str) -> tuple[bytes, bool]:
    """All bytes the server sends on one connection, and whether it ended with a reset."""
    address = urlsplit(handle.base_url)
    assert address.hostname is not None
    data = json.dumps(body).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: {KEY['authorization']}"
        f"\r\nx-simulator-fault: {written}\r\ncontent-length: {len(data)}\r\n\r\n"
    )
    received = b""
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(head.encode() + data)
        try:
            while part := connection.recv(65_536):
                received += part
        except ConnectionResetError:
            return received, True
    return received, False


@pytest.mark.parametrize(
    ("written", "error", "code"),
    [
        ("400", openai.BadRequestError, None),
        ("401", openai.AuthenticationError, "invalid_api_key"),
        ("403", openai.PermissionDeniedError, "unsupported_country_region_territory"),
        ("404", openai.NotFoundError, "not_found"),
        ("409", openai.ConflictError, "conflict"),
        ("422", openai.UnprocessableEntityError, "unprocessable_entity"),
        ("429", openai.RateLimitError, "rate_limit_exceeded"),
        ("insufficient-quota", openai.RateLimitError, "insufficient_quota"),
        ("context-length", openai.BadRequestError, "context_length_exceeded"),
        ("500", openai.InternalServerError, None),
        ("503", openai.InternalServerError, "service_unavailable"),
        ("stream-error", openai.InternalServerError, None),
    ],
)
def test_errors_raise_what_openais_do(
    sdk: openai.OpenAI, written: str, error: type[openai.APIStatusError], code: str | None
):
    with pytest.raises(error) as raised:
        sdk.chat.completions.create(**CHAT, extra_headers=fault(written))
    assert raised.value.code == code
    assert raised.value.response.headers["x-headgate-simulated"] == "true"


def test_a_proxys_error_is_a_page_and_no_json(faulty: SimulatorHandle):
    reply = ask(f"{faulty.base_url}/chat/completions", CHAT, headers={**KEY, **fault("502")})
    assert reply.status == 502
    assert reply.headers["content-type"] == "text/html"
    assert reply.body.startswith(b"<html>")


def test_retry_headers_are_sent(faulty: SimulatorHandle):
    written = "429;retry-after=2;retry-after-ms=1500;should-retry=false"
    reply = ask(f"{faulty.base_url}/chat/completions", CHAT, headers={**KEY, **fault(written)})
    assert reply.headers["retry-after"] == "2"
    assert reply.headers["retry-after-ms"] == "1500"
    assert reply.headers["x-should-retry"] == "false"


def test_a_retry_of_the_same_call_gets_through(faulty: SimulatorHandle):
    with openai.OpenAI(base_url=faulty.base_url, api_key="k", max_retries=2) as patient:
        reply = patient.chat.completions.create(
            model="gpt-4.1",
            messages=[{"role": "user", "content": "Say patience"}],
            extra_headers=fault("429;retry-after-ms=10 first=2"),
        )
    assert reply.choices[0].message.content == "patience"


def test_faults_of_the_configuration_strike_unless_the_header_says_otherwise():
    with (
        serve_in_thread(SimulatorConfig(faults="503")) as handle,
        openai.OpenAI(base_url=handle.base_url, api_key="k", max_retries=0) as sdk,
    ):
        with pytest.raises(openai.InternalServerError):
            sdk.embeddings.create(model="text-embedding-3-small", input="x")
        assert sdk.embeddings.create(
            model="text-embedding-3-small", input="x", extra_headers=fault("none")
        ).data
        # What isn't a call to a model isn't struck.
        assert sdk.models.list().data


def test_a_fault_that_cannot_be_read_is_a_400(sdk: openai.OpenAI):
    with pytest.raises(openai.BadRequestError, match="no such fault"):
        sdk.chat.completions.create(**CHAT, extra_headers=fault("explode"))


def test_a_slow_first_byte_is_late(sdk: openai.OpenAI):
    began = time.monotonic()
    sdk.chat.completions.create(**CHAT, extra_headers=fault("slow-first-byte;s=0.2"))
    assert time.monotonic() - began >= 0.2
    with pytest.raises(openai.APITimeoutError):
        sdk.chat.completions.create(**CHAT, timeout=0.2, extra_headers=fault("slow-first-byte;s=5"))


def test_a_stalled_stream_says_nothing_more(sdk: openai.OpenAI):
    stream = sdk.chat.completions.create(
        **CHAT, stream=True, timeout=0.3, extra_headers=fault("stall;after=3")
    )
    received = []
    with pytest.raises(openai.APIError):
        received.extend(stream)
    assert len(received) == 3


def test_a_stall_ends_in_a_closed_connection(faulty: SimulatorHandle):
    began = time.monotonic()
    received, was_reset = raw(faulty, {**CHAT, "stream": True}, "stall;after=2;s=0.2")
    assert 0.2 <= time.monotonic() - began < 3
    assert not was_reset
    assert received.count(b"data: ") == 2


def test_a_stalled_document_stops_in_its_middle(sdk: openai.OpenAI):
    with pytest.raises(openai.APIConnectionError):
        sdk.chat.completions.create(**CHAT, timeout=0.3, extra_headers=fault("stall"))


def test_a_cut_stream_has_no_end(faulty: SimulatorHandle):
    received, was_reset = raw(faulty, {**CHAT, "stream": True}, "cut;after=3")
    assert not was_reset
    assert received.count(b"data: ") == 3
    assert b"[DONE]" not in received
    assert not received.endswith(b"0\r\n\r\n")


def test_a_cut_document_is_shorter_than_it_promised(faulty: SimulatorHandle):
    received, was_reset = raw(faulty, CHAT, "cut")
    head, _, body = received.partition(b"\r\n\r\n")
    promised = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if b"content-length" in line
    )
    assert not was_reset
    assert 0 < len(body) < promised


def test_a_cut_reply_raises_in_the_sdk(sdk: openai.OpenAI):
    with pytest.raises(openai.APIConnectionError):
        sdk.chat.completions.create(**CHAT, extra_headers=fault("cut"))
    stream = sdk.responses.create(
        model="gpt-4.1", input="Say a b c d e", stream=True, extra_headers=fault("cut;after=5")
    )
    with pytest.raises(openai.APIConnectionError):
        list(stream)


def test_a_reset_is_a_reset(faulty: SimulatorHandle):
    received, was_reset = raw(faulty, CHAT, "reset")
    assert (received, was_reset) == (b"", True)
    _, was_reset = raw(faulty, {**CHAT, "stream": True}, "reset;after=2")
    assert was_reset


def test_a_reset_connection_raises_in_the_sdk_and_leaves_the_server_well(sdk: openai.OpenAI):
    with pytest.raises(openai.APIConnectionError):
        sdk.chat.completions.create(**CHAT, extra_headers=fault("reset"))
    assert sdk.chat.completions.create(**CHAT).choices


def test_a_malformed_document_is_no_json(faulty: SimulatorHandle):
    reply = ask(
        f"{faulty.base_url}/chat/completions", CHAT, headers={**KEY, **fault("malformed-json")}
    )
    assert reply.status == 200
    with pytest.raises(json.JSONDecodeError):
        reply.json()


@pytest.mark.parametrize(
    ("path", "body"),
    [("/chat/completions", CHAT), ("/responses", {"model": "gpt-4.1", "input": "Say a b c"})],
)
def test_a_malformed_event_is_no_json_and_the_stream_goes_on(
    faulty: SimulatorHandle, path: str, body: dict[str, Any]
):
    reply = ask(
        f"{faulty.base_url}{path}",
        {**body, "stream": True},
        headers={**KEY, **fault("malformed-json;after=2")},
    )
    data = [block.rpartition(b"data: ")[2] for block in reply.body.split(b"\n\n") if block.strip()]
    for place, text in enumerate(data):
        if text == b"[DONE]":
            continue
        if place == 2:
            with pytest.raises(json.JSONDecodeError):
                json.loads(text)
        else:
            assert json.loads(text)
    assert len(data) > 4


def test_an_error_in_a_stream_raises_in_the_sdk(sdk: openai.OpenAI):
    stream = sdk.chat.completions.create(
        **CHAT, stream=True, extra_headers=fault("stream-error;after=3")
    )
    received = []
    with pytest.raises(openai.APIError, match="had an error"):
        received.extend(stream)
    events = []
    typed = sdk.responses.create(
        model="gpt-4.1", input="Say a b", stream=True, extra_headers=fault("stream-error")
    )
    with pytest.raises(openai.APIError, match="had an error"):
        events.extend(typed)
    assert [event.type for event in events] == ["response.created"]


def test_a_refusal_is_told_as_one(sdk: openai.OpenAI):
    reply = sdk.chat.completions.create(**CHAT, extra_headers=fault("refusal"))
    message = reply.choices[0].message
    assert message.content is None
    assert message.refusal
    streamed = sdk.chat.completions.create(**CHAT, stream=True, extra_headers=fault("refusal"))
    assert message.refusal == "".join(
        chunk.choices[0].delta.refusal or "" for chunk in streamed if chunk.choices
    )
    response = sdk.responses.create(model="gpt-4.1", input="x", extra_headers=fault("refusal"))
    (item,) = response.output
    assert item.type == "message"
    assert item.content[0].type == "refusal"
    kinds = [
        event.type
        for event in sdk.responses.create(
            model="gpt-4.1", input="x", stream=True, extra_headers=fault("refusal")
        )
    ]
    assert "response.refusal.delta" in kinds
    assert "response.refusal.done" in kinds


def test_a_wrong_schema_is_json_that_breaks_it(sdk: openai.OpenAI):
    ask_for: Any = {
        "type": "json_schema",
        "json_schema": {"name": "person", "strict": True, "schema": SCHEMA},
    }
    right = sdk.chat.completions.create(**CHAT, response_format=ask_for)
    wrong = sdk.chat.completions.create(
        **CHAT, response_format=ask_for, extra_headers=fault("wrong-schema")
    )
    valid = [
        jsonschema_rs.is_valid(SCHEMA, json.loads(reply.choices[0].message.content or ""))
        for reply in (right, wrong)
    ]
    assert valid == [True, False]


def test_a_wrong_schema_breaks_a_functions_arguments(sdk: openai.OpenAI):
    tool: Any = {"type": "function", "function": {"name": "save", "parameters": SCHEMA}}
    reply = sdk.chat.completions.create(
        **CHAT, tools=[tool], tool_choice="required", extra_headers=fault("wrong-schema")
    )
    (call,) = reply.choices[0].message.tool_calls or []
    assert call.type == "function"
    assert not jsonschema_rs.is_valid(SCHEMA, json.loads(call.function.arguments))


@pytest.mark.parametrize(
    ("written", "finish", "reason"),
    [
        ("content-filter", "content_filter", "content_filter"),
        ("length", "length", "max_output_tokens"),
    ],
)
def test_a_cut_answer_says_why(sdk: openai.OpenAI, written: str, finish: str, reason: str):
    whole = sdk.chat.completions.create(**CHAT).choices[0].message.content or ""
    reply = sdk.chat.completions.create(**CHAT, extra_headers=fault(written))
    said = reply.choices[0].message.content or ""
    assert reply.choices[0].finish_reason == finish
    assert whole.startswith(said)
    assert len(said) < len(whole)
    response = sdk.responses.create(
        model="gpt-4.1", input="Say a b c", extra_headers=fault(written)
    )
    assert response.status == "incomplete"
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == reason


def test_what_happened_is_noted(faulty: SimulatorHandle):
    faulty.simulator.observations.clear()
    ask(f"{faulty.base_url}/chat/completions", CHAT, headers={**KEY, **fault("500")})
    raw(faulty, CHAT, "cut")
    ask(f"{faulty.base_url}/chat/completions", CHAT)
    deadline = time.monotonic() + 5
    while faulty.requests[-1].ending == "in_progress" and time.monotonic() < deadline:
        time.sleep(0.01)
    noted = [(request.status, request.ending) for request in faulty.requests]
    assert noted == [(500, "completed"), (200, "broken"), (200, "completed")]
    assert json.loads(faulty.requests[0].body) == CHAT
