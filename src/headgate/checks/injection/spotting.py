"""Where in a reading which idea stands."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, Final

import msgspec
import re2

from headgate.checks.injection.concepts import (
    CONCEPTS,
    Concept,
    pattern,
    squeezed,
    vocabularies,
)
from headgate.checks.injection.reading import Reading

_SHAPES: Final[dict[Concept, str]] = {
    "address": r"https?:|www\.|\bftp:|hxxps?:|[\w.+\-]{1,64}@[\w\-]{1,63}\.\w{2,}",
    "function_name": r"\b[a-z]{2,}(?:_[a-z]{2,}){1,5}\b|\b[a-z]{2,}[A-Z][a-z]+\(",
}
_SET_MEMORY_BYTES: Final = 64 << 20
"""What RE2 may remember of the set: with a quarter of it texts full of phrases take four times as
long."""

_SINGLE_MEMORY_BYTES: Final = 8 << 20
"""What it may remember of each idea's pattern."""


class Hit(msgspec.Struct, frozen=True, order=True):
    """An idea's place in a reading's text."""

    start: int
    end: int
    concept: Concept


def _options(memory_bytes: int) -> re2.Options:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = memory_bytes
    return options


@functools.cache
def _compiled(pattern: str) -> Any:
    return re2.compile(pattern, _options(_SINGLE_MEMORY_BYTES))


class _Spotter:
    """The patterns of all ideas: one set that tells which occur, then each one's places."""

    def __init__(self, patterns: dict[Concept, str]) -> None:
        self._patterns = tuple(patterns.items())
        self._prefilter = re2.Set.SearchSet(_options(_SET_MEMORY_BYTES))
        for _, written in self._patterns:
            self._prefilter.Add(written)
        self._prefilter.Compile()

    def present(self, text: str) -> frozenset[Concept]:
        """Which ideas occur at all."""
        return frozenset(self._patterns[at][0] for at in self._prefilter.Match(text) or ())

    def hits(self, text: str, wanted: frozenset[Concept]) -> list[Hit]:
        """Where those of `wanted` occur, in order."""
        # RE2 reads bytes: encoded once here, not for each of the patterns.
        encoded = text.encode()
        place: Sequence[int] = range(len(text) + 1) if text.isascii() else _places(encoded)
        found: list[Hit] = []
        for concept, written in self._patterns:
            if concept in wanted:
                matches = _compiled(written).finditer(encoded)
                found += (Hit(place[at.start()], place[at.end()], concept) for at in matches)
        return sorted(found)


def _places(encoded: bytes) -> list[int]:
    """For each byte of UTF-8 the letter that it belongs to, and one more for the end."""
    begins = (byte & 0xC0 != 0x80 for byte in encoded)
    places = [count - 1 for count in accumulate(begins)]
    return [*places, places[-1] + 1 if places else 0]


def _in_words() -> dict[Concept, str]:
    languages = vocabularies()
    patterns: dict[Concept, str] = {}
    for concept in CONCEPTS:
        if concept in _SHAPES:
            patterns[concept] = _SHAPES[concept]
            continue
        written = [
            pattern(phrase, spaced=vocabulary.spaced)
            for vocabulary in languages
            for phrase in vocabulary.phrases.get(concept, ())
        ]
        patterns[concept] = f"(?i:{'|'.join(dict.fromkeys(written))})"
    return patterns


def _without_spaces() -> dict[Concept, str]:
    languages = vocabularies()
    patterns: dict[Concept, str] = {}
    for concept in CONCEPTS:
        written = [
            found
            for vocabulary in languages
            for phrase in vocabulary.phrases.get(concept, ())
            if (found := squeezed(phrase)) is not None
        ]
        if written:
            patterns[concept] = f"(?i:{'|'.join(dict.fromkeys(written))})"
    return patterns


@functools.cache
def _spotter(*, in_words: bool) -> _Spotter:
    """Made when it is first used: it takes some tenths of a second."""
    return _Spotter(_in_words() if in_words else _without_spaces())


def present(reading: Reading) -> frozenset[Concept]:
    """Which ideas occur in `reading`; cheap."""
    return _spotter(in_words=reading.disguise != "spaced").present(reading.text)


def hits(reading: Reading, wanted: frozenset[Concept]) -> list[Hit]:
    """Where the ideas of `wanted` stand in `reading`, in order."""
    return _spotter(in_words=reading.disguise != "spaced").hits(reading.text, wanted)
