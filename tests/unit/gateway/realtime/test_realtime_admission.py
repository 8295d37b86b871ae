"""What a key may not have in a realtime session."""

from __future__ import annotations

import contextlib
import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.errors import HeadgateError, InvalidRequestError, PermissionDeniedError
from headgate.gateway.call import Call
from headgate.gateway.caller import Caller
from headgate.gateway.realtime.admission import check_event
from headgate.gateway.realtime.events import read_client_event
from headgate.gateway.target import Target


def opened(*models: str) -> Call:
    call = Call(Caller("key_1", "default", "app", models=models), "realtime", trace_id="0" * 32)
    provider: Any = SimpleNamespace(name="p")
    health: Any = None
    call.target = Target(provider, "gpt-realtime", "voice", health)
    call.record.model_requested = "voice"
    return call


def event(kind: str, **more: Any) -> Any:
    return read_client_event(json.dumps({"type": kind, **more}))


@pytest.mark.parametrize("named", ["voice", "gpt-realtime"])
def test_the_provider_is_told_its_own_name_of_the_model(named: str):
    update = event("session.update", session={"model": named, "instructions": "x"})
    check_event(update, opened())
    session = json.loads(update.written())["session"]
    assert session == {"model": "gpt-realtime", "instructions": "x"}


def test_another_model_is_refused():
    with pytest.raises(InvalidRequestError):
        check_event(event("session.update", session={"model": "gpt-realtime-mini"}), opened())


@pytest.mark.parametrize(
    "session",
    [
        {"audio": {"input": {"transcription": {"model": "gpt-4o-transcribe"}}}},
        {"input_audio_transcription": {"model": "gpt-4o-transcribe"}},
    ],
)
def test_a_model_to_write_down_with_is_one_of_the_keys(session: dict[str, Any]):
    with pytest.raises(PermissionDeniedError):
        check_event(event("session.update", session=session), opened("gpt-realtime"))
    check_event(event("session.update", session=session), opened("gpt-*"))


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("conversation.item.create", {"item": {"content": [{"file_id": "file-1"}]}}),
        ("response.create", {"response": {"tools": [{"vector_store_ids": ["vs_1"]}]}}),
        ("session.update", {"session": {"tools": [{"container": "cntr_1"}]}}),
    ],
)
def test_objects_that_a_provider_keeps_are_not_named(kind: str, more: dict[str, Any]):
    with pytest.raises(InvalidRequestError):
        check_event(event(kind, **more), opened())


def test_an_escaped_name_is_seen():
    hidden = '{"type":"session.update","session":{"tools":[{"\\u0066ile_id":"file-1"}]}}'
    with pytest.raises(InvalidRequestError):
        check_event(read_client_event(hidden), opened())


def test_a_response_outside_the_conversation_names_no_object():
    text = {"type": "input_text", "text": "about \u0000 file_id"}
    response = {"conversation": "none", "input": [{"content": [text]}]}
    check_event(event("response.create", response=response), opened())


SESSIONS = st.recursive(
    st.none() | st.text() | st.integers(),
    lambda inner: st.dictionaries(
        st.sampled_from(("audio", "input", "transcription", "model", "file_id")), inner
    ),
    max_leaves=6,
)


@given(SESSIONS)
def test_no_session_makes_it_fail(session: Any):
    with contextlib.suppress(HeadgateError):
        check_event(event("session.update", session=session), opened())
