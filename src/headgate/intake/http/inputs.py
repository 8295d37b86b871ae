"""Reads what a caller sent into a typed Struct, or says which field is wrong and how to mend it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from headgate.config.type_at import allowed_at
from headgate.errors import InvalidRequestError

T = TypeVar("T")

_PATH = re.compile(r" - at `(?:key in )?\$(?P<path>[^`]*)`$")


class Input(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A request's body or query; a field it doesn't know is an error that names it."""


def json_body(body: bytes, kind: type[T]) -> T:
    """`body` as a `kind`; `InvalidRequestError` (400) whose `param` is the field that is wrong."""
    if not body.strip():
        raise InvalidRequestError("The request needs a JSON body; send `{…}`.", code="missing_body")
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise _explained(str(error), kind) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequestError(
            f"The body is not valid JSON: {error}.", code="invalid_json"
        ) from None


def query_string(pairs: Iterable[tuple[str, str]], kind: type[T]) -> T:
    """A query's `pairs` as a `kind`; numbers and booleans are read from their text."""
    values: dict[str, str] = {}
    for name, value in pairs:
        if name in values:
            raise InvalidRequestError(f"`{name}` is given twice; give it once.", param=name)
        values[name] = value
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _explained(str(error), kind) from None


def _explained(text: str, kind: Any) -> InvalidRequestError:
    found = _PATH.search(text)
    message = text[: found.start()] if found else text
    path = found["path"].lstrip(".") if found else ""
    if unknown := re.match(r"Object contains unknown field `(.+)`", message):
        name = f"{path}.{unknown[1]}".lstrip(".")
        return InvalidRequestError(
            f"Unknown field `{name}`: remove it or check its spelling.",
            param=name,
            code="unknown_field",
        )
    if missing := re.match(r"Object missing required field `(.+)`", message):
        name = f"{path}.{missing[1]}".lstrip(".")
        return InvalidRequestError(
            f"The required field `{name}` is missing.", param=name, code="missing_field"
        )
    if not path:
        return InvalidRequestError(f"The body is not as it should be: {_lowered(message)}.")
    values = allowed_at(kind, path.split(".")) if message.startswith("Invalid ") else None
    told = _lowered(message) if values is None else f"{_lowered(message)}; write one of {values}"
    return InvalidRequestError(f"`{path}`: {told}.", param=path)


def _lowered(message: str) -> str:
    return message[:1].lower() + message[1:]
