"""Reading a realtime session's events, and writing clients' anew."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.errors import HeadgateError, InvalidRequestError
from headgate.gateway.realtime.events import (
    TAKEN,
    UnknownEventError,
    error_event,
    read_client_event,
    read_server_event,
)


@pytest.mark.parametrize("kind", sorted(TAKEN))
def test_an_event_goes_on_with_its_fields_and_an_id(kind: str):
    event = read_client_event(json.dumps({"type": kind, "more": {"a": [1]}}))
    written = json.loads(event.written())
    assert written == {"type": kind, "more": {"a": [1]}, "event_id": event.event_id}
    assert event.event_id.startswith("event_")


def test_a_clients_own_id_is_kept():
    event = read_client_event('{"type":"response.create","event_id":"mine"}')
    assert event.event_id == "mine"
    assert json.loads(event.written())["event_id"] == "mine"


def test_of_a_field_given_twice_the_provider_sees_what_was_read():
    event = read_client_event(
        '{"type":"response.create","event_id":"a","type":"session.update","event_id":null}'
    )
    assert event.type == "session.update"
    assert event.written().count(b'"type"') == 1
    assert json.loads(event.written())["event_id"] == event.event_id


@pytest.mark.parametrize("kind", ["response.dance", "transcription_session.update", "", "error"])
def test_what_is_not_known_is_refused_by_name(kind: str):
    with pytest.raises(UnknownEventError) as raised:
        read_client_event(json.dumps({"type": kind, "event_id": "mine"}))
    assert raised.value.event_id == "mine"


@given(st.binary() | st.text())
def test_anything_else_is_refused_and_never_a_fault(message: bytes | str):
    try:
        read_client_event(message)
    except InvalidRequestError as error:
        told = json.loads(error_event(error, None))
        assert told["type"] == "error"
        assert told["error"]["message"]


def test_a_providers_event_says_which_response_it_is_about():
    of_delta = read_server_event(b'{"type":"response.output_text.delta","response_id":"resp_1"}')
    assert of_delta.of_response == "resp_1"
    whole = read_server_event(
        b'{"type":"response.done","response":{"id":"resp_2","status":"completed","usage":'
        b'{"input_tokens":5,"output_tokens":7,"input_token_details":{"cached_tokens":3,'
        b'"audio_tokens":2,"cached_tokens_details":{"audio_tokens":1}},'
        b'"output_token_details":{"audio_tokens":6}}}}'
    )
    assert whole.of_response == "resp_2"
    assert whole.response is not None
    assert whole.response.usage is not None
    usage = whole.response.usage.as_usage()
    assert (usage.input_tokens, usage.cached_tokens, usage.output_tokens) == (5, 3, 7)
    assert (usage.input_audio_tokens, usage.cached_audio_tokens) == (2, 1)
    assert usage.output_audio_tokens == 6


def test_an_error_tells_which_event_was_at_fault():
    told = json.loads(error_event(HeadgateError("no"), "mine"))
    assert told["error"]["event_id"] == "mine"
    assert told["event_id"] != "mine"
