"""Reads the inputs for runs: one JSON object, a list of them, one a line, or a table (CSV)."""

from __future__ import annotations

import codecs
import csv
import io
import sys
from typing import Any

import msgspec

from headgate.errors import InvalidRequestError

INPUTS_AT_MOST = 100_000


def read_inputs(path: str) -> tuple[list[dict[str, Any]], bool]:
    """The inputs in the file `path`, `-` for standard input; and whether it is a list of them.

    Raises `InvalidRequestError` that names the line.
    """
    name = "standard input" if path == "-" else path
    try:
        content = sys.stdin.buffer.read() if path == "-" else _file(path)
        content.decode()
    except OSError as error:
        raise InvalidRequestError(f"{name} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InvalidRequestError(f"{name} is not UTF-8 text") from None
    # Some editors begin every file with it.
    content = content.removeprefix(codecs.BOM_UTF8)
    if path.endswith(".csv"):
        return _table(name, content.decode()), True
    if not content.strip():
        raise InvalidRequestError(f"{name} is empty; it needs a JSON object, or one a line")
    try:
        whole = msgspec.json.decode(content)
    except msgspec.DecodeError:
        return _lines(name, content), True
    except RecursionError:
        raise InvalidRequestError(f"{name} is nested deeper than any workflow takes") from None
    if isinstance(whole, list):
        return [_object(f"{name}: item {i}", item) for i, item in enumerate(whole, 1)], True
    return [_object(name, whole)], False


def _table(name: str, text: str) -> list[dict[str, Any]]:
    """The rows of a table whose first line has the fields' names; every value is a text."""
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    inputs: list[dict[str, Any]] = []
    try:
        for row in rows:
            if None in row or None in row.values():
                raise InvalidRequestError(
                    f"{name}:{rows.line_num}: has not as many values as the first line has names"
                )
            inputs.append(dict(row))
            if len(inputs) > INPUTS_AT_MOST:
                raise InvalidRequestError(f"{name} has more than {INPUTS_AT_MOST} inputs; split it")
    except csv.Error as error:
        raise InvalidRequestError(f"{name}:{rows.line_num}: {error}") from None
    if not inputs:
        raise InvalidRequestError(f"{name} has no rows below its line of names")
    return inputs


def _file(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123 - the path is what was typed
        return file.read()


def _lines(name: str, content: bytes) -> list[dict[str, Any]]:
    inputs: list[dict[str, Any]] = []
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            inputs.append(_object(f"{name}:{number}", msgspec.json.decode(line)))
        except (msgspec.DecodeError, RecursionError) as error:
            raise InvalidRequestError(
                f"{name}:{number}: not valid JSON: {error}; write one JSON object, or one a line"
            ) from None
        if len(inputs) > INPUTS_AT_MOST:
            raise InvalidRequestError(f"{name} has more than {INPUTS_AT_MOST} inputs; split it")
    return inputs


def _object(place: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidRequestError(f"{place}: is not a JSON object")
    return value
