"""The words by which topics, pressure and mood are recognised; read once, when first needed."""

from __future__ import annotations

import functools
from importlib import resources

import msgspec
import yaml


class WordFamilies(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The contents of `word_families.yaml`, as written there."""

    families: dict[str, str]
    weights: dict[str, float]
    denials: str
    vague: str
    option_topics: dict[str, str]
    ladder: dict[float, str]

    def family(self, name: str) -> tuple[str, ...]:
        """The phrases of a family; a `*` at the end of one lets its word go on."""
        return split_phrases(self.families[name])


def split_phrases(text: str) -> tuple[str, ...]:
    """The phrases of a text in which commas part them."""
    return tuple(phrase.strip() for phrase in text.split(",") if phrase.strip())


@functools.cache
def word_families() -> WordFamilies:
    """The word families that come with the package."""
    text = (resources.files(__package__) / "word_families.yaml").read_text("utf-8")
    loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    # Keys of the ladder are numbers, which a Struct's JSON-like conversion takes as they are.
    return msgspec.convert(yaml.load(text, loader), WordFamilies)  # noqa: S506 - safe loaders


@functools.cache
def vague_words() -> frozenset[str]:
    """Words that say that something is wrong, but not what; folded."""
    return frozenset(word_families().vague.split())


@functools.cache
def option_topics() -> dict[str, str]:
    """The topic that a word in an option's name stands for."""
    return {
        word: topic
        for topic, words in word_families().option_topics.items()
        for word in split_phrases(words)
    }


@functools.cache
def ladder() -> dict[str, float]:
    """Where a word stands on a scale of urgency, from 0 to 1."""
    return {
        word: rank
        for rank, words in word_families().ladder.items()
        for word in split_phrases(words)
    }
