"""How large a realtime session's next response may be."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from headgate.gateway.realtime.context import Context
from headgate.gateway.realtime.events import ResponseTold, Session, read_client_event


def event(kind: str, **more: Any) -> Any:
    return read_client_event(json.dumps({"type": kind, **more}))


def session(**more: Any) -> Session:
    return msgspec.convert({"type": "realtime", **more}, Session)


def item(*content: Any) -> Any:
    made = {"type": "message", "role": "user", "content": list(content)}
    return event("conversation.item.create", item=made)


def told(input_tokens: int, output_tokens: int, **more: Any) -> ResponseTold:
    usage = {"input_tokens": input_tokens, "output_tokens": output_tokens}
    return msgspec.convert(
        {"id": "r", "conversation_id": "conv", "usage": usage, **more}, ResponseTold
    )


def raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def test_texts_count_by_their_bytes():
    context = Context()
    before = context.next_turn()
    context.take(item({"type": "input_text", "text": "x" * 400}))
    after = context.next_turn()
    assert after.most_tokens - before.most_tokens == 400
    assert after.likely_tokens - before.likely_tokens == 100


def test_a_tenth_of_a_second_of_sound_is_a_token():
    context = Context()
    before = context.next_turn().most_tokens
    second = base64.b64encode(bytes(48_000)).decode()
    context.take(event("input_audio_buffer.append", audio=second))
    assert context.next_turn().most_tokens - before == 10
    assert context.next_turn().hears
    phone = {"input": {"format": {"type": "audio/pcmu"}, "turn_detection": None}}
    context.set_to(session(audio=phone), 0)
    assert context.next_turn().most_tokens - before == 60


def test_a_picture_counts_by_itself_not_by_its_bytes():
    context = Context()
    before = context.next_turn().most_tokens
    context.take(item({"type": "input_image", "image_url": "data:image/png;base64," + "A" * 9_000}))
    assert 1_000 < context.next_turn().most_tokens - before < 3_000


def test_what_a_response_says_it_used_takes_the_place_of_estimates():
    context = Context()
    context.set_to(session(), 4_000)
    context.take(item({"type": "input_text", "text": "x" * 4_000}))
    context.settle(told(900, 100))
    assert 1_000 <= context.next_turn().most_tokens <= 1_100
    context.take(item({"type": "input_text", "text": "y" * 50}))
    assert 1_050 <= context.next_turn().most_tokens <= 1_150


def test_a_response_outside_the_conversation_tells_nothing_of_it():
    context = Context()
    context.settle(told(900, 100))
    context.settle(told(5, 5, conversation_id=None))
    assert context.next_turn().most_tokens >= 1_000


def test_a_bound_on_what_is_written_is_known_from_the_response_or_its_session():
    context = Context()
    context.set_to(session(max_output_tokens="inf"), 0)
    assert context.next_turn().output_tokens is None
    context.set_to(session(max_output_tokens=300), 0)
    assert context.next_turn().output_tokens == 300
    assert context.next_turn(raw({"max_output_tokens": 20})).output_tokens == 20
    assert context.next_turn(raw({"max_output_tokens": "inf"})).output_tokens == 300


def test_what_is_written_only_is_priced_as_text():
    context = Context()
    assert context.next_turn().speaks
    written = context.next_turn(raw({"output_modalities": ["text"]}))
    assert not written.speaks
    assert not written.hears
    context.set_to(session(output_modalities=["text"]), 0)
    assert not context.next_turn().speaks


def test_when_it_answers_by_itself():
    context = Context()
    assert context.responds_by_itself, "until the session says otherwise"
    for detection, by_itself in (
        ({"type": "server_vad"}, True),
        ({"type": "semantic_vad", "create_response": True}, True),
        ({"type": "server_vad", "create_response": False}, False),
        (None, False),
    ):
        context.set_to(session(audio={"input": {"turn_detection": detection}}), 0)
        assert context.responds_by_itself is by_itself
    writes = msgspec.convert(
        {
            "type": "transcription",
            "audio": {"input": {"turn_detection": {}, "transcription": {"model": "w"}}},
        },
        Session,
    )
    context.set_to(writes, 0)
    assert not context.responds_by_itself
    assert context.transcriber == "w"


@given(st.lists(st.text(max_size=50), max_size=8))
def test_what_is_reserved_never_falls_below_what_was_said(texts: list[str]):
    context = Context()
    for text in texts:
        context.take(item({"type": "input_text", "text": text}))
    assert context.next_turn().most_tokens >= sum(len(text.encode()) for text in texts)


@given(st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_no_item_or_response_makes_it_fail(value: Any):
    context = Context()
    for kind in ("conversation.item.create", "input_audio_buffer.append"):
        context.take(event(kind, item=value, audio=value))
    context.take(event("conversation.item.create", item={"content": value}))
    assert context.next_turn(raw(value)).most_tokens > 0
