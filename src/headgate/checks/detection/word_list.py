"""Where in a text does one of many words stand? For lists of an operator's, of any length.

As alternatives of a regular expression, ten thousand words take 16 ms a KB or are refused. Here the
first letters of what stands at a place tell which lengths a word may have there, and each is looked
up: some 50 µs a KB, however many words there are and however alike they begin.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from headgate.checks.detection.plain_text import undisguised
from headgate.checks.detection.scanner import Place
from headgate.checks.unspaced import UNSPACED
from headgate.config.detection import OwnPatternSettings

_LONGEST_KEY: Final = 4
_WORD_STARTS: Final = re.compile(r"\b\w")
_UNSPACED: Final = re.compile(f"[{UNSPACED}]")
_WORD_STARTS_ANYWHERE: Final = re.compile(rf"(?:\b|(?<=[{UNSPACED}]))\w")


class WordList:
    """Words and phrases, found letter by letter in plain text; of two at one place the longer."""

    gate: Final = ""
    """Every text may have one."""
    family: Final = "own"

    def __init__(self, settings: OwnPatternSettings) -> None:
        self._ignore_case = settings.ignore_case
        self._whole_words = settings.whole_words
        self._score = settings.score
        words = {self._seen(undisguised(word)) for word in settings.words} - {""}
        self._words = frozenset(words)
        self._key_length = min([_LONGEST_KEY, *map(len, words)])
        lengths: dict[str, set[int]] = {}
        for word in words:
            lengths.setdefault(word[: self._key_length], set()).add(len(word))
        self._lengths = {key: sorted(each, reverse=True) for key, each in lengths.items()}
        self._at_word_starts = self._whole_words and all(
            _WORD_STARTS.match(word) and not _UNSPACED.match(word) for word in words
        )

    def scan(self, data: bytes) -> Iterator[Place]:
        """Every word in `data`, which is UTF-8."""
        text = data.decode()
        characters = bytes_before = 0
        for start, end in self._places(text):
            bytes_before += len(text[characters:start].encode())
            length = len(text[start:end].encode())
            yield bytes_before, bytes_before + length, self._score
            characters, bytes_before = end, bytes_before + length

    def _places(self, text: str) -> Iterator[tuple[int, int]]:
        seen = self._seen(text)
        key_length, lengths, words = self._key_length, self._lengths, self._words
        last = 0
        for start in self._starts(seen):
            possible = lengths.get(seen[start : start + key_length])
            if possible is None or start < last:
                continue
            for length in possible:
                end = start + length
                if (
                    end <= len(seen)
                    and seen[start:end] in words
                    and self._is_whole(seen, start, end)
                ):
                    yield start, end
                    last = end
                    break

    def _starts(self, seen: str) -> Iterable[int]:
        if self._at_word_starts:
            starts = _WORD_STARTS if seen.isascii() else _WORD_STARTS_ANYWHERE
            return (found.start() for found in starts.finditer(seen))
        return range(len(seen))

    def _is_whole(self, seen: str, start: int, end: int) -> bool:
        if not self._whole_words:
            return True
        if start and _are_one_word(seen[start - 1], seen[start]):
            return False
        return not (end < len(seen) and _are_one_word(seen[end - 1], seen[end]))

    def _seen(self, text: str) -> str:
        """`text` as words are compared, one character for each."""
        if not self._ignore_case:
            return text
        small = text.lower()
        if len(small) == len(text):
            return small
        # The Turkish capital with a dot becomes two characters.
        return "".join(one if len(one.lower()) > 1 else one.lower() for one in text)


def _are_one_word(letter: str, next_letter: str) -> bool:
    """Whether two characters beside each other belong to one word."""
    return (
        letter.isalnum()
        and next_letter.isalnum()
        and not (_UNSPACED.match(letter) or _UNSPACED.match(next_letter))
    )
