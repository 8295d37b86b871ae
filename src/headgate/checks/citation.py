"""Whether what a field names as its source stands in the run's input or context. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

from headgate.checks.field_path import Place, places, texts_in
from headgate.config.output_rules import CiteSettings

_ALIKE = str.maketrans({
    "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201b": "'",
    "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u00ab": '"', "\u00bb": '"',
    "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-", "\u2212": "-",
    "\u00ad": None, "\u200b": None, "\ufeff": None,
})  # fmt: skip
"""Quotation marks and dashes that a model sets otherwise than the text that it quotes."""


class Sources:
    """What one rule takes for sources, of one run's input and context."""

    def __init__(
        self,
        settings: CiteSettings,
        given: dict[str, Any],
        context: dict[str, Any] | None = None,
    ) -> None:
        self._settings = settings
        self._names: frozenset[str] = frozenset()
        if settings.context is not None:
            self._names = frozenset(context_sources(settings, context or {}))
        self._texts: tuple[str, ...] = ()
        if settings.ids is not None:
            found = (place.value for place in places(settings.ids, given) if place.is_there)
            self._names = frozenset(name for one in found if (name := _name(one)) is not None)
        if settings.passage_of is not None:
            within = (
                text
                for path in texts_named(settings)
                for place in places(path, given)
                if place.is_there
                for text in texts_in(place)
            )
            self._texts = tuple(_folded(place.value) for place in within)
        self._pattern = None
        if settings.pattern is not None:
            import re2  # noqa: PLC0415 - only few rules have one

            self._pattern = re2.compile(settings.pattern)

    def unfounded(self, place: Place) -> list[Place]:
        """Where at `place` something is named that is no source, or nothing is."""
        if self._settings.context is not None and not place.is_there and place.value == []:
            return []  # A list of findings that has none claims nothing.
        if place.value in (None, "", []) or not place.is_there:
            return [] if self._settings.optional else [place]
        if isinstance(place.value, list):
            items = enumerate(place.value)
            return [bad for n, one in items for bad in self._item(f"{place.path}[{n}]", one)]
        return self._item(place.path, place.value)

    def _item(self, path: str, value: Any) -> list[Place]:
        return [] if self._holds(value) else [Place(path, value)]

    def _holds(self, value: Any) -> bool:
        if self._settings.passage_of is not None:
            return isinstance(value, str) and self._is_passage(value)
        if self._pattern is None:
            return _name(value) in self._names
        if not isinstance(value, str):
            return False
        named = [found[1] for found in self._pattern.finditer(value)]
        if not named:
            return self._settings.optional
        return all(name in self._names for name in named)

    def _is_passage(self, value: str) -> bool:
        passage = _folded(value)
        if not passage or len(passage) < self._settings.at_least_characters:
            return False
        return any(_stands_in(text, passage) for text in self._texts)


def _stands_in(text: str, passage: str) -> bool:
    """Whether it stands there word for word: `part` does not stand in `apart`."""
    at = text.find(passage)
    for _ in range(_PLACES_AT_MOST):
        if at < 0:
            break
        end = at + len(passage)
        before, after = text[at - 1 : at] if at else "", text[end : end + 1]
        if not _is_one_word(before, passage[0]) and not _is_one_word(passage[-1], after):
            return True
        at = text.find(passage, at + 1)
    return False


def _is_one_word(one: str, next_one: str) -> bool:
    """Whether two letters beside each other belong to one word, in scripts with spaces between."""
    pair = one + next_one
    return len(pair) == 2 and all(letter.isalnum() and letter < _FIRST_UNSPACED for letter in pair)


_PLACES_AT_MOST = 10_000
"""Where a passage is looked at in one text; one that stands more often in the midst of words than
that counts as not standing there."""

_FIRST_UNSPACED = "\u0e00"
"""Thai; from there on, most scripts write words without spaces."""


def _name(value: Any) -> str | None:
    """A source's name as text: 12 and "12" name the same."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def _folded(text: str) -> str:
    """`text` without what differs between a passage and its copy: breaks, capitals, marks."""
    alike = unicodedata.normalize("NFKC", text).translate(_ALIKE).casefold()
    return " ".join(alike.split())


def context_sources(settings: CiteSettings, context: dict[str, Any]) -> Iterator[str]:
    """The fields of a run's context that may be cited: those that are there and not null.

    Of a list of records `tickets[0].subject` is one, and `tickets.subject` where any record has it.
    """
    for name, part in context.items():
        if settings.context != "any" and name not in (settings.context or ()):
            continue
        records = part if isinstance(part, list) else [part]
        told: dict[str, None] = {}
        for number, record in enumerate(records):
            if not isinstance(record, dict):
                continue
            there = [field for field, value in record.items() if value is not None]
            told |= dict.fromkeys(f"{name}.{field}" for field in there)
            if isinstance(part, list):
                yield from (f"{name}[{number}].{field}" for field in there)
        yield from told


def texts_named(settings: CiteSettings) -> tuple[str, ...]:
    """The texts of the input in which a passage may stand."""
    named = settings.passage_of
    return (named,) if isinstance(named, str) else named or ()
