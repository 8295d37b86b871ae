"""How harmful a text is, category by category, by the words it uses."""

from __future__ import annotations

import functools
import hashlib
import re
from importlib import resources

import msgspec
import yaml

from headgate.simulator.text.word_families import split_phrases
from headgate.simulator.text.words import fold

CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)
"""The categories of the moderation endpoint."""

FLAGGED_FROM = 0.5
"""The score from which a category is flagged."""

_STRONG, _WEAK = 0.75, 0.3


class _Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    strong: str
    weak: str


@functools.cache
def _patterns() -> dict[str, tuple[re.Pattern[str], re.Pattern[str]]]:
    text = (resources.files(__package__) / "harm_words.yaml").read_text("utf-8")
    words = msgspec.convert(yaml.safe_load(text), dict[str, _Words])
    return {
        category: (_pattern(listed.strong), _pattern(listed.weak))
        for category, listed in words.items()
    }


def _pattern(phrases: str) -> re.Pattern[str]:
    alternatives = []
    for phrase in sorted(split_phrases(phrases), key=len, reverse=True):
        escaped = re.escape(fold(phrase.removesuffix("*"))).replace(r"\ ", r"\s+")
        alternatives.append(escaped + (r"\w*" if phrase.endswith("*") else r"(?!\w)"))
    return re.compile(r"(?<!\w)(?:" + "|".join(alternatives) + ")")


def harm_scores(text: str) -> dict[str, float]:
    """A score from 0 to 1 for each category; a harmless text's are tiny, but never 0."""
    folded = fold(text)
    return {category: _score(category, folded) for category in CATEGORIES}


def _score(category: str, folded: str) -> float:
    strong, weak = _patterns()[category]
    harmless = _noise(category, folded)
    for hits, weight in ((strong.findall(folded), _STRONG), (weak.findall(folded), _WEAK)):
        harmless *= (1 - weight) ** min(4, len(set(hits)))
    return round(1 - harmless, 9)


def _noise(category: str, text: str) -> float:
    """Nearly 1: what is left over by the tiny score that harmless texts have."""
    digest = hashlib.blake2b(f"{category}\n{text}".encode("utf-8", "replace"), digest_size=4)
    return 1 - 1e-6 - 4e-4 * (int.from_bytes(digest.digest()) / 2**32) ** 2
