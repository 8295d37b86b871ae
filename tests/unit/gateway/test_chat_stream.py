"""What an application may rely on when its chat completion streams through Headgate."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.errors import UpstreamFailedError
from headgate.gateway.endpoints.chat import ChatStreamReader

USAGE = {
    "prompt_tokens": 12,
    "completion_tokens": 3,
    "total_tokens": 15,
    "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 1, "audio_tokens": 0},
}


def chunk(content: str | None, *, usage: object = ..., **extra: object) -> dict[str, object]:
    delta = {"role": "assistant", "content": ""} if content is None else {"content": content}
    body: dict[str, object] = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "model": "gpt-4.1-mini-2025-04-14",
        "service_tier": "default",
        "choices": [{"index": 0, "delta": delta, "finish_reason": None}],
        **extra,
    }
    if usage is not ...:
        body["usage"] = usage
    return body


def sse(*chunks: dict[str, object], done: bool = True, separators=(",", ":")) -> bytes:
    blocks = [
        b"data: " + json.dumps(c, separators=separators, ensure_ascii=False).encode() + b"\n\n"
        for c in chunks
    ]
    return b"".join(blocks) + (b"data: [DONE]\n\n" if done else b"")


LAST = chunk("", usage=USAGE, choices=[])

text = st.text(alphabet=st.sampled_from('ab"\\{}[]:,\n dataé中usagenull[DONE]'), max_size=20)


@st.composite
def cut_streams(draw: st.DrawFn) -> tuple[list[str], list[bytes]]:
    """Contents, and the bytes of their stream cut anywhere."""
    contents = draw(st.lists(text, max_size=6))
    separators = draw(st.sampled_from([(",", ":"), (", ", ": ")]))
    data = sse(
        chunk(None, usage=None),
        *(chunk(c, usage=None) for c in contents),
        LAST,
        separators=separators,
    )
    if draw(st.booleans()):
        data = data.replace(b"\n\n", b"\r\n\r\n")
    cuts = sorted(draw(st.sets(st.integers(0, len(data)), max_size=12)))
    return contents, [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def events(data: bytes) -> list[dict[str, object]]:
    return [
        json.loads(line[6:])
        for line in data.split(b"\n")
        if line.startswith(b"data: ") and line != b"data: [DONE]"
    ]


@given(cut_streams())
def test_a_client_that_did_not_ask_sees_no_trace_of_usage(stream) -> None:
    contents, pieces = stream
    reader = ChatStreamReader(hide_usage=True)
    seen = b"".join(reader.feed(piece) for piece in pieces)
    expected = [chunk(None), *(chunk(c) for c in contents)]
    assert events(seen) == expected
    assert seen.endswith(b"data: [DONE]\n\n")
    assert reader.finished


@given(cut_streams())
def test_usage_is_read_however_the_stream_is_cut(stream) -> None:
    _, pieces = stream
    for hide in (True, False):
        reader = ChatStreamReader(hide_usage=hide)
        for piece in pieces:
            reader.feed(piece)
        assert reader.usage is not None
        assert (reader.usage.input_tokens, reader.usage.output_tokens) == (12, 3)
        assert (reader.usage.cached_tokens, reader.usage.reasoning_tokens) == (4, 1)
        assert reader.usage.model == "gpt-4.1-mini-2025-04-14"


@given(cut_streams())
def test_a_client_that_asked_gets_every_byte(stream) -> None:
    _, pieces = stream
    reader = ChatStreamReader(hide_usage=False)
    seen = b"".join(reader.feed(piece) for piece in pieces)
    assert seen == b"".join(pieces).replace(b"\r\n", b"\n")


@given(cut_streams())
def test_only_whole_events_are_handed_on(stream) -> None:
    _, pieces = stream
    reader = ChatStreamReader(hide_usage=True)
    for piece in pieces:
        block = reader.feed(piece)
        assert not block or block.endswith(b"\n\n")


def test_a_stream_without_its_done_is_not_finished() -> None:
    reader = ChatStreamReader(hide_usage=False)
    reader.feed(sse(chunk(None), chunk("data: [DONE]\n\n"), done=False))
    assert not reader.finished


def test_the_first_token_is_text_not_the_role() -> None:
    reader = ChatStreamReader(hide_usage=False)
    reader.feed(sse(chunk(None), done=False))
    assert not reader.first_token_seen
    reader.feed(sse(chunk("Hello"), done=False))
    assert reader.first_token_seen


def test_an_error_inside_the_stream_is_noted_and_handed_on() -> None:
    reader = ChatStreamReader(hide_usage=True)
    block = b'data: {"error":{"message":"overloaded","type":"server_error","code":"busy"}}\n\n'
    assert reader.feed(block) == block
    assert reader.failure == "busy"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"code": "server_error", "message": "It broke."}, "server_error"),
        ({"code": 502, "message": "It broke."}, "502"),
        ("It broke.", "upstream_stream_error"),
        (None, None),
        ({}, None),
    ],
    ids=["code", "number", "text", "null", "empty"],
)
def test_an_error_within_a_chunk_is_one_too(error: object, code: str | None):
    reader = ChatStreamReader(hide_usage=False)
    data = sse(chunk("Wa"), chunk('"error": it is a word', error=error), LAST)
    assert reader.feed(data) == data
    assert reader.failure == code


def test_a_broken_stream_ends_in_an_error_the_sdks_raise() -> None:
    reader = ChatStreamReader(hide_usage=True)
    block = reader.error_block(UpstreamFailedError("gone", code="upstream_cut"))
    assert json.loads(block.removeprefix(b"data: ")) == {
        "error": {
            "message": "gone",
            "type": "upstream_error",
            "param": None,
            "code": "upstream_cut",
        }
    }


def test_an_endless_event_is_refused() -> None:
    reader = ChatStreamReader(hide_usage=True)
    with pytest.raises(ValueError, match="too long"):
        reader.feed(b"data: " + b"x" * (9 * 1024 * 1024))
