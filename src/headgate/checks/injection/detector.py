"""How likely a text is an attempt to instruct the model that reads it.

Pure, thread-safe and linear in the text. It knows how attacks speak in eight languages; it does not
understand, so what says the same in new words passes. It is one layer of several.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Final

from headgate.checks.injection import spotting
from headgate.checks.injection.concepts import Concept
from headgate.checks.injection.cover import Cover
from headgate.checks.injection.families import Family
from headgate.checks.injection.mention import Mentions
from headgate.checks.injection.normalise import Hiding, normalised
from headgate.checks.injection.reading import Disguise, Reading
from headgate.checks.injection.repetition import repetitions
from headgate.checks.injection.rules import RULES, Rule
from headgate.checks.injection.sentences import Group, groups
from headgate.checks.injection.shapes import shapes_in
from headgate.checks.injection.verdict import Sign, Verdict

MAX_CHARS: Final = 200_000
"""How much of a text is read at once; a longer one is read in pieces that overlap."""

OVERLAP_CHARS: Final = 2_000
"""By how much they overlap."""

_ACROSS: Final = 0.75
"""What a sign that spans sentences counts, of one within a sentence."""

_DISGUISED: Final = 1.4
"""How much more a sign counts that was encoded or hidden: nobody does that by chance."""

_BY_DISGUISE: Final = 20
"""What it adds that anything was disguised at all."""

_PUZZLES: Final[frozenset[Disguise]] = frozenset(
    ("rot13", "reversed", "pieces", "leet", "spaced", "markup")
)
"""Readings that are tried on every text, so that a weak sign in them is chance."""

_ENOUGH_IN_PUZZLE: Final = 40
_MOST: Final = 97
_WORTH_STRIPPING: Final = 18
_AROUND: Final[frozenset[Concept]] = frozenset(("about_attacks", "thing", "mine"))
"""What weakens a sign, beside what the rules ask for."""
_HIDING: Final[dict[Hiding, int]] = {
    "tags": 55,
    "variation_bytes": 45,
    "override": 12,
    "zero_width": 14,
    "mixed_scripts": 12,
    "styled": 6,
}


def examine(text: str) -> Verdict:
    """The verdict on `text`."""
    signs: list[Sign] = []
    hiding: dict[Hiding, None] = {}
    for start in range(0, max(len(text), 1), MAX_CHARS - OVERLAP_CHARS):
        found, hidden = _signs(text[start : start + MAX_CHARS])
        hiding |= hidden
        signs += (
            Sign(
                sign.family,
                sign.weight,
                (sign.span[0] + start, sign.span[1] + start),
                sign.disguise,
            )
            for sign in found
        )
        if start + MAX_CHARS >= len(text):
            break
    return _verdict(signs, tuple(hiding))


def _signs(text: str) -> tuple[list[Sign], dict[Hiding, None]]:
    read = normalised(text)
    signs = [Sign("hidden_text", _HIDING[hiding], span) for hiding, span in read.hiding]
    for reading in read.readings:
        signs += _in_reading(reading)
    return signs, dict.fromkeys(hiding for hiding, _ in read.hiding)


def _in_reading(reading: Reading) -> Iterator[Sign]:
    text = reading.text
    present = spotting.present(reading)
    puzzle = reading.disguise in _PUZZLES
    shapes = [] if puzzle else [*shapes_in(text), *repetitions(text)]
    possible = _possible(present)
    if not shapes and not possible:
        return
    wanted = _AROUND.union(*(need for rule in possible for need in rule.needs))
    hits = spotting.hits(reading, present & wanted)
    mentions = Mentions(text, hits)
    factor = 1.0 if reading.disguise == "none" else _DISGUISED
    for shape, start, end in shapes:
        weight = shape.weight * factor * mentions.of(start, end)
        yield _sign(reading, shape.family, weight, start, end)
    hidden_places = Cover((start, end) for shape, start, end in shapes if shape.hides)
    for group in groups(text, hits):
        hidden = hidden_places.around(group.hits[0].start, group.hits[0].end) is not None
        for rule in possible:
            if not _met(rule, group, hidden=hidden):
                continue
            weight = rule.weight * factor * mentions.factor(group, rule.family)
            if group.across:
                weight *= _ACROSS
            if hidden:
                weight *= _DISGUISED
            if not puzzle or weight >= _ENOUGH_IN_PUZZLE:
                yield _sign(reading, rule.family, weight, group.start, group.end)


@functools.lru_cache(maxsize=4_096)
def _possible(present: frozenset[Concept]) -> tuple[Rule, ...]:
    """The rules that can be met by these ideas; most texts have few of them, and the same ones."""
    return tuple(rule for rule in RULES if all(need & present for need in rule.needs))


def _met(rule: Rule, group: Group, *, hidden: bool) -> bool:
    if (group.across and not rule.across_sentences) or (rule.hidden and not hidden):
        return False
    concepts = group.concepts
    if not all(need & concepts for need in rule.needs):
        return False
    if rule.times == 1:
        return True
    return len({hit.start for hit in group.hits if hit.concept in rule.needs[0]}) >= rule.times


def _sign(reading: Reading, family: Family, weight: float, start: int, end: int) -> Sign:
    text = reading.text
    end = min(end, len(text))
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    span = reading.original(start, end)
    return Sign(family, min(_MOST, round(weight)), span, reading.disguise)


def _verdict(signs: list[Sign], hiding: tuple[Hiding, ...]) -> Verdict:
    if not signs:
        return Verdict(0)
    strongest: dict[Family, Sign] = {}
    for sign in signs:
        best = strongest.get(sign.family)
        if best is None or sign.weight > best.weight:
            strongest[sign.family] = sign
    ordered = sorted(strongest.values(), key=lambda sign: (-sign.weight, sign.family))
    passes = 1.0
    for sign in ordered:
        passes *= 1 - sign.weight / 100
    if any(sign.disguise != "none" for sign in ordered):
        passes *= 1 - _BY_DISGUISE / 100
    return Verdict(
        score=min(100, round(100 * (1 - passes))),
        families=tuple(sign.family for sign in ordered),
        spans=Cover(sign.span for sign in signs if sign.weight >= _WORTH_STRIPPING).spans,
        signs=tuple(ordered),
        hiding=hiding,
    )
