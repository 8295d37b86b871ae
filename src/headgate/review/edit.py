"""How far what a person let out is from what the model drafted, counted in words.

Pure, and bounded: beyond 400 differing words on both sides of one text, all of them count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

_COMPARED_WORDS = 400
"""Words of each side that are compared one by one, once what is the same at both ends is left
out: 160,000 steps at most."""

REWRITTEN_SHARE = 0.5
"""From this share on, the person wrote it rather than mended it."""


class Edit(msgspec.Struct, frozen=True):
    """How much a person changed."""

    distance: int
    """Words that were taken out, put in or replaced."""
    share: float
    """The same as a part of the words of the longer of the two, from 0 to 1."""


def edit_between(draft: dict[str, Any] | None, output: dict[str, Any]) -> Edit:
    """What was changed from `draft` to `output`, field by field; without a draft, all of it."""
    before = dict(_leaves(draft or {}))
    after = dict(_leaves(output))
    distance = 0
    for path in before.keys() | after.keys():
        distance += word_distance(before.get(path, []), after.get(path, []))
    longer = max(sum(map(len, before.values())), sum(map(len, after.values())))
    return Edit(distance, min(1.0, distance / longer) if longer else 0.0)


def word_distance(before: Sequence[str], after: Sequence[str]) -> int:
    """The fewest words to take out, put in or replace (Levenshtein's)."""
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    if not old or not new or max(len(old), len(new)) > _COMPARED_WORDS:
        return max(len(old), len(new))
    row = list(range(len(new) + 1))
    for i, word in enumerate(old, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(new, 1):
            diagonal, row[j] = (
                row[j],
                min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other)),
            )
    return row[-1]


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """Each field with its words; names of fields are no words, for the schema gives them."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _leaves(one, f"{path}.{name}")
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _leaves(one, f"{path}[{index}]")
    elif isinstance(value, str):
        yield path, value.split()
    else:
        yield path, [msgspec.json.encode(value).decode()]
