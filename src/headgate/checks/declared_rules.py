"""What the rules of a `workflow.yaml` say of an output. Pure, and linear in it.

A rule that can't be judged, because what it compares with is not in the input, is broken: nothing
passes a rule unseen.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any

import msgspec

from headgate.checks.citation import Sources, context_sources, texts_named
from headgate.checks.field_path import Place, places, same, texts_in
from headgate.checks.mentions import Mentions
from headgate.checks.problem import Problem
from headgate.checks.ruling import Ruling
from headgate.config.output_rules import (
    CiteSettings,
    DatesSettings,
    InputField,
    LengthSettings,
    OutputRuleSettings,
    RangeSettings,
    WhenSettings,
    kind_of,
)

_PROBLEMS_AT_MOST = 20
"""Told of one output; who mends these sees the rest next time."""

_OPTIONS_SHOWN = 50
_SOURCES_SHOWN = 60

_Found = Iterator[tuple[str, str]]
"""Where a rule is broken, and what must hold."""


class DeclaredRules:
    """The rules of one workflow, which have been checked against its schemas."""

    def __init__(self, rules: Sequence[OutputRuleSettings]) -> None:
        self._rules = tuple(rules)
        self._mentions = {
            number: Mentions(rule.must_not_mention)
            for number, rule in enumerate(rules)
            if rule.must_not_mention is not None
        }

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._rules)

    def check(
        self,
        output: dict[str, Any],
        given: dict[str, Any],
        context: dict[str, Any] | None = None,
    ) -> Ruling:
        """What they say of `output`, which fits its schema; at most 20 problems and 20 holds.

        `context` is what the run had beside its input.
        """
        problems: list[Problem] = []
        holds: list[Problem] = []
        for number, rule in enumerate(self._rules):
            if rule.when is not None and not _applies(rule.when, output, given):
                continue
            kind = kind_of(rule)
            into = holds if rule.on_fail == "hold" else problems
            for path, message in self._broken(number, rule, output, given, context or {}):
                if len(into) == _PROBLEMS_AT_MOST:
                    break
                into.append(Problem(path, kind, rule.message or message))
        return Ruling(problems=tuple(problems), holds=tuple(holds))

    def _broken(
        self,
        number: int,
        rule: OutputRuleSettings,
        output: dict[str, Any],
        given: dict[str, Any],
        context: dict[str, Any],
    ) -> _Found:
        found = [Place("", output)] if rule.field is None else places(rule.field, output)
        if rule.must_not_mention is not None:
            return _mentioned(self._mentions[number], found)
        if rule.must_cite is not None:
            return _uncited(rule.must_cite, found, given, context)
        if rule.equals_input is not None:
            return _unequal(rule.equals_input, found, given)
        return _each(rule, found, given)


def _each(rule: OutputRuleSettings, found: list[Place], given: dict[str, Any]) -> _Found:
    for place in found:
        if not place.is_there:
            continue
        told = None
        if rule.allowed is not None:
            if not any(same(place.value, value) for value in rule.allowed):
                told = f"must be one of {_options(rule.allowed)}"
        elif place.value is None:
            continue
        elif rule.range is not None:
            told = _out_of_range(rule.range, place.value, given)
        elif rule.length is not None:
            told = _wrong_length(rule.length, place.value)
        elif rule.dates is not None:
            told = _wrong_day(rule.dates, place.value, given)
        if told is not None:
            yield place.path, told


def _out_of_range(settings: RangeSettings, value: Any, given: dict[str, Any]) -> str | None:
    if not _is_number(value):
        return "must be a number"
    for bound, words, fits in (
        (settings.at_least, "at least", operator.ge),
        (settings.at_most, "at most", operator.le),
        (settings.above, "more than", operator.gt),
        (settings.below, "less than", operator.lt),
    ):
        if bound is None:
            continue
        limit = _of_input(bound, given) if isinstance(bound, InputField) else bound
        if not _is_number(limit):
            return f"can't be judged: the input has no number in {_shown(bound)}"
        if not fits(value, limit):
            return f"must be {words} {_shown(bound)}"
    return None


def _wrong_length(settings: LengthSettings, value: Any) -> str | None:
    if not isinstance(value, str | list):
        return "must be a text or a list"
    noun = "character" if isinstance(value, str) else "item"
    if len(value) < settings.at_least:
        return f"must have at least {_counted(settings.at_least, noun)}"
    if settings.at_most is not None and len(value) > settings.at_most:
        return f"must have at most {_counted(settings.at_most, noun)}"
    return None


def _wrong_day(settings: DatesSettings, value: Any, given: dict[str, Any]) -> str | None:
    day = _day(value)
    if day is None:
        return "must be a date, such as 2026-01-31"
    for bound, words, later in (
        (settings.not_before, "not be before", False),
        (settings.not_after, "not be after", True),
    ):
        if bound is None:
            continue
        limit = _day(_of_input(bound, given)) if isinstance(bound, InputField) else bound
        if limit is None:
            return f"can't be judged: the input has no date in {_shown(bound)}"
        if day > limit if later else day < limit:
            return f"must {words} {_shown(bound)}"
    return None


def _mentioned(mentions: Mentions, found: list[Place]) -> _Found:
    for place in found:
        for text in texts_in(place):
            if (word := mentions.find(text.value)) is not None:
                yield text.path, f"must not mention “{word[:100]}”"


def _uncited(
    settings: CiteSettings, found: list[Place], given: dict[str, Any], context: dict[str, Any]
) -> _Found:
    sources = Sources(settings, given, context)
    if settings.context is not None:
        told = _of_context(settings, context)
    elif settings.ids is not None:
        told = f"must name a source: one of the input's `{settings.ids}`"
    else:
        told = (
            "must be a passage that stands word for word in the input's"
            f" {' or '.join(f'`{path}`' for path in texts_named(settings))}"
        )
    for place in found:
        for bad in sources.unfounded(place):
            yield bad.path, told
            if settings.context is not None:
                told = "must name a source of the context, too"


def _of_context(settings: CiteSettings, context: dict[str, Any]) -> str:
    there = list(islice(context_sources(settings, context), _SOURCES_SHOWN + 1))
    more = ", …" if len(there) > _SOURCES_SHOWN else ""
    return (
        "must name a source: a field of the context that is there, one of"
        f" {', '.join(there[:_SOURCES_SHOWN]) or 'none'}{more}"
    )


def _unequal(path: str, found: list[Place], given: dict[str, Any]) -> _Found:
    wanted = _of_input(InputField(input=path), given)
    for place in found:
        if not place.is_there and place.value == []:
            continue
        value = place.value if place.is_there else None
        if not same(value, wanted):
            yield place.path, f"must be equal to the input's `{path}`"


def _applies(when: WhenSettings, output: dict[str, Any], given: dict[str, Any]) -> bool:
    path, root = (when.field, output) if when.field is not None else (when.input, given)
    (place,) = places(path or "", root)
    value = place.value if place.is_there else None
    if not isinstance(when.equal, msgspec.UnsetType):
        return any(same(value, one) for one in several(when.equal))
    return not any(same(value, one) for one in several(when.unequal))


def several(values: Any) -> tuple[Any, ...]:
    """The values of a condition, which may be written as one."""
    return values if isinstance(values, tuple) else (values,)


def _of_input(field: InputField, given: dict[str, Any]) -> Any:
    (place,) = places(field.input, given)
    return place.value if place.is_there else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _day(value: Any) -> date | None:
    """The day of a date, or of a time where it was said."""
    if not isinstance(value, str):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(value).date()
    except ValueError:
        return None


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _shown(bound: Any) -> str:
    return f"the input's `{bound.input}`" if isinstance(bound, InputField) else str(bound)


def _options(values: tuple[Any, ...]) -> str:
    shown = ", ".join(
        one if isinstance(one, str) else msgspec.json.encode(one).decode()
        for one in values[:_OPTIONS_SHOWN]
    )
    return shown if len(values) <= _OPTIONS_SHOWN else f"{shown}, …"
