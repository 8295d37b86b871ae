"""Whether a rule on a field can ever be met by what a schema lets stand there. Pure.

A review's rule that no output can meet lets every draft out unseen, and an approval's every call.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from headgate.checks.field_path import EACH
from headgate.checks.schema_path import said_of, why_never
from headgate.config.reviews import FieldReview

Found = Iterator[tuple[tuple[str | int, ...], str]]
"""The place in the rule, and what is wrong there."""

_NUMBERS = frozenset({"number", "integer"})


def field_rule_problems(rule: FieldReview, schema: dict[str, Any] | None, named: str) -> Found:
    """What keeps `rule` from being met; `schema` is None where unknown, `named` what it is called.

    A tool's schema is `the tool's schema`, a file's its name.
    """
    written = [name for name in ("one_of", "below", "above") if getattr(rule, name) is not None]
    if len(written) != 1:
        yield (), "write one of `one_of`, `below`, `above`"
        return
    if schema is None:
        return
    said = said_of(schema, rule.field, named)
    if said.problem is not None:
        known = schema.get("properties") or {}
        lacks = rule.field.split(".")[0].removesuffix(EACH) not in known
        it_has = f"; it has {', '.join(known) or 'none'}" if lacks else ""
        yield ("field",), f"{said.problem}{it_has}"
    elif rule.one_of is None:
        if said.types and not said.types & _NUMBERS:
            told = " or ".join(sorted(said.types))
            yield ("field",), f"`{written[0]}` is for numbers; {named} says {told}"
    else:
        for number, value in enumerate(rule.one_of):
            if (problem := why_never(value, said, named)) is not None:
                hint = f"; write `{rule.field}{EACH}`" if said.types == {"array"} else ""
                yield ("one_of", number), f"{problem}{hint}"
