"""Which hits stand together, in a sentence or in sentences next to each other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from headgate.checks.injection.concepts import Concept
from headgate.checks.injection.spotting import Hit

MAX_GAP_CHARS: Final = 90
"""How far apart two hits of one group may be."""

MAX_GROUP_CHARS: Final = 420
"""How long a group may be."""

_END = re.compile(r"[.!?;]+[\"')\]*_]*(?=\s|$)|[。！？；]|\n\s*\n|\n(?=\s*(?:[-*•>#]|\d+[.)]))")
_FEW_WORDS: Final = 3


class Group(msgspec.Struct, frozen=True):
    """Ideas that stand together."""

    hits: tuple[Hit, ...]
    start: int
    """Where its sentence, or the first of them, begins."""
    end: int
    concepts: frozenset[Concept]
    across: bool = False
    """Whether it spans several sentences."""


def groups(text: str, hits: list[Hit]) -> Iterator[Group]:
    """The groups within sentences, then those across neighbouring ones; linear in the text."""
    within = list(_within(text, hits))
    yield from within
    chain: list[Group] = []
    for group in within:
        if chain and (
            group.hits[0].start - chain[-1].hits[-1].end > MAX_GAP_CHARS
            or group.hits[-1].end - chain[0].hits[0].start > MAX_GROUP_CHARS
        ):
            yield from _joined(chain)
            # The last one may belong to what follows as well.
            near = group.hits[0].start - chain[-1].hits[-1].end <= MAX_GAP_CHARS
            chain = [chain[-1]] if near else []
        chain.append(group)
    yield from _joined(chain)


def _joined(chain: list[Group]) -> Iterator[Group]:
    if len(chain) > 1:
        hits = tuple(hit for group in chain for hit in group.hits)
        concepts = frozenset(hit.concept for hit in hits)
        yield Group(hits, chain[0].start, chain[-1].end, concepts, across=True)


def _within(text: str, hits: list[Hit]) -> Iterator[Group]:
    if not hits:
        return
    bounds = _sentence_ends(text)
    at = 0
    begin, end = 0, bounds[0]
    waiting: list[Hit] = []
    for hit in hits:
        while hit.start >= end:
            if waiting:
                yield _group(waiting, begin, end)
                waiting = []
            at += 1
            begin, end = end, bounds[at]
        if waiting and (
            hit.start - waiting[-1].end > MAX_GAP_CHARS
            or hit.end - waiting[0].start > MAX_GROUP_CHARS
        ):
            yield _group(waiting, begin, end)
            waiting = []
        waiting.append(hit)
    if waiting:
        yield _group(waiting, begin, end)


def _group(hits: list[Hit], begin: int, end: int) -> Group:
    first, last = hits[0].start, max(hit.end for hit in hits)
    # A sentence may be a whole document that has no full stops.
    return Group(
        tuple(hits),
        max(begin, first - MAX_GROUP_CHARS),
        min(max(end, last), last + MAX_GROUP_CHARS),
        frozenset(hit.concept for hit in hits),
    )


def _sentence_ends(text: str) -> list[int]:
    """Where sentences end; one of a word or two ("Ignore. All. Previous.") goes with the next."""
    ends: list[int] = []
    begin = 0
    for found in _END.finditer(text):
        sentence = text[begin : found.start()]
        if sentence.isascii() and len(sentence) < 60 and len(sentence.split()) < _FEW_WORDS:
            continue
        ends.append(found.end())
        begin = found.end()
    ends.append(len(text) + 1)
    return ends
