"""Where do values stand again that were found once? Pure.

A password is told by the word in front of it. Where a model's answer repeats it, and the
application sends that answer back as the conversation so far, no such word need be near.
"""

from __future__ import annotations

from collections.abc import Mapping

from headgate.checks.detection import Finding
from headgate.checks.detection.plain_text import PlainText, read
from headgate.checks.detection.word_list import WordList
from headgate.config.detection import OwnPatternSettings

LEAST_CHARACTERS = 5
"""Shorter values are not looked for again: too many other words are spelled alike."""

_TRIED_ONE_BY_ONE = 32


class Known:
    """Values and their kinds."""

    def __init__(self, kinds: Mapping[str, str]) -> None:
        """`kinds`: by value."""
        labels = " ".join({kind.upper() for kind in kinds.values()})
        self._kinds = {
            read(value): kind
            for value, kind in kinds.items()
            if len(value) >= LEAST_CHARACTERS and not _stands_in_labels(value, labels)
        }
        self._list: WordList | None = None

    def __bool__(self) -> bool:
        return bool(self._kinds)

    def __repr__(self) -> str:
        """How many there are: reprs end up in logs."""
        return f"Known({len(self._kinds)} values)"

    def find(self, text: str) -> list[Finding]:
        """Where they stand in `text` as whole words, in its order."""
        if not self._kinds:
            return []
        plain = PlainText(text)
        if len(self._kinds) <= _TRIED_ONE_BY_ONE:
            seen = plain.data.decode()
            if not any(value in seen for value in self._kinds):
                return []
        if self._list is None:
            words = tuple(self._kinds)
            self._list = WordList(OwnPatternSettings(name="known", words=words))
        places = [(start, end) for start, end, _ in self._list.scan(plain.data)]
        return [
            Finding(self._kinds[plain.data[first:last].decode()], start, end, 100)
            for (first, last), (start, end) in zip(places, plain.spans(places), strict=True)
        ]


def _stands_in_labels(value: str, labels: str) -> bool:
    """Whether `value` could be a part of what stands for values: `EMAIL_1` of `<EMAIL_1>`."""
    bare = value.rstrip("0123456789").strip("_")
    return bool(bare) and bare.upper() in labels
