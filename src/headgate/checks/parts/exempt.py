"""Which fields of the API's own no guard sees, and why. Every other string is seen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

_MADE = "an identifier that the provider or the application's code made"
_CHOICE = "one of a few words that the API lists"
_TECHNICAL = "a name of a technical thing: a model, a format, a size"
_OPAQUE = "bytes that only the provider can read"
_MEASURED = "pieces of a text that is seen as a whole elsewhere"

EXEMPT: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "approval_request_id", "batch_id", "call_id", "caller_id", "client_secret",
            "connector_id", "container_id", "conversation_id", "environment_id", "event_id",
            "file_id", "file_ids", "id", "item_id", "previous_item_id", "previous_response_id",
            "prompt_id", "response_id", "session_id", "tool_call_id", "trace_id",
            "vector_store_id", "vector_store_ids", "voice_id",
        ),
        _MADE,
    ),
    **dict.fromkeys(
        (
            "action_type", "background", "detail", "effort", "execution", "finish_reason",
            "include", "input_fidelity", "modalities", "mode", "moderation", "object",
            "output_modalities", "phase", "prompt_cache_retention", "purpose", "quality", "ranker",
            "reason", "reasoning_effort", "response_format_type", "role", "search_context_size",
            "service_tier", "severity", "status", "stream_format", "style", "syntax",
            "tool_choice_mode", "truncation", "type", "verbosity",
        ),
        _CHOICE,
    ),
    **dict.fromkeys(
        (
            "chunking_strategy", "encoding_format", "format", "language", "media_type",
            "mime_type", "model", "object_type", "output_format", "size", "system_fingerprint",
            "timestamp_granularities", "user_agent", "version", "voice",
        ),
        _TECHNICAL,
    ),
    **dict.fromkeys(("encrypted_content", "obfuscation", "signature"), _OPAQUE),
    **dict.fromkeys(("logprobs", "token", "bytes", "top_logprobs"), _MEASURED),
    "embedding": "numbers, or their bytes",
}  # fmt: skip
"""By field name, where the API itself names the field; under names that a caller gives there are
no exemptions."""

_WHOLE = frozenset({"logprobs", "top_logprobs"})
"""Fields of which nothing is looked at, whatever stands in them."""

_LONG = frozenset({_OPAQUE, EXEMPT["embedding"]})

_TOKEN = re.compile(r"[A-Za-z0-9_.:/+=~-]{0,512}")
_LONG_TOKEN = re.compile(r"[A-Za-z0-9_.:/+=~-]*")
_NUMBERS = frozenset({int, float, Decimal})


def is_exempt(name: str, value: object) -> bool:
    """Whether the field `name` of the API's own needs no guard.

    A string that has blanks or an @ in it is no identifier, whatever its field is called; what is
    inside an object or a list is looked at by itself.
    """
    reason = EXEMPT.get(name)
    if reason is None:
        return False
    if isinstance(value, str):
        token = _LONG_TOKEN if reason in _LONG else _TOKEN
        return token.fullmatch(value) is not None
    if name == "embedding":
        return isinstance(value, list) and _NUMBERS.issuperset(map(type, value))
    return name in _WHOLE
