"""`/v1/responses`: its usage, and its stream of typed events with their sequence numbers."""

from __future__ import annotations

import re

import msgspec

from headgate.errors import HeadgateError
from headgate.gateway.endpoints import lenient
from headgate.gateway.endpoints.endpoint import (
    UNREADABLE,
    Endpoint,
    Fields,
    StreamReader,
    TokenCount,
    Usage,
    data_of,
    events_of,
)


class _InputDetails(msgspec.Struct):
    cached_tokens: TokenCount | None = None
    cache_write_tokens: TokenCount | None = None


class _OutputDetails(msgspec.Struct):
    reasoning_tokens: TokenCount | None = None


class _Tokens(msgspec.Struct):
    input_tokens: TokenCount | None = None
    output_tokens: TokenCount | None = None
    input_tokens_details: _InputDetails | None = None
    output_tokens_details: _OutputDetails | None = None


class _Error(msgspec.Struct):
    code: str | None = None


class _Item(msgspec.Struct):
    id: str | None = None


class _Response(msgspec.Struct):
    """The parts of a response that tell what it used and how it ended."""

    id: str | None = None
    status: str | None = None
    model: str | None = None
    service_tier: str | None = None
    usage: _Tokens | None = None
    error: _Error | None = None
    store: bool | None = None
    output: list[_Item] | None = None

    def as_usage(self) -> Usage:
        tokens = self.usage or _Tokens()
        taken = tokens.input_tokens_details or _InputDetails()
        given = tokens.output_tokens_details or _OutputDetails()
        return Usage(
            model=self.model,
            service_tier=self.service_tier,
            input_tokens=tokens.input_tokens,
            cached_tokens=taken.cached_tokens,
            cache_write_tokens=taken.cache_write_tokens,
            output_tokens=tokens.output_tokens,
            reasoning_tokens=given.reasoning_tokens,
            response_id=self.id,
            item_ids=()
            if self.store is False or not self.output
            else tuple(item.id for item in self.output if item.id is not None),
            goes_on=self.status in _UNDER_WAY and self.usage is None,
        )


_UNDER_WAY = ("queued", "in_progress")


class _Event(msgspec.Struct):
    type: str = ""
    code: str | None = None
    response: _Response | None = None


_response = msgspec.json.Decoder(_Response)
_event = msgspec.json.Decoder(_Event)

_DELTA = re.compile(rb'"type":\s*"response\.[a-z_.]+\.delta"')
_WRITTEN = re.compile(rb'"(?:text|refusal|arguments|input)":\s*"[^"]')
_NUMBER = re.compile(rb'"sequence_number":\s*(\d+)')
_LAST = re.compile(rb'"type":\s*"(?:response\.(?:completed|incomplete|failed)|error)"')
_FIRST = re.compile(rb'"type":\s*"response\.(?:created|queued|in_progress)"')
_FINAL_TYPES = ("response.completed", "response.incomplete", "response.failed", "error")


class Responses(Endpoint):
    """Responses."""

    name = "responses"
    model_optional = True
    counts_text = True
    streams = True
    generates = True

    def usage(self, body: bytes) -> Usage:
        """See `Endpoint`."""
        return lenient.read(_response, body).as_usage()

    def wrote(self, body: bytes) -> bool:
        """See `Endpoint`."""
        return _WRITTEN.search(body) is not None

    def reader_for(self, fields: Fields, *, hide_usage: bool) -> StreamReader:  # noqa: ARG002
        """See `Endpoint`."""
        return ResponsesStreamReader(background=runs_in_background(fields))

    def stream_reader(self, *, hide_usage: bool) -> StreamReader:  # noqa: ARG002 - always visible
        """See `Endpoint`; the last event of a response always tells its usage."""
        return ResponsesStreamReader()


def runs_in_background(fields: Fields) -> bool:
    """Whether a request for a response is answered before there is any."""
    return bytes(fields.get("background", b"")) == b"true"


class ResponsesStreamReader(StreamReader):
    """Reads the events of a response; hands every byte on."""

    __slots__ = ("_background", "_last_number")

    def __init__(self, *, background: bool = False) -> None:
        super().__init__()
        self._last_number = -1
        # Whoever breaks off such a stream does not end the response that it tells of.
        self._background = background

    def _read(self, block: bytes) -> bytes:
        self.events += block.count(b"\ndata:") + block.startswith(b"data:")
        if not self.first_token_seen and _DELTA.search(block):
            self.first_token_seen = True
        number = None
        for number in _NUMBER.finditer(block, max(0, block.rfind(b"data:"))):  # noqa: B007
            pass
        if number is not None:
            self._last_number = int(number[1])
        if self._background and self.usage is None and _FIRST.search(block):
            self._note_beginning(block)
        if _LAST.search(block):
            for event in events_of(block):
                self._note_end(data_of(event))
        return block

    def _note_beginning(self, block: bytes) -> None:
        for event in events_of(block):
            try:
                told = lenient.read(_event, data_of(event)).response
            except UNREADABLE:
                continue
            if told is not None and told.id is not None:
                self.usage = told.as_usage()
                return

    def _note_end(self, data: bytes) -> None:
        try:
            event = lenient.read(_event, data)
        except UNREADABLE:
            return
        if event.type not in _FINAL_TYPES:
            return
        self.finished = True
        if event.response is not None:
            self.usage = event.response.as_usage()
        if event.type == "response.failed":
            error = event.response.error if event.response else None
            self.failure = ((error and error.code) or "response_failed")[:64]
        elif event.type == "error":
            self.failure = (event.code or "upstream_stream_error")[:64]

    def error_block(self, error: HeadgateError) -> bytes:
        """See `StreamReader`."""
        return error_event(error, self._last_number + 1)


def error_event(error: HeadgateError, number: int) -> bytes:
    """The `number`-th event of a stream, that ends it with an error.

    The published `error` event is flat; the SDKs raise only where it also has an `error`.
    """
    body = error.as_object()
    event = {
        "type": "error",
        "sequence_number": number,
        "code": body["code"],
        "message": body["message"],
        "param": body["param"],
        "error": body,
    }
    return b"event: error\ndata: " + msgspec.json.encode(event) + b"\n\n"
