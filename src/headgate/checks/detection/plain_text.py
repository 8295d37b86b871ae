"""A text as it reads with its disguises taken off, and where each character stood before.

Full-width and other digits, no-break spaces and the many dashes become their plain ASCII
counterparts, one for one; characters that nobody sees are taken out. Rules see only this form;
findings are told in characters of the text as it came.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Final

_DASHES: Final = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
_SPACES: Final = (
    "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f"
    "\u205f\u3000"
)
_QUOTES: Final = {
    "\u2018": "'",
    "\u2019": "'",
    "\u02bc": "'",
    "\u201c": '"',
    "\u201d": '"',
    "\u201e": '"',
}
_ENDS: Final = {"\u3002": ".", "\u3001": ",", "\uff61": "."}
_UNSEEN: Final = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064"
    "\u2066-\u206f\ufe00-\ufe0f\ufeff\uffa0"
)
_UNSEEN_FAR: Final = "\U000e0000-\U000e01ef"
"""Unseen characters of the higher planes: tags, and selectors of variants."""


def _counterparts() -> dict[int, str]:
    """Each character that stands for one ASCII character, and that."""
    table = {ord(dash): "-" for dash in _DASHES}
    table |= {ord(space): " " for space in _SPACES}
    table |= {ord(sign): plain for sign, plain in (_QUOTES | _ENDS).items()}
    # Full-width forms, and the letters and digits of mathematics.
    for code in (*range(0xFF01, 0xFF5F), *range(0x1D400, 0x1D800), *range(0x2460, 0x24FF)):
        plain = unicodedata.normalize("NFKC", chr(code))
        if len(plain) == 1 and plain.isascii():
            table[code] = plain
    for code in range(0x0660, 0xFF1A):
        digit = unicodedata.decimal(chr(code), None)
        if digit is not None:
            table[code] = str(digit)
    return table


_COUNTERPARTS: Final = _counterparts()


def _class(codes: Iterable[int]) -> str:
    """`codes` as ranges between brackets."""
    ranges: list[list[int]] = []
    for code in sorted(codes):
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"{re.escape(chr(first))}-{re.escape(chr(last))}" for first, last in ranges)


# A class without characters of the higher planes is a bitmap to Python; with one it becomes a list
# that is gone through for each character, at many times the price.
_DISGUISED: Final = re.compile(f"[{_class(code for code in _COUNTERPARTS if code <= 0xFFFF)}]")
_DISGUISED_FAR: Final = re.compile(f"[{_class(code for code in _COUNTERPARTS if code > 0xFFFF)}]")
_HIDDEN: Final = re.compile(f"[{_UNSEEN}]")
_HIDDEN_FAR: Final = re.compile(f"[{_UNSEEN}{_UNSEEN_FAR}]")


def _counterpart(found: re.Match[str]) -> str:
    return _COUNTERPARTS[ord(found[0])]


def _revealed(text: str) -> tuple[str, re.Pattern[str]]:
    """`text` with plain counterparts, and what finds the unseen characters in it."""
    plain = _DISGUISED.sub(_counterpart, text)
    if max(plain) <= "\uffff":
        return plain, _HIDDEN
    return _DISGUISED_FAR.sub(_counterpart, plain), _HIDDEN_FAR


def undisguised(text: str) -> str:
    """`text` as rules see it."""
    if text.isascii():
        return text
    plain, hidden = _revealed(text)
    return hidden.sub("", plain)


class PlainText:
    """A text without disguises, as the UTF-8 that RE2 reads."""

    __slots__ = ("_removed", "data")

    def __init__(self, text: str) -> None:
        self._removed: list[int] | None = None
        """For each character taken out, what stood before it in plain text; `None` for ASCII."""
        if text.isascii():
            self.data = text.encode()
            return
        plain, hidden = _revealed(text)
        self._removed = [
            found.start() - count for count, found in enumerate(hidden.finditer(plain))
        ]
        if self._removed:
            plain = hidden.sub("", plain)
        # Half a surrogate pair is no UTF-8; the question mark keeps its place.
        self.data = plain.encode("utf-8", "replace")

    def spans(self, places: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """Where `places`, in bytes of `data`, stand in the text: start and end in characters."""
        if self._removed is None:
            return list(places)
        at = self._characters(edge for place in places for edge in place)
        removed = self._removed
        return [
            (
                at[start] + bisect_right(removed, at[start]),
                # An unseen character right behind the last one is not part of it.
                at[end] + bisect_right(removed, at[end] - 1),
            )
            for start, end in places
        ]

    def _characters(self, offsets: Iterable[int]) -> dict[int, int]:
        counted: dict[int, int] = {}
        characters = last = 0
        for offset in sorted(set(offsets)):
            characters += len(self.data[last:offset].decode())
            last = offset
            counted[offset] = characters
        return counted
