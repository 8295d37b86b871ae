r"""Finds words in a text as it reads, where it is written otherwise. Pure.

`Project\nChimera` in the JSON of a tool's answer, a phrase that is broken over two lines, an umlaut
made of two characters: whoever reads them, a model among them, sees the words.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from headgate.checks.detection import Engine, Finding
from headgate.checks.detection.finding import joined, without_overlaps
from headgate.checks.parts.json_strings import escapes_in, unescaped

_FOLDED: Final = re.compile(
    r"\s{2,}|[^\S ]|[^\W\d_][\u0300-\u036f\u3099\u309a]+"
    r"|[\u1100-\u1112][\u1161-\u1175][\u11a8-\u11c2]?"
)
"""White space that is more than one space, and letters made of several characters."""


class AsRead:
    """An engine that also finds what stands in a text when it is read; see `Engine`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, text: str) -> list[Finding]:
        """See `Engine`."""
        found = self._engine.find(text)
        plain = _FOLDED.sub(lambda piece: _plain(piece[0]), unescaped(text))
        more = () if plain == text else self._engine.find(plain)
        if not more:
            return found
        # Only now, because it takes more time than to look.
        read = _folded(_unescaped(_Written(text)))
        placed = (Finding(one.kind, *read.origin(one.start, one.end), one.score) for one in more)
        return without_overlaps(joined([*found, *placed]))


class _Written:
    """A text made of another one by writing pieces of it anew, and where those stood."""

    __slots__ = ("_of", "_pieces", "_starts", "text")

    def __init__(
        self,
        text: str,
        of: _Written | None = None,
        starts: Sequence[int] = (),
        pieces: Sequence[tuple[int, int, int]] = (),
    ) -> None:
        self.text = text
        self._of = of
        self._starts = starts
        """Where each piece begins in `text`."""
        self._pieces = pieces
        """Where it ends in `text`, and where it began and ended in what that was made of."""

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Where in the original `text[start:end]` stands; of a piece, all of what it was."""
        if self._of is None:
            return start, end
        return self._of.origin(self._before(start)[0], self._before(end - 1)[1])

    def with_replaced(self, pieces: Sequence[tuple[int, int, str]]) -> _Written:
        """The text with each piece, from its start to its end, written anew."""
        if not pieces:
            return self
        told: list[str] = []
        starts: list[int] = []
        places: list[tuple[int, int, int]] = []
        at = size = 0
        for start, end, said in pieces:
            told += (self.text[at:start], said)
            size += start - at
            starts.append(size)
            size += len(said)
            places.append((size, start, end))
            at = end
        told.append(self.text[at:])
        return _Written("".join(told), self, starts, places)

    def _before(self, at: int) -> tuple[int, int]:
        """Where the character at `at` began and ended in what this was made of."""
        index = bisect_right(self._starts, at) - 1
        if index < 0:
            return at, at + 1
        ends, began, ended = self._pieces[index]
        return (began, ended) if at < ends else (at - ends + ended, at - ends + ended + 1)


def _unescaped(written: _Written) -> _Written:
    return written.with_replaced(list(escapes_in(written.text)))


def _folded(written: _Written) -> _Written:
    pieces = (
        (found.start(), found.end(), _plain(found[0])) for found in _FOLDED.finditer(written.text)
    )
    return written.with_replaced([one for one in pieces if one[2] != written.text[one[0] : one[1]]])


def _plain(piece: str) -> str:
    return " " if piece.isspace() else unicodedata.normalize("NFC", piece)
