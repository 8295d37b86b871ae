"""`/v1/chat/completions`: its usage, and its stream of chunks up to `data: [DONE]`."""

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


class _PromptDetails(msgspec.Struct):
    cached_tokens: TokenCount | None = None
    cache_write_tokens: TokenCount | None = None
    audio_tokens: TokenCount | None = None


class _CompletionDetails(msgspec.Struct):
    reasoning_tokens: TokenCount | None = None
    audio_tokens: TokenCount | None = None


class _Tokens(msgspec.Struct):
    prompt_tokens: TokenCount | None = None
    completion_tokens: TokenCount | None = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None


class _Reply(msgspec.Struct):
    """The parts of a completion, or of a chunk, that tell what it used."""

    id: str | None = None
    model: str | None = None
    service_tier: str | None = None
    usage: _Tokens | None = None

    def as_usage(self) -> Usage:
        tokens = self.usage or _Tokens()
        prompt = tokens.prompt_tokens_details or _PromptDetails()
        completion = tokens.completion_tokens_details or _CompletionDetails()
        return Usage(
            self.model,
            self.service_tier,
            tokens.prompt_tokens,
            prompt.cached_tokens,
            prompt.cache_write_tokens,
            tokens.completion_tokens,
            completion.reasoning_tokens,
            prompt.audio_tokens,
            completion.audio_tokens,
            response_id=self.id,
        )


_Options = Fields | None

_reply = msgspec.json.Decoder(_Reply)
_fields = msgspec.json.Decoder(Fields)
_encode = msgspec.json.encode

_TOKEN = re.compile(
    rb'"(?:content|refusal|reasoning_content|arguments|data)":\s*"[^"]|"tool_calls":\s*\[\s*\{'
)


class ChatCompletions(Endpoint):
    """Chat completions."""

    name = "chat/completions"
    counts_text = True
    streams = True
    generates = True

    def usage(self, body: bytes) -> Usage:
        """See `Endpoint`."""
        return lenient.read(_reply, body).as_usage()

    def wrote(self, body: bytes) -> bool:
        """See `Endpoint`."""
        return _TOKEN.search(body) is not None

    def keeps(self, fields: Fields) -> bool:
        """See `Endpoint`; a completion is kept only where that is asked for."""
        store = fields.get("store")
        return store is not None and bytes(store) == b"true"

    def prepare_stream(self, fields: Fields) -> bool:
        """See `Endpoint`; a chat's stream tells its usage only where it is asked to."""
        try:
            options = msgspec.json.decode(fields.get("stream_options", b"null"), type=_Options)
        except msgspec.ValidationError:
            return False  # the provider names what is wrong with it
        options = options or {}
        if bytes(options.get("include_usage", b"")) == b"true":
            return False
        options["include_usage"] = msgspec.Raw(b"true")
        fields["stream_options"] = msgspec.Raw(_encode(options))
        return True

    def stream_reader(self, *, hide_usage: bool) -> StreamReader:
        """See `Endpoint`."""
        return ChatStreamReader(hide_usage=hide_usage)


class ChatStreamReader(StreamReader):
    """Reads chat completion chunks.

    Where Headgate asked for the usage and the client did not, `"usage": null` is taken out of each
    chunk and the last chunk, that has no choices, is kept back.
    """

    __slots__ = ("_hide_usage", "_model", "_tier")

    def __init__(self, *, hide_usage: bool) -> None:
        super().__init__()
        self._hide_usage = hide_usage

    def _read(self, block: bytes) -> bytes:
        self.events += block.count(b"data:")
        if not self.first_token_seen and _TOKEN.search(block):
            self.first_token_seen = True
        # A quote inside a JSON string is escaped, so these bytes are a key wherever they stand;
        # a line break is too, so a line that begins with "data:" is a line of the stream.
        mentions = block.count(b'"usage"')
        if mentions:
            if mentions != block.count(b',"usage":null'):
                block = b"".join(map(self._event, events_of(block)))
            elif self._hide_usage:
                block = block.replace(b',"usage":null', b"")
        if b'"error"' in block:
            self._note_failure(block)
        if b"[DONE]" in block and re.search(rb"^data: ?\[DONE\]", block, re.MULTILINE):
            self.finished = True
        return block

    def _event(self, event: bytes) -> bytes:
        """One event that may tell the usage, as the client shall see it."""
        data = data_of(event)
        if b'"usage"' not in data:
            return event
        try:
            chunk = lenient.read(_reply, data)
        except UNREADABLE:
            return event
        if chunk.usage is not None:
            self.usage = chunk.as_usage()
        if not self._hide_usage:
            return event
        fields = _fields.decode(data)
        fields.pop("usage", None)
        if chunk.usage is not None and bytes(fields.get("choices", b"[]")).strip() == b"[]":
            return b""
        return b"data: " + _encode(fields) + b"\n\n"

    def _note_failure(self, block: bytes) -> None:
        """Learn of an error, which stands alone in an event or, of some servers, in a chunk."""
        for event in events_of(block):
            if b'"error"' in event and (code := error_told(data_of(event))) is not None:
                self.failure = code

    def error_block(self, error: HeadgateError) -> bytes:
        """See `StreamReader`; both SDKs raise on a chunk that has an `error`."""
        return b"data: " + _encode({"error": error.as_object()}) + b"\n\n"


class _Error(msgspec.Struct):
    code: str | int | None = None
    type: str | None = None


class _Failure(msgspec.Struct):
    error: _Error | None = None


class _Told(msgspec.Struct):
    error: msgspec.Raw = msgspec.Raw(b"null")


_NO_ERROR = (b"null", b"{}", b"false", b'""')
"""What stands there where nothing is wrong."""

_ERROR_BYTES = 64 * 1024
"""No error's reply is larger."""


def failure_code(data: bytes) -> str:
    """The code of an error that stands in `data`, or a name for one that has none."""
    try:
        error = msgspec.json.decode(data, type=_Failure).error
    except UNREADABLE:
        error = None
    return str((error and (error.code or error.type)) or "upstream_stream_error")[:64]


def error_told(body: bytes) -> str | None:
    """The code of the error that stands in `body`, as `failure_code` has it; None: there is none.

    Some servers write one as a text.
    """
    if len(body) > _ERROR_BYTES or b'"error"' not in body:
        return None
    try:
        error = bytes(msgspec.json.decode(body, type=_Told).error)
    except UNREADABLE:
        return None
    return None if error in _NO_ERROR else failure_code(body)
