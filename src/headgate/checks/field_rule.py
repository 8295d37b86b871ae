"""Whether a field of a document has a value that a person must look at.

Pure. Outputs are judged by it before they go out, and arguments before something is done.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec

from headgate.checks.field_path import EACH, steps_of
from headgate.config.reviews import FieldReview

_VALUES_AT_MOST = 1000
"""Items of a list that are looked at for one rule; a list with more is always looked at."""

_TEXT_CHARACTERS_AT_MOST = 500


def why_it_fits(rule: FieldReview, document: dict[str, Any]) -> str | None:
    """What of `document` the rule speaks of, in words that may quote it; None: nothing."""
    values = list(islice(_values(document, steps_of(rule.field)), _VALUES_AT_MOST + 1))
    if len(values) > _VALUES_AT_MOST:
        return f"`{rule.field}` has more values than are looked at"
    for value in values:
        if rule.one_of is not None and any(_same(value, one) for one in rule.one_of):
            return f"`{rule.field}` is {_short(msgspec.json.encode(value).decode())}"
        if rule.below is not None and (not _is_number(value) or value < rule.below):
            return f"`{rule.field}` is below {rule.below:g}, or no number"
        # Nothing is not above anything; a "5000" may well be.
        if rule.above is not None and value is not None:
            if not _is_number(value):
                return f"`{rule.field}` is no number, so it may be above {rule.above:g}"
            if value > rule.above:
                return f"`{rule.field}` is above {rule.above:g}"
    if rule.below is not None and not values:
        return f"`{rule.field}` is missing"
    return None


def _values(node: Any, steps: list[str]) -> Iterator[Any]:
    """What stands at a path; each item, where it says `[]`; nothing where it leads nowhere."""
    if not steps:
        yield node
        return
    step, *further = steps
    if step == EACH:
        for item in node[: _VALUES_AT_MOST + 1] if isinstance(node, list) else ():
            yield from _values(item, further)
    elif isinstance(node, dict) and step in node:
        yield from _values(node[step], further)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _same(value: Any, wanted: Any) -> bool:
    """As JSON has it: true is not 1."""
    return isinstance(value, bool) == isinstance(wanted, bool) and bool(value == wanted)


def _short(text: str) -> str:
    return text[:_TEXT_CHARACTERS_AT_MOST]
