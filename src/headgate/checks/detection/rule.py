"""What tells a kind of value in a text: a shape, a check of what has it, and the words around it.

Rules are data, so that they can be listed, counted and tried one by one; `scanner.py` runs them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final, Literal

import msgspec

from headgate.config.detection import Language

Accept = Callable[[str], int]
"""How many characters of a value, from its first, are what was looked for; 0 where none are."""

Neighbours = Literal["number", "word", "letters", "any"]
"""What may stand right beside a value.

`number`: no letter, no digit, and nothing that joins it to more of a number, such as `-7` or `.5`.
`word`: no ASCII letter and no digit.
`letters`: no letter and no digit of any script, where the value's own edge is one.
`any`: anything; the shape itself says what may.
"""

Words = Mapping[Language, str]
"""By language: the words around a value, as alternatives of a regular expression."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """How one form of a kind is told. Regular expressions are RE2's, on plain text."""

    kind: str
    shape: str
    """The form of the value: the first group where it has one, else the whole match."""
    leads: Callable[[str], int] | None = None
    """How many characters at the beginning of what has the shape are not yet the value."""
    accept: Accept | None = None
    """Asked about a value that has the shape; without it every one is taken."""
    score: int = 0
    """How sure a value is by itself; below the least score it counts only beside a cue."""
    alone: Callable[[str], object] | None = None
    """What a value must also be where no cue stands beside it."""
    cue: str = ""
    """Words around a value that make it surer."""
    cued_score: int = 0
    """How sure a value is beside a cue."""
    reach_bytes: int = 48
    """How far in front of a value a cue may stand."""
    unless: str = ""
    """Words right in front of a value that make it something else."""
    gate: str = ""
    """What a text must have for the shape to be tried, where the shape is slow to look for."""
    family: str = "value"
    """Gates of one family look for the same sort of thing: values, words, names."""
    neighbours: Neighbours = "number"
    overlapping: bool = False
    """Whether a value may begin inside one that was not accepted. Only for shapes of bounded
    length, lest a text be read again and again."""


def cue(words: Words, languages: Collection[Language]) -> str:
    """The words of `languages` as one expression that ignores case.

    They are also found as names of fields: `date_of_birth`, `passport-number`.
    """
    western = "|".join(words[one] for one in languages if one in words and one != "zh")
    parts = [field_words(western)] if western else []
    if "zh" in languages and "zh" in words:
        # Chinese has no borders between words.
        parts.append(words["zh"])
    return f"(?i:{'|'.join(parts)})" if parts else ""


def field_words(words: str) -> str:
    """Alternatives whose spaces may be `_` or `-`, with a border or a `_` on both sides."""
    spaced = words.replace(" ", "[ _-]").replace(r"\b", _BORDER)
    return f"{_BORDER}(?:{spaced})"


_BORDER: Final = r"(?:\b|_)"


def whole(is_valid: Callable[[str], object]) -> Accept:
    """Takes all of a value that `is_valid` says yes to."""
    return lambda value: len(value) if is_valid(value) else 0


def digits_of(value: str) -> str:
    """The digits in `value`, in their order."""
    return "".join(filter(str.isdigit, value))
