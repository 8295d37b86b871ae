"""Whether the rules of a `workflow.yaml` can be judged: against its schemas, when it is loaded."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Literal

import msgspec

from headgate.checks.citation import texts_named
from headgate.checks.declared_rules import several
from headgate.checks.field_path import EACH
from headgate.checks.mentions import plain
from headgate.checks.schema import Schema
from headgate.checks.schema_path import Said, said_of, why_never
from headgate.config.detection import pattern_problem
from headgate.config.output_rules import (
    RULE_KINDS,
    CiteSettings,
    InputField,
    MentionSettings,
    OutputRuleSettings,
    WhenSettings,
    kind_of,
)

Steps = tuple[str | int, ...]
Found = Iterator[tuple[Steps, str]]
"""The place in the rule, and what is wrong there."""

_NUMBERS = frozenset({"number", "integer"})
_TEXT = frozenset({"string"})
_LENGTHS = frozenset({"string", "array"})
_TYPES = {"range": _NUMBERS, "length": _LENGTHS, "dates": _TEXT}
_NOUNS = {"range": "numbers", "length": "texts and lists", "dates": "texts"}


def rule_problems(
    rule: OutputRuleSettings, output: Schema, given: Schema, parts: Collection[str] = ()
) -> Found:
    """What keeps `rule` from being judged of outputs and inputs that fit these schemas.

    `parts` are those of the context.
    """
    kinds = [kind for kind in RULE_KINDS if getattr(rule, kind) is not None]
    if len(kinds) != 1:
        yield (), f"write exactly one of {', '.join(RULE_KINDS)}"
        return
    kind = kinds[0]
    if rule.field is None:
        if kind != "must_not_mention":
            yield (), f"`{kind}` needs a `field`"
    else:
        said = said_of(output.document, rule.field, "output.schema.json")
        yield from _field(said, rule, kind)
    yield from _settings(rule, given, parts)
    if rule.when is not None:
        for steps, message in _when(rule.when, output, given):
            yield ("when", *steps), message


def _field(said: Said, rule: OutputRuleSettings, kind: str) -> Found:
    if said.problem is not None:
        yield ("field",), said.problem
        return
    types = said.types
    if "array" in types and kind in ("allowed", "range", "dates"):
        yield ("field",), f"is a list; write `{rule.field}{EACH}` for its items"
    elif kind in _TYPES and types and not types & _TYPES[kind]:
        yield (
            ("field",),
            f"`{kind}` is for {_NOUNS[kind]}; output.schema.json says {' or '.join(sorted(types))}",
        )
    elif rule.allowed is not None:
        yield from _values(said, rule.allowed, ("allowed",))


def _settings(rule: OutputRuleSettings, given: Schema, parts: Collection[str]) -> Found:
    kind = kind_of(rule)
    settings = getattr(rule, kind)
    if isinstance(settings, CiteSettings):
        yield from _cite(settings, given, parts)
    elif isinstance(settings, MentionSettings):
        yield from _mention(settings)
    elif rule.equals_input is not None:
        yield from _input(rule.equals_input, given, (kind,))
    elif isinstance(settings, msgspec.Struct):
        bounds = _written(settings)
        if not bounds:
            yield (kind,), "bounds nothing; write one of its fields"
        for name, bound in bounds.items():
            if isinstance(bound, InputField):
                yield from _input(bound.input, given, (kind, name, "input"))
        for low, high in (("at_least", "at_most"), ("not_before", "not_after")):
            least, most = bounds.get(low), bounds.get(high)
            fixed = not isinstance(least, InputField) and not isinstance(most, InputField)
            if least is not None and most is not None and fixed and least > most:
                yield (kind, high), f"is less than `{low}`, so nothing fits"


def _written(settings: msgspec.Struct) -> dict[str, Any]:
    """The bounds that are written and aren't the defaults, a bound of 0 too."""
    fields = msgspec.structs.fields(settings)
    values = ((field, getattr(settings, field.name)) for field in fields)
    return {field.name: value for field, value in values if value != field.default}


def _cite(settings: CiteSettings, given: Schema, parts: Collection[str]) -> Found:
    written = (settings.ids, settings.passage_of, settings.context)
    if sum(one is not None for one in written) != 1:
        yield ("must_cite",), "write one of `ids`, `passage_of`, `context`"
    if settings.context is not None:
        yield from _cite_context(settings.context, parts)
    if settings.ids is not None:
        yield from _input(settings.ids, given, ("must_cite", "ids"), many=True)
    for path in texts_named(settings):
        yield from _input(path, given, ("must_cite", "passage_of"), many=True)
    if settings.pattern is not None:
        at = ("must_cite", "pattern")
        if settings.passage_of is not None:
            yield at, "goes with `ids` and `context` only"
        elif problem := pattern_problem(settings.pattern):
            yield at, problem
        elif _groups(settings.pattern) != 1:
            yield at, "must have exactly one group, around the source's name"


def _cite_context(named: Literal["any"] | tuple[str, ...], parts: Collection[str]) -> Found:
    at = ("must_cite", "context")
    if not parts:
        yield at, "the workflow declares no context"
    for part in () if isinstance(named, str) else named:
        if part not in parts:
            yield at, f"there is no part `{part}`; there is {', '.join(parts) or 'none'}"


def _mention(settings: MentionSettings) -> Found:
    if not settings.words and not settings.patterns:
        yield ("must_not_mention",), "looks for nothing; write `words` or `patterns`"
    for number, word in enumerate(settings.words):
        if not plain(word).strip():
            yield ("must_not_mention", "words", number), "is blank"
    for number, pattern in enumerate(settings.patterns):
        if problem := pattern_problem(pattern):
            yield ("must_not_mention", "patterns", number), problem


def _when(when: WhenSettings, output: Schema, given: Schema) -> Found:
    if (when.field is None) is (when.input is None):
        yield (), "write either `field` or `input`"
        return
    of_output = when.field is not None
    name, path = ("field", when.field) if of_output else ("input", when.input)
    if path is None or EACH in path:
        yield (name,), "must be one field, not one of every item"
        return
    file = "output.schema.json" if of_output else "input.schema.json"
    said = said_of((output if of_output else given).document, path, file)
    if said.problem is not None:
        yield (name,), said.problem
    if (when.equal is msgspec.UNSET) is (when.unequal is msgspec.UNSET):
        yield (), "write either `is` or `is_not`"
        return
    if when.equal is not msgspec.UNSET:
        yield from _values(said, several(when.equal), ("is",), file)
    else:
        yield from _values(said, several(when.unequal), ("is_not",), file)


def _input(path: str, given: Schema, at: Steps, *, many: bool = False) -> Found:
    if EACH in path and not many:
        yield at, "must be one field, not one of every item"
        return
    said = said_of(given.document, path, "input.schema.json")
    if said.problem is not None:
        yield at, said.problem


def _values(
    said: Said, values: tuple[Any, ...], at: Steps, file: str = "output.schema.json"
) -> Found:
    for value in values:
        if (problem := why_never(value, said, file)) is not None:
            yield at, problem


def _groups(pattern: str) -> int:
    import re2  # noqa: PLC0415 - only few rules have a pattern

    return int(re2.compile(pattern).groups)
