"""What an application may rely on when its response streams through Headgate."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from headgate.errors import UpstreamFailedError
from headgate.gateway.endpoints.responses import ResponsesStreamReader


def event(kind: str, number: int, **fields: object) -> bytes:
    body = {"type": kind, "sequence_number": number, **fields}
    return f"event: {kind}\ndata: {json.dumps(body)}\n\n".encode()


RESPONSE = {"id": "resp_1", "model": "gpt-5-mini", "status": "in_progress", "usage": None}
DONE = {
    **RESPONSE,
    "status": "completed",
    "service_tier": "default",
    "usage": {
        "input_tokens": 9,
        "output_tokens": 4,
        "total_tokens": 13,
        "input_tokens_details": {"cached_tokens": 2},
        "output_tokens_details": {"reasoning_tokens": 3},
    },
}
STREAM = b"".join(
    [
        event("response.created", 0, response=RESPONSE),
        event("response.output_text.delta", 1, delta='"type":"response.completed"'),
        event("response.output_text.delta", 2, delta="event: error\n\n"),
        event("response.completed", 3, response=DONE),
    ]
)


@given(st.sets(st.integers(0, len(STREAM)), max_size=20))
def test_every_byte_passes_and_usage_is_read_however_it_is_cut(cuts: set[int]) -> None:
    places = sorted(cuts)
    reader = ResponsesStreamReader()
    pieces = [STREAM[a:b] for a, b in zip([0, *places], [*places, len(STREAM)], strict=True)]
    assert b"".join(map(reader.feed, pieces)) == STREAM
    assert reader.finished
    assert reader.first_token_seen
    assert reader.failure is None
    assert reader.usage is not None
    assert (reader.usage.input_tokens, reader.usage.output_tokens) == (9, 4)
    assert (reader.usage.cached_tokens, reader.usage.reasoning_tokens) == (2, 3)


def test_text_that_looks_like_the_end_is_not_the_end() -> None:
    reader = ResponsesStreamReader()
    reader.feed(event("response.output_text.delta", 1, delta='{"type":"response.completed"}'))
    assert not reader.finished


def test_the_error_of_a_broken_stream_carries_on_the_numbers() -> None:
    reader = ResponsesStreamReader()
    reader.feed(event("response.created", 0, response=RESPONSE))
    reader.feed(event("response.output_text.delta", 7, delta="x"))
    block = reader.error_block(UpstreamFailedError("gone", code="upstream_cut"))
    name, data = block.decode().strip().split("\n")
    body = json.loads(data.removeprefix("data: "))
    assert name == "event: error"
    assert body["type"] == "error"
    assert body["sequence_number"] == 8
    assert body["error"]["code"] == "upstream_cut"


def test_a_failed_response_is_an_end_with_a_failure() -> None:
    reader = ResponsesStreamReader()
    failed = {**DONE, "status": "failed", "error": {"code": "server_error", "message": "no"}}
    reader.feed(event("response.failed", 1, response=failed))
    assert reader.finished
    assert reader.failure == "server_error"
    assert reader.usage is not None
