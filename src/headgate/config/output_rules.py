"""`checks.rules` of `workflow.yaml`: what must hold of an output, in data instead of Python."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from headgate.config.table import Table

FieldPath = Annotated[str, Meta(min_length=1, max_length=200)]
"""A field, such as `refund.amount`, or one of every item of a list, such as `items[].price`."""

Scalar = str | int | float | bool | None

OnFail = Literal["reject", "hold"]
"""`reject`: the model is asked again with the message. `hold`: the output is kept, and waits for a
person; where something else rejects it, that goes first."""


class InputField(Table, frozen=True):
    """A value that stands in the run's input."""

    input: Annotated[FieldPath, Meta(description="Its field there.")]


Number = int | float | InputField
Day = date | InputField


class RangeSettings(Table, frozen=True):
    """Between which numbers a field lies, in figures or by fields of the input."""

    at_least: Annotated[Number | None, Meta(description="The smallest.")] = None
    at_most: Annotated[Number | None, Meta(description="The largest.")] = None
    above: Annotated[Number | None, Meta(description="Larger than this.")] = None
    below: Annotated[Number | None, Meta(description="Smaller than this.")] = None


class LengthSettings(Table, frozen=True):
    """How long a text is, in characters, or a list, in items."""

    at_least: Annotated[int, Meta(ge=0, description="Fewest characters or items.")] = 0
    at_most: Annotated[
        Annotated[int, Meta(ge=0)] | None, Meta(description="Most characters or items.")
    ] = None


class DatesSettings(Table, frozen=True):
    """Between which days a date lies, both included, by days or by fields of the input."""

    not_before: Annotated[Day | None, Meta(description="The first day, as 2026-01-31.")] = None
    not_after: Annotated[Day | None, Meta(description="The last day.")] = None


class CiteSettings(Table, frozen=True):
    """Where a source must stand that a field names; one of `ids`, `passage_of`, `context`."""

    ids: Annotated[
        FieldPath | None,
        Meta(description="Of the input: the sources' names, such as `documents[].id`."),
    ] = None
    passage_of: Annotated[
        FieldPath | Annotated[tuple[FieldPath, ...], Meta(min_length=1, max_length=20)] | None,
        Meta(description="Of the input: a text, or several, where it must stand word for word."),
    ] = None
    context: Annotated[
        Literal["any"]
        | Annotated[tuple[Annotated[str, Meta(max_length=64)], ...], Meta(min_length=1)]
        | None,
        Meta(
            description="It must name a field of the run's context that is there and not null, as"
            " `crm.renewal_date`, or `tickets[0].subject` of a list; of these parts, or of `any`."
        ),
    ] = None
    pattern: Annotated[
        Annotated[str, Meta(max_length=500)] | None,
        Meta(
            description="With `ids` or `context`: finds the names in a text, by one group:"
            " `\\[(\\w+)\\]`."
        ),
    ] = None
    at_least_characters: Annotated[
        int, Meta(ge=1, le=1000, description="With `passage_of`: how long a passage must be.")
    ] = 1
    optional: Annotated[
        bool, Meta(description="Whether null, an empty text or an empty list may stand there.")
    ] = False


class MentionSettings(Table, frozen=True):
    """What must stand in no text."""

    words: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=100)], ...],
        Meta(max_length=500, description="Words and phrases, found as whole words."),
    ] = ()
    patterns: Annotated[
        tuple[Annotated[str, Meta(max_length=500)], ...],
        Meta(max_length=50, description="Regular expressions as RE2 knows them."),
    ] = ()
    ignore_case: Annotated[
        bool, Meta(description="Whether small and capital letters are the same.")
    ] = True


class WhenSettings(Table, frozen=True):
    """On what a rule depends: one `field` of the output or one of the `input`, and its value."""

    field: Annotated[FieldPath | None, Meta(description="Of the output.")] = None
    input: Annotated[FieldPath | None, Meta(description="Of the input.")] = None
    equal: Annotated[
        Scalar | tuple[Scalar, ...] | UnsetType,
        Meta(description="The value, or several of which it is one."),
    ] = msgspec.field(name="is", default=UNSET)
    unequal: Annotated[
        Scalar | tuple[Scalar, ...] | UnsetType,
        Meta(description="The value, or several of which it is none; `null`: it is set."),
    ] = msgspec.field(name="is_not", default=UNSET)


class OutputRuleSettings(Table, frozen=True):
    """One rule: a field, exactly one thing that must hold of it, and what is said where not.

    A field that is null is only judged by `allowed`, `must_cite` and `equals_input`.
    """

    field: Annotated[
        FieldPath | None,
        Meta(
            description="Of the output: `refund.amount`, or `items[].price` for every item. Only"
            " `must_not_mention` may leave it out, and then looks at every text."
        ),
    ] = None
    allowed: Annotated[
        Annotated[tuple[Scalar, ...], Meta(min_length=1, max_length=1000)] | None,
        Meta(description="The values that it may have."),
    ] = None
    range: Annotated[RangeSettings | None, Meta(description="For numbers.")] = None
    length: Annotated[LengthSettings | None, Meta(description="For texts and lists.")] = None
    dates: Annotated[DatesSettings | None, Meta(description="For dates, with a time or not.")] = (
        None
    )
    must_cite: Annotated[
        CiteSettings | None, Meta(description="For texts and lists of them: a source.")
    ] = None
    must_not_mention: Annotated[
        MentionSettings | None, Meta(description="For any field and all that is in it.")
    ] = None
    equals_input: Annotated[
        FieldPath | None, Meta(description="The field of the input that it is equal to.")
    ] = None
    when: Annotated[
        WhenSettings | None, Meta(description="Without it the rule holds in any case.")
    ] = None
    message: Annotated[
        Annotated[str, Meta(min_length=1, max_length=500)] | None,
        Meta(description="What the model and people are told; else what the rule says."),
    ] = None
    on_fail: Annotated[OnFail, Meta(description="What happens where it doesn't hold.")] = "reject"


RULE_KINDS = (
    "allowed", "range", "length", "dates", "must_cite", "must_not_mention", "equals_input",
)  # fmt: skip
"""The fields of which a rule has exactly one."""


def kind_of(rule: OutputRuleSettings) -> str:
    """Which of `RULE_KINDS` it has; the first, where it has several by mistake."""
    return next((kind for kind in RULE_KINDS if getattr(rule, kind) is not None), "")
