"""A text as it reads with its disguises taken off, and where each character stood before.

Full-width and other digits, no-break spaces and the many dashes become their plain ASCII
counterparts, one for one; characters that nobody sees are taken out, and those that are escaped as
JSON, addresses (`%40`) and HTML (`&#64;`) do are put in the place of their escapes. Rules see only
this form; findings are told in characters of the text as it came.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from functools import lru_cache
from html import unescape
from typing import Final
from urllib.parse import unquote

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


_ESCAPE: Final = r"\\\\{0,7}(?:u[0-9A-Fa-f]{4}|\")"
"""A character or a quotation mark as JSON writes it, also in JSON that stands in JSON. Bounded, so
that a row of backslashes is not read again and again."""
_ESCAPE_IN_JSON: Final = r"\\\\{0,7}(?:u[0-9A-Fa-f]{4}|[\"nrt])"
"""The same with the ends of lines, which elsewhere may be a part of a path."""
_SPELLED: Final = re.compile(_ESCAPE)
_ESCAPED: Final = {'"': '"', "n": "\n", "r": "\r", "t": "\t"}


def spelled_out(text: str) -> str:
    """`text` with the characters that are escaped in it as JSON does."""
    if "\\" not in text:
        return text
    told = _SPELLED.sub(lambda found: _character(found[0]), text)
    # What is beyond the first plane is escaped as two halves.
    return told.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _character(escape: str) -> str:
    return _ESCAPED.get(escape[-1]) or chr(int(escape[-4:], 16))


def _has_json(text: str) -> bool:
    return '":' in text or '["' in text or text.startswith('"')


_ENCODED: Final = (
    # ASCII that can be seen and the ends of lines, then UTF-8 of two and of three bytes.
    "%(?:[2-7][0-9A-Fa-f]|0[9AaDd]|[CcDd][0-9A-Fa-f]%[89ABab][0-9A-Fa-f]"
    "|[Ee][0-9A-Fa-f](?:%[89ABab][0-9A-Fa-f]){2})"
    "|&(?:#[0-9]{1,6}|#[xX][0-9A-Fa-f]{1,5}|[A-Za-z]{2,8});"
)
"""A character as it is written in an address, or in HTML."""
_WRITTEN: Final = re.compile(rf"({_ESCAPE}|{_ENCODED})")
_WRITTEN_IN_JSON: Final = re.compile(rf"({_ESCAPE_IN_JSON}|{_ENCODED})")
_MAY_BE_WRITTEN: Final = re.compile(r"[\\%&]")


@lru_cache(maxsize=1_024)
def _meant(written: str) -> str:
    """The one character that `written` stands for; "" where it is none."""
    if written[0] == "\\":
        return _character(written)
    meant = unquote(written, errors="replace") if written[0] == "%" else unescape(written)
    return meant if len(meant) == 1 and meant != "\ufffd" else ""


class _Escapes:
    """The escaped characters of a text, and where they stand in it without the escapes."""

    __slots__ = ("_extra", "_starts", "text")

    def __init__(self, text: str) -> None:
        self._starts: list[int] = []
        self._extra = [0]
        """By how many characters the first so many escapes are longer than what they stand for."""
        told = (_WRITTEN_IN_JSON if _has_json(text) else _WRITTEN).split(text)
        at = extra = 0
        for index in range(1, len(told), 2):
            written = told[index]
            meant = _meant(written)
            at += len(told[index - 1])
            if not meant:
                at += len(written)
                continue
            self._starts.append(at)
            at += 1
            extra += len(written) - 1
            self._extra.append(extra)
            told[index] = meant
        self.text = "".join(told)

    def before(self, at: int) -> int:
        """Where what stands before the place `at` has ended in the text with escapes."""
        return at + self._extra[bisect_left(self._starts, at)]


class PlainText:
    """A text without disguises, as the UTF-8 that RE2 reads."""

    __slots__ = ("_escapes", "_removed", "data")

    def __init__(self, text: str) -> None:
        self._escapes: _Escapes | None = None
        if _MAY_BE_WRITTEN.search(text):
            # Many programs write JSON in ASCII alone: `J\\u00f6rg`.
            self._escapes = _Escapes(text)
            text = self._escapes.text
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
        spans = self._spans(places)
        if self._escapes is None:
            return spans
        before = self._escapes.before
        return [(before(start), before(end)) for start, end in spans]

    def _spans(self, places: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """The same in the text without escapes."""
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


def read(text: str) -> str:
    """`text` as rules see it, whatever it is escaped or disguised as."""
    return PlainText(text).data.decode()
