"""What the gateway must know of an endpoint: where its model, its stream and its usage stand."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Annotated, ClassVar

import msgspec

from headgate.errors import HeadgateError, InvalidRequestError

Fields = dict[str, msgspec.Raw]
"""A JSON object whose values are still the bytes that the client sent."""

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What reading JSON that came from outside can raise; the last where it is nested too deep."""

TokenCount = Annotated[int, msgspec.Meta(ge=0, le=10**8)]
"""As a provider may tell it of one call, for which no model has a context of a tenth of that."""

_MAX_EVENT_BYTES = 8 * 1024 * 1024


class Usage(msgspec.Struct, frozen=True, gc=False):
    """What a reply says it used; None where it doesn't say."""

    model: str | None = None
    service_tier: str | None = None
    input_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    input_audio_tokens: int | None = None
    output_audio_tokens: int | None = None
    input_image_tokens: int | None = None
    output_image_tokens: int | None = None
    response_id: str | None = None
    """The id under which the provider may keep the reply."""
    cached_audio_tokens: int | None = None
    """Those of `cached_tokens` that are audio."""
    item_ids: tuple[str, ...] = ()
    """The ids under which it keeps the reply's parts, where it keeps them."""
    goes_on: bool = False
    """Whether the provider still works on it, in the background, and will say later."""

    def plus(self, other: Usage) -> Usage:
        """What both used, where one answer has several parts that each tell their own."""
        sums: dict[str, int | None] = {}
        for name in self.__struct_fields__:
            if name.endswith("_tokens"):
                counts = [c for c in (getattr(self, name), getattr(other, name)) if c is not None]
                sums[name] = sum(counts) if counts else None
        return msgspec.structs.replace(self, **sums)


class Endpoint(ABC):
    """One address under `/v1/` that takes a request to a model."""

    name: ClassVar[str]
    """The part of the path after `/v1/`; also what the ledger and the metrics call it."""
    streams: ClassVar[bool] = False
    generates: ClassVar[bool] = False
    """Whether its replies take as long as a model writes."""
    reads_kept: ClassVar[bool] = False
    """Whether the provider looks into what it keeps, though no model writes."""
    counts_text: ClassVar[bool] = False
    """Whether what it uses can be told roughly from the size of its texts."""
    default_model: ClassVar[str | None] = None
    """The model that is meant where a request names none; None: it must name one."""

    model_optional: ClassVar[bool] = False
    """Whether a request may leave the model to the provider, as OpenAI's specification has it."""

    runs_second_model: ClassVar[bool] = False
    """Whether a request may have another model run beside its own; see `second_model`."""

    takes_form: ClassVar[bool] = False
    """Whether its body may be a multipart form."""

    free_models: ClassVar[tuple[str, ...]] = ()
    """Patterns of models that their provider does not charge for here."""

    @property
    def target(self) -> bytes:
        """Where it stands below a provider's base URL."""
        return b"/" + self.name.encode()

    @abstractmethod
    def usage(self, body: bytes) -> Usage:
        """What a whole reply says it used. Raises one of `UNREADABLE` where it is not JSON."""

    def wrote(self, body: bytes) -> bool:  # noqa: ARG002 - most are read by no person
        """Whether something is written in a whole reply, whatever its usage says."""
        return False

    def check(self, fields: Fields) -> None:  # noqa: B027 - most take what their provider takes
        """Raise `InvalidRequestError` for what Headgate can't carry."""

    def second_model(self, fields: Fields) -> str | None:  # noqa: ARG002 - most run one
        """The model that is run beside the request's own: "" where it isn't named, None: none."""
        return None

    def keeps(self, fields: Fields) -> bool:  # noqa: ARG002 - responses are kept unless told not to
        """Whether the provider may keep the answer under the identifier that its usage tells."""
        return True

    def prepare_stream(self, fields: Fields) -> bool:  # noqa: ARG002 - most need nothing
        """Make a streamed request tell its usage; return whether the client must not see it."""
        return False

    def is_streamed(self, fields: Fields) -> bool:
        """Whether the request asks for its reply as a stream."""
        return self.streams and _stream(fields)

    def flows(self, content_type: bytes) -> bool:
        """Whether a reply of this type, in lower case, is such a stream."""
        return content_type.startswith(b"text/event-stream")

    def reader_for(self, fields: Fields, *, hide_usage: bool) -> StreamReader:  # noqa: ARG002
        """A reader for the stream that answers the request with these `fields`."""
        return self.stream_reader(hide_usage=hide_usage)

    def stream_reader(self, *, hide_usage: bool) -> StreamReader:
        """A reader for one stream of this endpoint."""
        raise NotImplementedError(self.name)


class StreamRefused(ValueError):  # noqa: N818 - what happened, as the others are named
    """An error of the provider's in place of a stream's first content: it may be tried again."""

    def __init__(self, message: str, *, code: str, status: int) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        """The status that a reply with this error would have had."""


class StreamReader(ABC):
    """Reads one stream of server-sent events as it flows by; no I/O.

    `feed` takes bytes cut anywhere and returns those to hand on, always whole events, so that
    what follows an error is never glued to half an event.
    """

    __slots__ = (
        "_rest", "events", "failure", "finished", "first_token_seen", "max_event_bytes", "may_end",
        "usage",
    )  # fmt: skip

    def __init__(self) -> None:
        self._rest = b""
        self.events = 0
        """How many events have gone by: of a stream cut short, about the tokens it carried."""
        self.usage: Usage | None = None
        self.finished = False
        """Whether the event that ends such a stream has been seen."""
        self.may_end = False
        """Whether it is complete if its body ends now."""
        self.max_event_bytes = _MAX_EVENT_BYTES
        self.first_token_seen = False
        self.failure: str | None = None
        """The code of an error that the provider reported inside the stream."""

    def feed(self, data: bytes) -> bytes:
        """Take in `data`; return what may go to the client now. ValueError: not such a stream."""
        if self._rest:
            data = self._rest + data
        if b"\r" in data:
            # A trailing CR may be half of a CRLF whose LF is still on its way.
            half = data.endswith(b"\r")
            data = data[:-1] if half else data
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n") + (b"\r" if half else b"")
        end = data.rfind(b"\n\n") + 2
        if end == 1:
            self._hold(data)
            return b""
        if end == len(data):
            self._rest = b""
            return self._read(data)
        self._hold(data[end:])
        return self._read(data[:end])

    def _hold(self, rest: bytes) -> None:
        if len(rest) > self.max_event_bytes:
            raise ValueError("an event of the stream is too long")
        self._rest = rest

    @abstractmethod
    def _read(self, block: bytes) -> bytes:
        """Learn from `block`, one or more whole events; return it as the client shall see it."""

    @abstractmethod
    def error_block(self, error: HeadgateError) -> bytes:
        """The event that ends a broken stream so that the official SDKs raise."""


def _stream(fields: Fields) -> bool:
    raw = fields.get("stream")
    if raw is None:
        return False
    text = bytes(raw)
    if text in (b"false", b"null"):
        return False
    if text == b"true":
        return True
    raise InvalidRequestError(
        "The field `stream` must be true or false.", param="stream", code="invalid_type"
    )


def events_of(block: bytes) -> list[bytes]:
    """The events of `block`, each with the blank line that ends it."""
    return [event + b"\n\n" for event in block.split(b"\n\n") if event]


def data_of(event: bytes) -> bytes:
    """The `data:` of one event (OpenAI's events have one line of it)."""
    for line in event.split(b"\n"):
        if line.startswith(b"data:"):
            return line[5:].strip()
    return b""
