"""Whether a person must look at what came of a run, and why.

Pure: a run's outcome goes in, reasons come out. Two processes, and two tries, come to the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import msgspec

from headgate.config.reviews import FieldReview, ReviewSettings
from headgate.review.review import Reason

_VALUES_AT_MOST = 1000
"""Items of a list that are looked at for one rule; a list with more is always looked at."""

_TEXT_CHARACTERS_AT_MOST = 500


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a run, as far as it matters here."""

    run_id: str
    output: dict[str, Any] | None
    """None where there is none: an error stands in its place."""
    fallback: bool = False
    held: tuple[str, ...] = ()
    """Why the workflow's own rules hold it."""
    guards: tuple[str, ...] = ()
    """Guards that ask for a person."""
    flagged: tuple[str, ...] = ()
    """Guards that flagged something."""
    unanswered: str | None = None
    """Why there is no answer, where a person shall write it."""


class Explained(msgspec.Struct, frozen=True):
    """A reason, and the same in words, which may quote contents."""

    reason: Reason
    text: str


def reasons_for_review(settings: ReviewSettings | None, result: Result) -> tuple[Explained, ...]:
    """Why a person must look, the weightiest first; empty where nobody must."""
    found: list[Explained] = []
    if result.unanswered is not None:
        found.append(Explained(Reason("no_answer"), _short(result.unanswered)))
    found += [
        Explained(Reason("guard", name), f"the guard `{name}` asks for a person")
        for name in result.guards
    ]
    found += [Explained(Reason("rule", "rules"), _short(text)) for text in result.held]
    if settings is None or result.output is None:
        return tuple(found)
    for rule in settings.fields:
        if (text := _fits(rule, result.output)) is not None:
            found.append(Explained(Reason("field", rule.field), text))
    if settings.on_flag:
        found += [
            Explained(Reason("flag", name), f"the guard `{name}` flagged something")
            for name in result.flagged
        ]
    if settings.on_fallback and result.fallback:
        text = "no model gave an answer that passes; this is the declared fallback"
        found.append(Explained(Reason("fallback"), text))
    if settings.always:
        found.append(Explained(Reason("always"), "a person looks at each run of this workflow"))
    elif not found and drawn(result.run_id, settings.sample):
        found.append(Explained(Reason("sampled"), "drawn as one of a share of all runs"))
    return tuple(found)


def drawn(run_id: str, share: float) -> bool:
    """Whether a run belongs to the share that is looked at; the same for the same run."""
    digest = hashlib.sha256(run_id.encode()).digest()
    return int.from_bytes(digest[:8]) < share * 2**64


def _fits(rule: FieldReview, output: dict[str, Any]) -> str | None:
    values = list(_values(output, rule.field.split(".")))
    if len(values) > _VALUES_AT_MOST:
        return f"`{rule.field}` has more values than are looked at"
    for value in values:
        if rule.one_of is not None and any(_same(value, one) for one in rule.one_of):
            return f"`{rule.field}` is {_short(msgspec.json.encode(value).decode())}"
        if rule.below is not None and (not _is_number(value) or value < rule.below):
            return f"`{rule.field}` is below {rule.below:g}, or no number"
        if rule.above is not None and _is_number(value) and value > rule.above:
            return f"`{rule.field}` is above {rule.above:g}"
    if rule.below is not None and not values:
        return f"`{rule.field}` is missing"
    return None


def _values(node: Any, steps: list[str]) -> Iterator[Any]:
    """What stands at a path; each item, where it says `[]`; nothing where it leads nowhere."""
    if not steps:
        yield node
        return
    name, brackets, _ = steps[0].partition("[]")
    if not isinstance(node, dict) or name not in node:
        return
    found = node[name]
    if not brackets:
        yield from _values(found, steps[1:])
    elif isinstance(found, list):
        for item in found[: _VALUES_AT_MOST + 1]:
            yield from _values(item, steps[1:])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _same(value: Any, wanted: Any) -> bool:
    """As JSON has it: true is not 1."""
    return isinstance(value, bool) == isinstance(wanted, bool) and bool(value == wanted)


def _short(text: str) -> str:
    return text[:_TEXT_CHARACTERS_AT_MOST]
