"""The events of the Realtime API as far as Headgate reads them; each is parsed once.

A client's event goes on written anew from its top-level fields, so that a field given twice can't
mean one thing here and another to the provider. A provider's goes on as it came.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from headgate.errors import HeadgateError, InvalidRequestError
from headgate.gateway.endpoints import Fields
from headgate.gateway.endpoints.endpoint import UNREADABLE
from headgate.gateway.endpoints.realtime import RealtimeTokens
from headgate.storage.identifiers import new_id

TAKEN = frozenset(
    {
        "session.update",
        "input_audio_buffer.append",
        "input_audio_buffer.commit",
        "input_audio_buffer.clear",
        "output_audio_buffer.clear",
        "conversation.item.create",
        "conversation.item.retrieve",
        "conversation.item.truncate",
        "conversation.item.delete",
        "response.create",
        "response.cancel",
    }
)
"""What a client may send. Anything else might make a model work without being counted."""


class ClientEvent(msgspec.Struct):
    """An event of a client's."""

    type: str
    event_id: str
    """Its own, or one that is given to it, so that a provider's error can name it."""
    fields: Fields

    def written(self) -> bytes:
        """As the provider is to see it."""
        return msgspec.json.encode(self.fields)


class TurnDetection(msgspec.Struct):
    """When the provider takes a speaker to have finished."""

    create_response: bool = True
    """Whether it then answers by itself."""


class _Format(msgspec.Struct):
    type: str = "audio/pcm"


class _Transcription(msgspec.Struct):
    model: str | None = None


class _AudioInput(msgspec.Struct):
    format: _Format | None = None
    turn_detection: TurnDetection | None = None
    transcription: _Transcription | None = None


class _Audio(msgspec.Struct):
    input: _AudioInput | None = None


class Session(msgspec.Struct):
    """A session's settings, as the provider tells them."""

    type: str = "realtime"
    model: str | None = None
    output_modalities: list[str] | None = None
    max_output_tokens: int | Literal["inf"] | None = None
    audio: _Audio | None = None

    @property
    def hearing(self) -> _AudioInput:
        """How it listens."""
        return (self.audio or _Audio()).input or _AudioInput()


class ResponseTold(msgspec.Struct):
    """A response, as the events that begin and end it tell of it."""

    id: str = ""
    status: str | None = None
    conversation_id: str | None = None
    usage: RealtimeTokens | None = None


class ErrorTold(msgspec.Struct):
    """An error of the provider's, and which event of the client's it is about."""

    code: str | None = None
    type: str | None = None
    message: str | None = None
    event_id: str | None = None


class ServerEvent(msgspec.Struct):
    """An event of a provider's."""

    type: str = ""
    response_id: str | None = None
    response: ResponseTold | None = None
    session: Session | None = None
    usage: msgspec.Raw = msgspec.Raw(b"{}")
    error: ErrorTold | None = None

    @property
    def of_response(self) -> str | None:
        """The id of the response that it is about."""
        return self.response.id if self.response is not None else self.response_id


_fields = msgspec.json.Decoder(Fields)
_string = msgspec.json.Decoder(str)
_server = msgspec.json.Decoder(ServerEvent)


def read_client_event(message: str | bytes) -> ClientEvent:
    """The event that `message` is; `InvalidRequestError` where it is none that is taken."""
    try:
        fields = _fields.decode(message)
    except UNREADABLE:
        raise InvalidRequestError("A message must be a JSON object.", code="invalid_json") from None
    kind = text_of(fields, "type") or ""
    event_id = text_of(fields, "event_id")
    if event_id is None:
        event_id = new_id("event")
        fields["event_id"] = msgspec.Raw(msgspec.json.encode(event_id))
    if kind not in TAKEN:
        raise UnknownEventError(
            f"The event `{kind[:64]}` is not one that is taken here.",
            param="type",
            code="unknown_event",
            event_id=event_id,
        )
    return ClientEvent(kind, event_id, fields)


class UnknownEventError(InvalidRequestError):
    """That event is not one that is taken here."""

    def __init__(
        self, message: str, *, param: str | None, code: str | None, event_id: str | None
    ) -> None:
        super().__init__(message, param=param, code=code)
        self.event_id = event_id


def read_server_event(message: bytes) -> ServerEvent:
    """The event that `message` is; raises one of `UNREADABLE` where it can't be one."""
    return _server.decode(message)


def text_of(fields: Fields, name: str) -> str | None:
    """The field `name`, where it is a string."""
    raw = fields.get(name)
    try:
        return None if raw is None else _string.decode(raw)
    except UNREADABLE:
        return None


def error_event(error: HeadgateError, about: str | None) -> bytes:
    """The event that tells a client of `error`; `about` is the id of the event at fault."""
    return msgspec.json.encode(
        {
            "type": "error",
            "event_id": new_id("event"),
            "error": {**error.as_object(), "event_id": about},
        }
    )
