"""What an operation is told: fields of a run's input, and constants. Pure.

Values come from whoever calls, so they are bounded and of one line before any source sees them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from headgate.config.context import FROM_INPUT, Argument
from headgate.context.connector import ArgumentError
from headgate.context.places import MISSING, value_at

_CHARACTERS_AT_MOST = 1000
_LARGEST_INTEGER = 2**63
_BLANK, _DELETE = "\x20", "\x7f"


def arguments_of(declared: Mapping[str, Argument], given: dict[str, Any]) -> dict[str, Argument]:
    """The arguments for the input `given`; `ArgumentError` where one can't be told."""
    return {name: _argument(name, written, given) for name, written in declared.items()}


def input_field(written: Argument) -> str | None:
    """The field of the input that an argument is taken from; None for a constant."""
    if isinstance(written, str) and written.startswith(FROM_INPUT):
        return written.removeprefix(FROM_INPUT)
    return None


def _argument(name: str, written: Argument, given: dict[str, Any]) -> Argument:
    place = input_field(written)
    value = written if place is None else value_at(place, given)
    if value is MISSING or value is None:
        raise ArgumentError(name, f"is not there: the input has no `{place}`")
    if isinstance(value, str):
        _check_text(name, value)
    elif isinstance(value, int):
        if abs(value) >= _LARGEST_INTEGER:
            raise ArgumentError(name, "is too large a number")
    elif not isinstance(value, float) or not math.isfinite(value):
        raise ArgumentError(name, "must be a text, a number, true or false")
    return value


def _check_text(name: str, value: str) -> None:
    if not value:
        raise ArgumentError(name, "is empty")
    if len(value) > _CHARACTERS_AT_MOST:
        raise ArgumentError(name, f"is longer than {_CHARACTERS_AT_MOST} characters")
    if any(letter < _BLANK or letter == _DELETE or _is_half(letter) for letter in value):
        raise ArgumentError(name, "holds characters that are no text, such as line breaks")


def _is_half(letter: str) -> bool:
    """Whether it is half of a character, which can't be written as UTF-8."""
    return "\ud800" <= letter <= "\udfff"
