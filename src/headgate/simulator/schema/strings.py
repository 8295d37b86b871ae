"""A string that satisfies its schema: its property's wording where that fits, else made up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema_rs

from headgate.simulator.schema.formats import in_format
from headgate.simulator.schema.meaning import Place
from headgate.simulator.schema.pattern import PatternNotSupportedError, matching_text
from headgate.simulator.schema.wording import text_for
from headgate.simulator.text.sentences import shortened

MAX_LENGTH = 50_000
"""The longest `minLength` that is filled."""

_CONSTRAINTS = ("pattern", "format", "minLength", "maxLength")
_FILLER = " Nothing more is said about it."


def string_for(schema: dict[str, Any], place: Place) -> tuple[str, bool] | None:
    """A string for `schema` and whether the source says it; None where none was found."""
    wording, said = text_for(place)
    constraints = {key: schema[key] for key in _CONSTRAINTS if key in schema}
    if not constraints:
        return wording, said
    try:
        validator = jsonschema_rs.validator_for(
            {"type": "string", **constraints}, validate_formats=True
        )
    except (ValueError, jsonschema_rs.ValidationError):
        return None
    for candidate, from_source in _candidates(constraints, place, wording, said=said):
        for fitted in _fitted(candidate, constraints):
            if validator.is_valid(fitted):
                return fitted, from_source and fitted[:8] == candidate[:8]
    return None


def _candidates(
    constraints: dict[str, Any], place: Place, wording: str, *, said: bool
) -> Iterator[tuple[str, bool]]:
    name = constraints.get("format")
    formatted = in_format(name, place.source) if isinstance(name, str) else None
    if formatted is not None:
        if name == "date" and place.date is not None:
            yield place.date, True
        if formatted[1]:
            yield formatted
    yield wording, said
    if formatted is not None:
        yield formatted[0], False
    pattern = constraints.get("pattern")
    if isinstance(pattern, str):
        for word in place.source.facts.split()[:500]:
            yield word.strip(".,;:!?()\"'"), True
        yield from _matching(pattern, place.index)


def _matching(pattern: str, index: int) -> Iterator[tuple[str, bool]]:
    for extra in (1, 2, 0, 3, 4, 6, 8, 12, 16, 24, 40, 64, 100, 200):
        for pick in range(4):
            try:
                yield matching_text(pattern, extra=extra, pick=7 * index + pick), False
            except PatternNotSupportedError:
                return


def _fitted(text: str, constraints: dict[str, Any]) -> Iterator[str]:
    """`text`, and `text` shortened or filled up to the lengths asked for."""
    yield text
    least = constraints.get("minLength", 0)
    most = constraints.get("maxLength")
    if isinstance(most, int | float) and len(text) > most:
        yield shortened(text, int(most))
        yield text[: int(most)]
    if isinstance(least, int | float) and len(text) < least <= MAX_LENGTH:
        filled = text + _FILLER * (1 + int(least) // len(_FILLER))
        yield filled[: int(least if most is None else min(most, least + 20))]
