"""Reads a model's reply: the JSON object in it, or why there is none."""

from __future__ import annotations

from typing import Any

import msgspec

from headgate.checks.problem import Problem


class Reading(msgspec.Struct, frozen=True):
    """What a reply holds: an object, or a problem."""

    value: dict[str, Any] | None
    content: str | None
    """The text that the model wrote, where it is worth showing to it again."""
    problem: Problem | None = None


class _Message(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None


class _Completion(msgspec.Struct):
    choices: list[_Choice]


class _Error(msgspec.Struct):
    message: str
    type: str | None = None
    code: str | int | None = None


class _Failure(msgspec.Struct):
    error: _Error


_completion = msgspec.json.Decoder(_Completion)
_failure = msgspec.json.Decoder(_Failure)


def read_reply(body: bytes, max_output_tokens: int) -> Reading:
    """The object in a chat completion; never raises, whatever a provider sent."""
    try:
        choice = _completion.decode(body).choices[0]
    except (msgspec.DecodeError, IndexError, RecursionError):
        return _without("reply", "the provider's reply was no chat completion; answer again")
    if choice.message.refusal:
        return _without("refusal", "you refused; answer from the data that you were given")
    if choice.finish_reason == "content_filter":
        return _without("content_filter", "the answer was withheld; word it otherwise")
    if choice.finish_reason == "length":
        return _without(
            "length", f"the answer was cut off at {max_output_tokens} tokens; be much briefer"
        )
    content = choice.message.content or ""
    try:
        value = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        return Reading(None, content, Problem("", "json", f"is not JSON: {error}"))
    if not isinstance(value, dict):
        return Reading(None, content, Problem("", "json", "must be one JSON object"))
    return Reading(value, content)


def read_failure(body: bytes, status: int) -> tuple[str, str, str | None]:
    """Message, type and code of an error's body; sensible ones where it has none."""
    try:
        error = _failure.decode(body).error
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return f"The model's provider answered {status}.", "upstream_error", "upstream_failed"
    return (
        error.message,
        error.type or "upstream_error",
        None if error.code is None else str(error.code),
    )


def _without(check: str, message: str) -> Reading:
    return Reading(None, None, Problem("", check, message))
