"""/v1/audio: what a recording is said to say, and a sound for a text."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

from headgate.simulator import tokens
from headgate.simulator.catalogue import find_model
from headgate.simulator.exchange import Exchange
from headgate.simulator.wire.api_error import ApiError, invalid_value
from headgate.simulator.wire.form import Form, FormFile, read_form
from headgate.simulator.wire.parameters import Parameter, check_parameters
from headgate.simulator.wire.reply import (
    JsonReply,
    Piece,
    Reply,
    StreamReply,
    data_event,
    json_reply,
)

MAX_AUDIO_BYTES = 25 * 1024 * 1024

_FORMATS = ("json", "text", "srt", "verbose_json", "vtt", "diarized_json")
_BYTES_PER_S = 16_000
_TOKENS_PER_S = 10
_SPEECH = (
    Parameter("model", "string", required=True),
    Parameter("input", "string", required=True),
    Parameter("voice", "any", required=True),
    Parameter("instructions", "string"),
    Parameter(
        "response_format", "string", choices=("mp3", "opus", "aac", "flac", "wav", "pcm")
    ),
    Parameter("speed", "number", minimum=0.25, maximum=4),
    Parameter("stream_format", "string", choices=("audio", "sse")),
)  # fmt: skip
_MEDIA_TYPES = {
    "mp3": "audio/mpeg", "opus": "audio/ogg", "aac": "audio/aac", "flac": "audio/flac",
    "wav": "audio/wav", "pcm": "application/octet-stream",
}  # fmt: skip
_RATE_HZ = 24_000
_CHARACTERS_PER_S = 15
_MAX_SPEECH_CHARACTERS = 4_096
_MAX_SPEECH_S = 20
_PIECE_BYTES = 16_384


def create_transcription(exchange: Exchange, _: str) -> Reply:
    """A text for a recording; the same recording always gets the same."""
    form = read_form(exchange.request)
    file, seconds = _recording(form)
    model = find_model(form.required_text("model"), "hearing")
    text = f"This is recording {zlib.crc32(file.content):08x}, {len(file.content)} bytes long."
    shape = form.text("response_format") or "json"
    if shape not in _FORMATS:
        raise invalid_value("response_format", shape, _FORMATS)
    if model.id == "whisper-1":
        usage = {"type": "duration", "seconds": seconds}
    else:
        usage = transcription_usage(seconds * _TOKENS_PER_S, text)
        if form.text("stream") == "true":
            words = [piece for piece in tokens.pieces(text) if piece]
            deltas = [data_event({"type": "transcript.text.delta", "delta": w}, 1) for w in words]
            done = data_event({"type": "transcript.text.done", "text": text, "usage": usage})
            return StreamReply(pieces=(*deltas, done))
    return _written(shape, text, seconds, usage)


def transcription_usage(heard_tokens: int, text: str) -> dict[str, Any]:
    """What it takes to write `text` for so much sound."""
    given = tokens.counted(text)
    return {
        "type": "tokens",
        "input_tokens": heard_tokens,
        "input_token_details": {"text_tokens": 0, "audio_tokens": heard_tokens},
        "output_tokens": given,
        "total_tokens": heard_tokens + given,
    }


def create_translation(exchange: Exchange, _: str) -> Reply:
    """An English text for a recording."""
    form = read_form(exchange.request)
    file, seconds = _recording(form)
    find_model(form.required_text("model"), "hearing")
    text = f"In English, this is recording {zlib.crc32(file.content):08x}."
    shape = form.text("response_format") or "json"
    return _written(shape, text, seconds, {})


def create_speech(exchange: Exchange, _: str) -> Reply:
    """A tone as long as the text would take to say; of WAV and PCM it can be heard."""
    body = exchange.request.json_object()
    check_parameters(body, _SPEECH, refuse_unknown=exchange.refuse_unknown)
    find_model(body["model"], "speech")
    text: str = body["input"]
    if len(text) > _MAX_SPEECH_CHARACTERS:
        raise ApiError(
            400,
            f"String should have at most {_MAX_SPEECH_CHARACTERS} characters",
            param="input",
            code="string_above_max_length",
        )
    shape = body.get("response_format") or "mp3"
    sound = _sound(shape, min(_MAX_SPEECH_S, len(text) / _CHARACTERS_PER_S))
    if body.get("stream_format") == "sse":
        taken, given = tokens.counted(text), len(sound) // 1_000
        usage = {"input_tokens": taken, "output_tokens": given, "total_tokens": taken + given}
        pieces = [
            data_event(
                {
                    "type": "speech.audio.delta",
                    "audio": base64.b64encode(sound[at : at + _PIECE_BYTES]).decode(),
                }
            )
            for at in range(0, len(sound), _PIECE_BYTES)
        ]
        return StreamReply((*pieces, data_event({"type": "speech.audio.done", "usage": usage})))
    pieces = [Piece(sound[at : at + _PIECE_BYTES]) for at in range(0, len(sound), _PIECE_BYTES)]
    return StreamReply(tuple(pieces), headers=(("content-type", _MEDIA_TYPES[shape]),))


def _recording(form: Form) -> tuple[FormFile, int]:
    """The file and about how many seconds it has."""
    file = form.required_file("file")
    if len(file.content) > MAX_AUDIO_BYTES:
        raise ApiError(413, f"Maximum content size limit ({MAX_AUDIO_BYTES}) exceeded.")
    return file, len(file.content) // _BYTES_PER_S + 1


def _written(shape: str, text: str, seconds: int, usage: dict[str, object]) -> Reply:
    plain = (("content-type", "text/plain; charset=utf-8"),)
    span = f"00:00:00,000 --> 00:00:{min(seconds, 59):02d},000"
    if shape == "text":
        return JsonReply(body=f"{text}\n".encode(), headers=plain)
    if shape == "srt":
        return JsonReply(body=f"1\n{span}\n{text}\n\n".encode(), headers=plain)
    if shape == "vtt":
        span = span.replace(",", ".")
        return JsonReply(body=f"WEBVTT\n\n{span}\n{text}\n\n".encode(), headers=plain)
    said = {"usage": usage} if usage else {}
    if shape == "verbose_json":
        more = {"task": "transcribe", "language": "english", "duration": seconds, "segments": []}
        return json_reply({"text": text, **more, **said})
    return json_reply({"text": text, **said})


def _sound(shape: str, seconds: float) -> bytes:
    samples = bytearray()
    for at in range(int(seconds * _RATE_HZ)):
        # A tone of 440 Hz, as a triangle.
        phase = (at * 440 % _RATE_HZ) / _RATE_HZ
        samples += struct.pack("<h", int((abs(4 * phase - 2) - 1) * 8_000))
    if shape == "wav":
        size = len(samples)
        head = struct.pack(
            "<4sI4s4sIHHIIHH4sI",
            b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, _RATE_HZ, _RATE_HZ * 2, 2, 16,
            b"data", size,
        )  # fmt: skip
        return head + bytes(samples)
    if shape == "pcm":
        return bytes(samples)
    # A silent frame of MPEG layer III, again and again; of other formats as many bytes.
    return (b"\xff\xfb\x90\x64" + bytes(413)) * max(1, int(seconds * 38))
