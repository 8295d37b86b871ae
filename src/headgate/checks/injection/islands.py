"""Which pieces of a text are another text, encoded."""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import unquote

import re2

from headgate.checks.injection.reading import Disguise, Reading, Span

_ISLANDS: Final[tuple[tuple[Disguise, str], ...]] = (
    ("base64", r"(?:[A-Za-z0-9+/_-]{16,}\s?)+={0,2}"),
    ("base32", r"[A-Z2-7]{24,}={0,6}"),
    ("hex", r"(?:(?:\\x|0x)?[0-9a-fA-F]{2}[\s:,]?){8,}"),
    ("percent", r"(?:[^\s%<>\"]{0,40}%[0-9A-Fa-f]{2}){3,}[^\s<>\"]*"),
    ("entities", r"(?:[^\s&]{0,8}&#[xX]?[0-9a-fA-F]{2,6};\s?){3,}"),
    ("escapes", r"(?:\\u\{?[0-9a-fA-F]{4}\}?\s?){3,}"),
    ("binary", r"(?:[01]{8}\s?){4,}"),
    ("codes", r"(?:\b1?[0-9]{2}\b[\s,]{1,2}){7,}[0-9]{2,3}\b"),
)
CODES: Final = tuple(disguise for disguise, _ in _ISLANDS)
"""The codes that are known."""

_PATTERNS: Final = tuple((disguise, re2.compile(pattern)) for disguise, pattern in _ISLANDS)


def _worth_a_look() -> re2.Set:
    options = re2.Options()
    options.log_errors = False
    prefilter = re2.Set.SearchSet(options)
    for _, pattern in _ISLANDS:
        prefilter.Add(pattern)
    prefilter.Compile()
    return prefilter


_PREFILTER: Final = _worth_a_look()


def decoded(readings: Iterable[Reading]) -> list[Reading]:
    """What the encoded pieces of `readings` say: for each kind of code one reading of all pieces.

    No more than was encoded: none of these codes makes a text longer.
    """
    found: dict[Disguise, _Joined] = {}
    for reading in readings:
        for which in sorted(_PREFILTER.Match(reading.text) or ()):
            disguise, pattern = _PATTERNS[which]
            decode = _DECODERS[disguise]
            for code in pattern.finditer(reading.text):
                written = code.group()
                try:
                    said = decode(written)
                except (ValueError, binascii.Error):
                    continue
                if said != written and _reads_like_text(said):
                    span = reading.original(code.start(), code.end())
                    found.setdefault(disguise, _Joined()).add(said, span)
    return [joined.reading(disguise) for disguise, joined in found.items()]


class _Joined:
    """Pieces on their way to be one reading; in one, so that many harmless ones hide none."""

    def __init__(self) -> None:
        self._said: list[str] = []
        self._origins: list[int] = []
        self._ends: list[int] = []

    def add(self, said: str, span: Span) -> None:
        self._said.append(said)
        self._origins += [span[0]] * (len(said) + 2)
        self._ends += [span[1]] * (len(said) + 2)

    def reading(self, disguise: Disguise) -> Reading:
        text = "\n\n".join(self._said)
        size = len(text)
        return Reading(text, self._origins[:size], disguise, self._ends[:size])


def _base64(written: str) -> str:
    packed = re.sub(r"[\s=]", "", written).translate(str.maketrans("-_", "+/"))
    if len(packed) % 4 == 1:
        packed = packed[:-1]
    return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True).decode("utf-8")


def _base32(written: str) -> str:
    packed = written.rstrip("=")
    packed = packed[: len(packed) - (1 if len(packed) % 8 in (1, 3, 6) else 0)]
    return base64.b32decode(packed + "=" * (-len(packed) % 8)).decode("utf-8")


def _hex(written: str) -> str:
    return bytes.fromhex(re.sub(r"\\x|0x|[\s:,]", "", written)).decode("utf-8")


def _percent(written: str) -> str:
    return unquote(written.replace("+", " "), errors="strict")


def _escapes(written: str) -> str:
    codes = re.findall(r"[0-9a-fA-F]{4}", written)
    return (
        "".join(chr(int(code, 16)) for code in codes)
        .encode("utf-16", "surrogatepass")
        .decode("utf-16")
    )


def _binary(written: str) -> str:
    bits = re.sub(r"\s", "", written)
    return bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits) - 7, 8)).decode("utf-8")


def _codes(written: str) -> str:
    return bytes(int(code) for code in re.findall(r"\d+", written)).decode("ascii")


_DECODERS: Final[dict[Disguise, Callable[[str], str]]] = {
    "base64": _base64,
    "base32": _base32,
    "hex": _hex,
    "percent": _percent,
    "entities": html.unescape,
    "escapes": _escapes,
    "binary": _binary,
    "codes": _codes,
}


def _reads_like_text(said: str) -> bool:
    """Whether it is letters and spaces for the most part, not the bytes of a picture."""
    if len(said) < 4:
        return False
    letters = sum(letter.isalnum() or letter in " \n.,:;!?'\"-_/=<>|#%+&" for letter in said)
    return said.isprintable() | ("\n" in said) and letters >= 0.85 * len(said)
