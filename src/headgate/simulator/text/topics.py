"""What a message to a support desk is about, and how much it says so.

Each topic has a family of words in several languages, matched at word boundaries in folded text; a
`*` at the end of a word lets it go on. A word that is denied ("no outage") doesn't count.
"""

from __future__ import annotations

import functools
import re
from typing import Literal

from headgate.simulator.text.word_families import split_phrases, vague_words, word_families
from headgate.simulator.text.words import content_words, fold

Topic = Literal[
    "security",
    "outage",
    "billing",
    "account_access",
    "bug",
    "how_to",
    "feature_request",
    "complaint",
    "spam",
]
"""What a ticket can be about; the order breaks ties."""

TOPICS: tuple[Topic, ...] = (
    "security",
    "outage",
    "billing",
    "account_access",
    "bug",
    "feature_request",
    "how_to",
    "complaint",
    "spam",
)

_FIRST: tuple[Topic, ...] = ("security", "outage")

MAX_HITS = 5
"""How many words of one family count."""


@functools.cache
def _pattern(family: str) -> re.Pattern[str]:
    alternatives = []
    for phrase in word_families().family(family):
        folded = re.escape(fold(phrase)).replace(r"\ ", r"\s+")
        if folded.endswith(r"\*"):
            alternatives.append(folded[:-2] + r"\w*")
        elif phrase.isascii() or fold(phrase).isascii():
            alternatives.append(folded + r"(?!\w)")
        else:
            alternatives.append(folded)
    ordered = sorted(alternatives, key=len, reverse=True)
    return re.compile(r"(?:(?<!\w)|(?<=[^\x00-\x7f]))(?:" + "|".join(ordered) + ")")


@functools.cache
def _denial() -> re.Pattern[str]:
    return re.compile(
        r"\b(?:" + "|".join(split_phrases(word_families().denials)) + r")(?:\s+\w+){0,1}\s+$"
    )


def hits(family: str, text: str) -> set[str]:
    """The words of `family` that `text` (folded) says and doesn't deny."""
    return {
        found[0]
        for found in _pattern(family).finditer(text)
        if not _denial().search(text[max(0, found.start() - 40) : found.start()])
    }


@functools.lru_cache(maxsize=256)
def topic_scores(facts: str) -> dict[Topic, float]:
    """How strongly `facts` speak of each topic; 0 where not at all. Don't change the result."""
    folded = fold(facts)
    weights = word_families().weights
    return {topic: weights[topic] * min(MAX_HITS, len(hits(topic, folded))) for topic in TOPICS}


def top_topic(facts: str) -> Topic | None:
    """The topic that `facts` speak of most; None where they speak of none."""
    scores = topic_scores(facts)
    best = max(TOPICS, key=lambda topic: scores[topic])
    return best if scores[best] > 0 else None


@functools.lru_cache(maxsize=256)
def is_vague(facts: str) -> bool:
    """Whether `facts` name nothing that could be acted on ("help!!", "it doesn't work")."""
    told = {word for word in content_words(facts) if fold(word) not in vague_words()}
    if not facts.strip():
        return True
    if (
        not facts.isascii()
        and len(told) >= 1
        and len(facts) > 3 * len(facts.encode("ascii", "ignore"))
    ):
        return len(facts) < 12
    strong = sum(topic_scores(facts)[topic] for topic in TOPICS if topic != "complaint")
    if strong >= 2:
        return len(told) < 1
    has_figure = any(character.isdigit() for character in facts)
    return len(told) < (2 if has_figure or strong > 0 else 4)


@functools.lru_cache(maxsize=256)
def urgency(facts: str) -> float:
    """How fast somebody must act, from 0 to 1; 1 for an outage or a security issue."""
    scores = topic_scores(facts)
    if scores["outage"] > 0 or scores["security"] > 0:
        return 1.0
    topic = top_topic(facts)
    base: dict[Topic | None, float] = {
        "account_access": 0.45,
        "billing": 0.4,
        "bug": 0.4,
        "complaint": 0.35,
        "how_to": 0.05,
        "feature_request": 0.0,
        "spam": 0.0,
    }
    if is_vague(facts):
        # However loud, a message without facts is not known to be urgent.
        return 0.3
    pressing = 0.3 * min(2, len(hits("pressing", fold(facts))))
    if topic in ("feature_request", "spam"):
        pressing /= 3
    return min(0.8, base.get(topic, 0.15) + pressing)


@functools.lru_cache(maxsize=256)
def mood(facts: str) -> Literal["positive", "negative", "neutral"]:
    """Whether `facts` sound pleased or displeased."""
    folded = fold(facts)
    balance = len(hits("positive", folded)) - len(hits("negative", folded))
    return "positive" if balance > 0 else "negative" if balance < 0 else "neutral"
