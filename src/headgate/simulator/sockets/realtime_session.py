"""A realtime session's settings, and how events change them."""

from __future__ import annotations

import time
from typing import Any

from headgate.simulator.endpoints.identifier import new_id
from headgate.simulator.wire.api_error import ApiError, invalid_type

_LASTS_S = 3_600


def new_session(model: str | None, *, transcribes: bool) -> dict[str, Any]:
    """The settings that a session begins with."""
    pcm = {"type": "audio/pcm", "rate": 24_000}
    detection: dict[str, Any] = {
        "type": "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 200,
        "idle_timeout_ms": None,
    }
    session: dict[str, Any] = {
        "type": "transcription" if transcribes else "realtime",
        "object": "realtime.transcription_session" if transcribes else "realtime.session",
        "id": new_id("sess_"),
        "expires_at": int(time.time()) + _LASTS_S,
        "include": None,
    }
    hearing = {
        "format": pcm,
        "transcription": None,
        "noise_reduction": None,
        "turn_detection": detection,
    }
    if transcribes:
        return {**session, "audio": {"input": hearing}}
    detection |= {"create_response": True, "interrupt_response": True}
    return {
        **session,
        "model": model,
        "output_modalities": ["audio"],
        "instructions": "You are a helpful, calm voice.",
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "audio": {
            "input": hearing,
            "output": {"format": pcm, "voice": "marin", "speed": 1.0},
        },
    }


def updated(session: dict[str, Any], change: Any) -> dict[str, Any]:
    """`session` with what a `session.update` changes; `ApiError` 400 for what can't be."""
    if not isinstance(change, dict):
        raise invalid_type("session", "an object", change)
    asked = change.get("model")
    if asked is not None and asked != session.get("model"):
        raise ApiError(400, "Cannot update a session's model.", param="session.model")
    return _merged(session, change)


def _merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    merged = dict(old)
    for name, value in new.items():
        before = merged.get(name)
        if isinstance(value, dict) and isinstance(before, dict):
            merged[name] = _merged(before, value)
        elif name == "turn_detection" and isinstance(value, dict):
            merged[name] = {"create_response": True, "interrupt_response": True, **value}
        else:
            merged[name] = value
    return merged
