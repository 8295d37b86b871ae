"""Anthropic's errors in OpenAI's shape: the type, the code, and the provider's own words."""

from __future__ import annotations

import re

import msgspec

from headgate.gateway.endpoints.endpoint import UNREADABLE

_TOO_LONG = re.compile(r"prompt is too long|exceeds? the (?:[a-z]+ )?context|context window")
_NO_CREDIT = re.compile(r"credit balance|billing|spend limit", re.IGNORECASE)


class Failure(msgspec.Struct):
    """What stands under `error`, in a reply or in an event of a stream."""

    type: str = "api_error"
    message: str = "The provider gave no reason."


class _Envelope(msgspec.Struct):
    error: Failure


_KINDS: dict[str, tuple[str, str, int]] = {
    "invalid_request_error": ("invalid_request_error", "invalid_request", 400),
    "authentication_error": ("authentication_error", "invalid_api_key", 401),
    "billing_error": ("insufficient_quota", "insufficient_quota", 402),
    "permission_error": ("permission_error", "permission_denied", 403),
    "not_found_error": ("invalid_request_error", "model_not_found", 404),
    "request_too_large": ("invalid_request_error", "request_too_large", 413),
    "rate_limit_error": ("rate_limit_error", "rate_limit_exceeded", 429),
    "timeout_error": ("server_error", "timeout", 504),
    "overloaded_error": ("server_error", "overloaded", 529),
    "api_error": ("server_error", "server_error", 500),
}
"""OpenAI's `type` and `code`, and the status, by Anthropic's type."""


def code_of(failure: Failure) -> str:
    """OpenAI's code of an error."""
    return _named(failure)[1]


def status_of(failure: Failure) -> int:
    """The status of a reply with this error."""
    return _KINDS[failure.type][2] if failure.type in _KINDS else 500


def openai_error(body: bytes, status: int) -> bytes:
    """The body of an error reply in OpenAI's shape; as it is where it is not JSON at all."""
    try:
        failure = msgspec.json.decode(body, type=_Envelope).error
    except msgspec.ValidationError:
        # Something between here and the provider may have words of its own.
        failure = Failure(message=f"The provider answered {status} and gave no reason.")
    except UNREADABLE:
        return body
    kind, code = _named(failure)
    error = {"message": failure.message, "type": kind, "param": None, "code": code}
    return msgspec.json.encode({"error": error})


def _named(failure: Failure) -> tuple[str, str]:
    kind, code, _ = _KINDS.get(failure.type, ("server_error", failure.type, 500))
    if failure.type == "invalid_request_error":
        # Both are told apart by their words only.
        if _TOO_LONG.search(failure.message):
            code = "context_length_exceeded"
        elif _NO_CREDIT.search(failure.message):
            kind = code = "insufficient_quota"
    return kind, code
