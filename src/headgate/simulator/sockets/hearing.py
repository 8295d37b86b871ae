"""What a realtime session hears: sound that comes in, and when a speaker has finished. Pure.

Silence is zeros: nothing that a microphone gives, but what a test can send.
"""

from __future__ import annotations

from typing import Any, Literal

_BYTES_PER_S = {"audio/pcm": 48_000, "audio/pcmu": 8_000, "audio/pcma": 8_000}
_TOKENS_PER_S = 10

Heard = Literal["started", "stopped"]
"""`started`: a speaker has begun. `stopped`: and has been silent for long enough."""


class Hearing:
    """The buffer of one session's sound."""

    def __init__(self) -> None:
        self.size_bytes = 0
        self._speaking = False
        self._silent_bytes = 0

    def hear(self, sound: bytes, settings: dict[str, Any]) -> list[Heard]:
        """Take in sound; `settings` are the session's `audio.input`."""
        self.size_bytes += len(sound)
        detection = settings.get("turn_detection")
        if not detection:
            return []
        heard: list[Heard] = []
        after = len(sound) - len(sound.rstrip(b"\0"))
        if after < len(sound):
            if not self._speaking:
                heard.append("started")
            self._speaking = True
            self._silent_bytes = after
        else:
            self._silent_bytes += len(sound)
        wanted_s = (detection.get("silence_duration_ms") or 500) / 1_000
        if self._speaking and self._silent_bytes >= wanted_s * bytes_per_s(settings):
            self._speaking = False
            heard.append("stopped")
        return heard

    def take(self, settings: dict[str, Any]) -> int:
        """Empty the buffer; how many tokens it held."""
        tokens = audio_tokens(self.size_bytes, settings)
        self.size_bytes = self._silent_bytes = 0
        self._speaking = False
        return tokens


def bytes_per_s(settings: dict[str, Any]) -> int:
    """How many bytes a second of sound has."""
    kind = (settings.get("format") or {}).get("type", "audio/pcm")
    return _BYTES_PER_S.get(kind, 48_000)


def audio_tokens(size_bytes: int, settings: dict[str, Any]) -> int:
    """What so much sound takes of a model's input."""
    return size_bytes * _TOKENS_PER_S // bytes_per_s(settings) + (1 if size_bytes else 0)
