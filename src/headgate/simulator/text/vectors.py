"""A vector for a text, such that similar texts have similar vectors.

Each word, pair of words and run of letters adds to a few dimensions, chosen by its hash; so texts
that share many of them point the same way. It knows no meaning: synonyms are strangers to it.
"""

from __future__ import annotations

import itertools
import math
import zlib
from collections import Counter

from headgate.simulator.text.words import content_words, fold, stem, words

SPREAD = 12
"""How many dimensions one feature adds to."""

MAX_WORDS = 8_192
"""How many words of a text are read."""

MAX_LETTERS = 6_000
"""How many letters of a text are read for runs of letters."""

_WEIGHTS = {"word": 3.0, "pair": 1.2, "letters": 0.5, "grammar": 0.3, "any": 1.0}


def vector_of(text: str, dimensions: int) -> list[float]:
    """The vector of `text`, of length one."""
    vector = [0.0] * dimensions
    for feature, weight in _features(text).items():
        _add(vector, feature, weight)
    return normalised(vector)


def normalised(vector: list[float]) -> list[float]:
    """`vector` scaled to length one; the first axis where it has no length."""
    length = math.sqrt(math.fsum(value * value for value in vector))
    if length == 0:
        return [1.0] + [0.0] * (len(vector) - 1)
    return [round(value / length, 8) for value in vector]


def _features(text: str) -> dict[str, float]:
    said = words(text)[:MAX_WORDS]
    content = [stem(word) for word in content_words(text)[:MAX_WORDS]]
    found = {"any": _WEIGHTS["any"]}
    for kind, parts in (
        ("word", content),
        ("pair", [f"{one} {two}" for one, two in itertools.pairwise(content)]),
        ("grammar", said),
        ("letters", _runs(fold(text[:MAX_LETTERS]))),
    ):
        for part, times in Counter(parts).items():
            # The tenth mention of a word says less than the first.
            found[f"{kind}:{part}"] = _WEIGHTS[kind] * (1 + math.log(times))
    return found


def _runs(text: str) -> list[str]:
    tidy = f" {' '.join(text.split())} "
    return [tidy[at : at + 4] for at in range(len(tidy) - 3)]


def _add(vector: list[float], feature: str, weight: float) -> None:
    seed = zlib.crc32(feature.encode("utf-8", "replace"))
    share = weight / math.sqrt(SPREAD)
    for _ in range(SPREAD):
        # Numerical Recipes' linear congruential step: fast, and the same everywhere.
        seed = (seed * 1_664_525 + 1_013_904_223) & 0xFFFFFFFF
        place = (seed >> 1) % len(vector)
        vector[place] += share if seed & 0x80000000 else -share
