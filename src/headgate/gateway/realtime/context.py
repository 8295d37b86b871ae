"""How large a realtime session's next response may be: pure, from the events that went by.

A session's whole conversation is the input of each response. What it holds is known exactly only
when a response tells what it used; since then it is estimated, for limits by likely tokens, for
money by the most that the bytes can be.
"""

from __future__ import annotations

import msgspec

from headgate.gateway.endpoints import Fields
from headgate.gateway.endpoints.endpoint import UNREADABLE
from headgate.gateway.realtime.events import ClientEvent, ResponseTold, Session
from headgate.gateway.settlement import BYTES_PER_TOKEN
from headgate.gateway.worst_case import Turn

_AUDIO_BYTES_PER_TOKEN = {"audio/pcm": 4800, "audio/pcmu": 800, "audio/pcma": 800}
"""A tenth of a second is a token: of 16 bits at 24 kHz, or of 8 bits at 8 kHz."""

_IMAGE_TOKENS = 1600
_FRAME_TOKENS = 64


class _Part(msgspec.Struct):
    text: str = ""
    audio: str = ""
    image_url: str | None = None


class _Item(msgspec.Struct):
    content: list[_Part] = []
    arguments: str = ""
    output: str = ""


class _Create(msgspec.Struct):
    max_output_tokens: int | str | None = None
    output_modalities: list[str] | None = None


_fields = msgspec.json.Decoder(Fields)
_item = msgspec.json.Decoder(_Item)
_create = msgspec.json.Decoder(_Create)


class Context:
    """What one session holds, and what it is set to."""

    def __init__(self) -> None:
        self.responds_by_itself = True
        """Whether it answers when it takes a speaker to have finished."""
        self.transcriber: str | None = None
        """The model that writes down what is heard."""
        self._known_tokens = 0
        self._session_bytes = 0
        self._text_bytes = 0
        self._image_tokens = 0
        self._audio_bytes = 0
        self._audio_bytes_per_token = _AUDIO_BYTES_PER_TOKEN["audio/pcm"]
        self._heard = False
        self._speaks = True
        self._max_output: int | None = None

    def set_to(self, session: Session, size_bytes: int) -> None:
        """Take in the session's settings, which the provider tells in `size_bytes`."""
        hearing = session.hearing
        self.responds_by_itself = (
            session.type == "realtime"
            and hearing.turn_detection is not None
            and hearing.turn_detection.create_response
        )
        self.transcriber = hearing.transcription.model if hearing.transcription else None
        kind = hearing.format.type if hearing.format else "audio/pcm"
        self._audio_bytes_per_token = _AUDIO_BYTES_PER_TOKEN.get(kind, 800)
        self._speaks = session.output_modalities is None or "audio" in session.output_modalities
        most = session.max_output_tokens
        self._max_output = most if isinstance(most, int) else None
        self._session_bytes = size_bytes

    def take(self, event: ClientEvent) -> None:
        """Count what a client's event adds to the conversation."""
        if event.type == "input_audio_buffer.append":
            self._heard = True
            # Base64: three bytes in four characters.
            self._audio_bytes += _length(event.fields.get("audio")) * 3 // 4
        elif event.type == "conversation.item.create":
            self._add_item(event.fields.get("item"))

    def settle(self, response: ResponseTold) -> None:
        """Take in what a response says it used: that much the conversation holds now."""
        usage = response.usage
        if usage is None or usage.input_tokens is None or response.conversation_id is None:
            return
        self._known_tokens = usage.input_tokens + (usage.output_tokens or 0)
        self._text_bytes = self._image_tokens = self._audio_bytes = self._session_bytes = 0
        details = usage.input_token_details
        self._heard = self._heard or bool(details and details.audio_tokens)

    def next_turn(self, create: msgspec.Raw | None = None, *, ahead_tokens: int = 0) -> Turn:
        """The next response, at its largest; `create` is the `response` of a `response.create`."""
        asked = _asked(create)
        most = asked.max_output_tokens
        if asked.output_modalities is None:
            speaks = self._speaks
        else:
            speaks = "audio" in asked.output_modalities
        size_bytes = self._session_bytes + self._text_bytes + _length(create)
        counted = (
            self._known_tokens
            + self._image_tokens
            + self._audio_bytes // self._audio_bytes_per_token
            + ahead_tokens
            + _FRAME_TOKENS
        )
        return Turn(
            likely_tokens=counted + size_bytes // BYTES_PER_TOKEN,
            most_tokens=counted + size_bytes,
            output_tokens=most if isinstance(most, int) and most > 0 else self._max_output,
            hears=self._heard or speaks,
            speaks=speaks,
        )

    def _add_item(self, raw: msgspec.Raw | None) -> None:
        try:
            item = _item.decode(raw or b"{}")
        except UNREADABLE:
            self._text_bytes += _length(raw)
            return
        self._text_bytes += len(item.arguments.encode()) + len(item.output.encode())
        for part in item.content:
            self._text_bytes += len(part.text.encode())
            self._audio_bytes += len(part.audio) * 3 // 4
            self._heard = self._heard or bool(part.audio)
            self._image_tokens += _IMAGE_TOKENS if part.image_url else 0


def _asked(create: msgspec.Raw | None) -> _Create:
    try:
        return _create.decode(create or b"{}")
    except UNREADABLE:
        return _Create()


def _length(raw: msgspec.Raw | None) -> int:
    return 0 if raw is None else memoryview(raw).nbytes
