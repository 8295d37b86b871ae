"""Editing a draft on a page: each text as text, the rest as JSON, and what an edit changed.

A draft is an object. Its texts are edited as they read, so that who mends a letter need not know
JSON; everything else, and a text with characters that can't be seen, is edited as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from headgate.checks.problem import Problem
from headgate.review.console.differences import Piece, differences
from headgate.review.console.shown import pretty
from headgate.review.console.visible import visible

_ROWS_AT_MOST = 16
_ROW_CHARACTERS = 70

MOST_FIELDS = 100
"""Of a draft that is edited field by field; one with more is edited as one piece of JSON. A form
takes 200."""

WHOLE = "output"
"""The form's field that holds all of the output, where it is edited as one piece of JSON."""


class Field(msgspec.Struct, frozen=True):
    """A field of the editor."""

    name: str
    """In the form."""
    key: str
    """In the draft."""
    kind: Literal["text", "json"]
    text: str
    rows: int


class Change(msgspec.Struct, frozen=True):
    """What an edit did to one key of the draft."""

    key: str
    pieces: tuple[Piece, ...]


def fields_of(draft: Mapping[str, Any], form: Mapping[str, str]) -> list[Field]:
    """The editor's fields, with what `form` holds of them where it was sent."""
    fields = []
    for number, (key, value) in enumerate(draft.items()):
        kind: Literal["text", "json"] = "text" if _is_plain(value) else "json"
        name = f"{kind}.{number}"
        text = form.get(name, value if kind == "text" else pretty(value))
        lines = sum(1 + len(line) // _ROW_CHARACTERS for line in text.split("\n"))
        fields.append(Field(name, key, kind, text, min(_ROWS_AT_MOST, lines)))
    return fields


def edited(
    draft: Mapping[str, Any], form: Mapping[str, str]
) -> tuple[dict[str, Any] | None, tuple[Problem, ...]]:
    """The output that `form` makes of `draft`; or None and why it can't be read.

    A field that was not sent is as it was.
    """
    if WHOLE in form:
        whole, wrong = _read("", form[WHOLE])
        if wrong is None and not isinstance(whole, dict):
            wrong = Problem("", "json", "is not a JSON object")
        return (None, (wrong,)) if wrong is not None else (whole, ())
    output: dict[str, Any] = {}
    problems: list[Problem] = []
    for field in fields_of(draft, form):
        if field.name not in form:
            output[field.key] = draft[field.key]
        elif field.kind == "text":
            output[field.key] = field.text
        else:
            output[field.key], wrong = _read(field.key, field.text)
            problems += [wrong] if wrong is not None else []
    return (None, tuple(problems)) if problems else (output, ())


def written(draft: Mapping[str, Any], form: Mapping[str, str]) -> list[Field]:
    """The fields that somebody wrote in, as they wrote them, also where they can't be read."""
    if WHOLE in form:
        text = form[WHOLE]
        return [] if text == pretty(draft) else [Field(WHOLE, WHOLE, "json", text, _ROWS_AT_MOST)]
    before = {field.name: field.text for field in fields_of(draft, {})}
    return [field for field in fields_of(draft, form) if field.text != before[field.name]]


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """What is different, key by key."""
    keys = [*before, *(key for key in after if key not in before)]
    return [
        Change(key, tuple(differences(_shown(before, key), _shown(after, key))))
        for key in keys
        # By what is written: to Python `true` and 1 are equal.
        if key not in before or key not in after or pretty(before[key]) != pretty(after[key])
    ]


def _is_plain(value: Any) -> bool:
    return isinstance(value, str) and "\r" not in value and visible(value) == value


def _read(key: str, text: str) -> tuple[Any, Problem | None]:
    try:
        return msgspec.json.decode(text.encode()), None
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        return None, Problem(key, "json", f"is not valid JSON: {error}")


def _shown(value: Mapping[str, Any], key: str) -> str:
    if key not in value:
        return ""
    return value[key] if isinstance(value[key], str) else pretty(value[key])
