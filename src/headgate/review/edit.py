"""How far what a person let out is from what the model drafted, counted in words.

Pure, and bounded: of a long text in which very much was changed, all words count as changed.
Scripts that put no spaces between words are counted by character.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

_STEPS_AT_MOST = 250_000
"""Pairs of words that are compared, some 0.1 s: all of two texts of 500 words. Of longer ones only
words that stand near each other, which finds up to 62 changes in 2,000 words."""

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
"""Thai, Lao, Burmese, Khmer, kana and the Chinese characters."""

_WORD = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")

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
    before, after = _words(draft or {}), _words(output)
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
    longer = max(len(old), len(new))
    if not old or not new:
        return longer
    if len(old) * len(new) <= _STEPS_AT_MOST:
        return _distance_within(old, new, longer)
    within = _STEPS_AT_MOST // (2 * len(old))
    if abs(len(old) - len(new)) > within:
        return longer
    distance = _distance_within(old, new, within)
    return distance if distance <= within else longer


def _distance_within(old: Sequence[str], new: Sequence[str], most: int) -> int:
    """The distance, where it is at most `most`; else something that is more than that.

    A word of one text is compared with those of the other that stand no further away than that.
    """
    beyond = most + 1
    row = [min(j, beyond) for j in range(len(new) + 1)]
    for i, word in enumerate(old, 1):
        first, last = max(1, i - most), min(len(new), i + most)
        diagonal, row[first - 1] = row[first - 1], i if first == 1 else beyond
        for j in range(first, last + 1):
            above = row[j] if j < i + most else beyond
            diagonal, row[j] = (
                above,
                min(above + 1, row[j - 1] + 1, diagonal + (word != new[j - 1])),
            )
    return row[-1]


def _words(value: dict[str, Any]) -> dict[str, list[str]]:
    """The words of each field; those of a list's items one after the other.

    So an item that is taken out is what it holds, and not a change of all that come after it.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for path, words in _leaves(value):
        found[path] += words
    return found


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """Each field with its words; names of fields are no words, for the schema gives them."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _leaves(one, f"{path}.{name}")
    elif isinstance(value, list):
        for one in value:
            yield from _leaves(one, f"{path}[]")
    elif isinstance(value, str):
        yield path, _WORD.findall(value)
    else:
        yield path, [msgspec.json.encode(value).decode()]
