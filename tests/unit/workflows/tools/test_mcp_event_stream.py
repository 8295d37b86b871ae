"""Events come out of a stream however its bytes are cut."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.workflows.tools.mcp.event_stream import (
    EventSplitter,
    EventTooLargeError,
    ServerEvent,
)

STREAM = (
    b": greeting\r\nid: 1\r\nretry: 250\r\ndata:\r\n\r\n"
    b'event: message\ndata: {"a":\ndata: 1}\n\n'
    b"id: 2\rdata:x\r\r"
    b"retry: soon\n\n"
    b"data: never ended\n"
)
EVENTS = [
    ServerEvent(b"", id="1", retry_ms=250),
    ServerEvent(b'{"a":\n1}'),
    ServerEvent(b"x", id="2"),
]


@given(st.sets(st.integers(1, len(STREAM) - 1)))
def test_events_are_the_same_wherever_the_stream_is_cut(cuts):
    places = [0, *sorted(cuts), len(STREAM)]
    splitter = EventSplitter(1000)
    found = [
        event
        for start, end in itertools.pairwise(places)
        for event in splitter.feed(STREAM[start:end])
    ]
    assert found == EVENTS


@pytest.mark.parametrize("piece", [b"x", b"data: x\n"])
def test_an_event_without_end_is_given_up(piece):
    splitter = EventSplitter(1000)
    for _ in range(1000 // (len(piece) + 1)):
        splitter.feed(piece)
    with pytest.raises(EventTooLargeError):
        splitter.feed(b"data: " + b"x" * 1000)
