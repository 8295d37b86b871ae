"""How do states write the numbers they know people and firms by? One row a form, as data.

A row whose score is 0 looks like too much else, and counts only beside its cue.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from headgate.checks.detection.rule import Accept, Rule, digits_of, field_words


class Form(NamedTuple):
    """One form of a number."""

    shape: str
    """As RE2 reads it; `\\b` is put around it."""
    check: str | Callable[[str], bool] | None
    """A module of python-stdnum that knows its check digits, or a function."""
    score: int
    """How sure it is by itself."""
    cue: str
    """Words beside it, in the languages of those who have it, whatever `languages` are set."""
    cued_score: int = 92


def rules_of(kind: str, forms: Sequence[Form]) -> list[Rule]:
    """A rule for each form."""
    return [
        Rule(
            kind=kind,
            shape=rf"\b(?:{form.shape})\b",
            accept=_accept(form.check),
            score=form.score,
            cue=f"(?i:{field_words(form.cue)})" if form.cue else "",
            cued_score=form.cued_score,
            overlapping=True,
        )
        for form in forms
    ]


def _accept(check: str | Callable[[str], bool] | None) -> Accept | None:
    if check is None:
        return None
    if callable(check):
        return lambda value: len(value) if check(_compact(value)) else 0
    return lambda value: len(value) if _module(check).is_valid(_compact(value)) else 0


@functools.cache
def _module(name: str) -> Any:
    # There are hundreds; each is loaded when a text first has a number of its form.
    return importlib.import_module(f"stdnum.{name}")


def _compact(value: str) -> str:
    return "".join(filter(str.isalnum, value)).upper()


def weighted(value: str, weights: Sequence[int], modulus: int) -> int:
    """The sum of digits times weights, modulo `modulus`."""
    pairs = zip(map(int, digits_of(value)), weights, strict=False)
    return sum(digit * weight for digit, weight in pairs) % modulus
