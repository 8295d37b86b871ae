"""Characters that a reader does not see, and those that stand in for a Latin letter.

The tables are short on purpose: what attackers use against English and its neighbours, not all of
Unicode's confusables. Whole words in another script stay what they are; see `normalise`.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

ZERO_WIDTH: Final = frozenset("\u200b\u200c\u200d\u2060\ufeff\u180e\u2061\u2062\u2063\u2064\u034f")
"""Characters without width. Persian, Hindi and emoji need the joiners among them."""

DIRECTION: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")
"""Marks of direction; overrides among them make text read otherwise than it looks."""

OVERRIDES: Final = frozenset("\u202d\u202e")
"""Marks that turn the direction of letters that have one of their own: no language needs them."""

_UNSEEN: Final = ZERO_WIDTH | DIRECTION | {"\u00ad"}

TAGS: Final = re.compile("[\U000e0020-\U000e007e]{2,}\U000e007f?")
"""A run of tag characters: an invisible copy of ASCII."""

FLAG: Final = re.compile("\U0001f3f4[\U000e0020-\U000e007e]{2,6}\U000e007f")
"""A flag such as Scotland's: the one use of tags that is left."""

VARIATIONS: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{3,}")
"""A run of variation selectors; one alone chooses a glyph, several can only carry bytes."""

_TWINS_TEXT: Final = (
    # Cyrillic
    "аa вb сc еe һh іi јj кk мm нh оo рp ԛq гr ѕs тt уy ѵv ѡw хx ԁd ɡg ӏl ԍg ьb бb"
    " АA ВB СC ЕE НH ІI ЈJ КK МM ОO РP ЅS ТT УY ХX ԜW ҮY"
    # Greek
    " αa βb εe ηn ιi κk νv οo ρp τt υu χx γy ωw σo"
    " ΑA ΒB ΕE ΖZ ΗH ΙI ΚK ΜM ΝN ΟO ΡP ΤT ΥY ΧX"
    # Armenian, Cherokee and letter-like
    " օo ո n ս u հh գq ցg ℓl ɑa ɩi ʟl ɪi"
)
TWINS: Final = {
    pair[0]: pair[1] for pair in _TWINS_TEXT.replace(" n ", "n ").split() if len(pair) == 2
}
"""Letters of other scripts that look like a Latin one."""

_SMALL_CAPITALS: Final = dict(
    zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnoprstuvwyz", strict=True)
)
_OTHERS: Final = {
    "ß": "ss", "ẞ": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O",
    "ł": "l", "Ł": "L", "ı": "i", "đ": "d", "Đ": "D", "ð": "d", "þ": "th",
    "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201b": "'", "\u2032": "'", "`": "`",
    "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u201f": '"', "\u00ab": '"', "\u00bb": '"',
    "\u300c": '"', "\u300d": '"', "\u2039": "'", "\u203a": "'",
    "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-", "\u2212": "-",
    "\u2028": "\n", "\u2029": "\n",
}  # fmt: skip


_NEGATIVES: Final = (0x1F150, 0x1F170)
"""White letters in black circles and squares, which Unicode declares compatible to nothing."""

BETWEEN_LETTERS: Final = re.compile(f"(?<=[A-Za-z])[{''.join(sorted(ZERO_WIDTH))}]+(?=[A-Za-z])")
"""Invisible characters inside a word of a script that has no use for them."""


def without_invisible(text: str) -> str:
    """`text` without the characters that carry what people don't see; flags and joiners stay."""
    parts: list[str] = []
    after = 0
    for flag in FLAG.finditer(text):
        parts += (TAGS.sub("", text[after : flag.start()]), flag[0])
        after = flag.end()
    text = "".join((*parts, TAGS.sub("", text[after:])))
    return BETWEEN_LETTERS.sub("", VARIATIONS.sub("", text))


@lru_cache(maxsize=8192)
def plain(character: str) -> str:
    """`character` as a detector reads it: compatible form, no accent, nothing where unseen."""
    if character in _UNSEEN or "\U000e0000" <= character <= "\U000e01ef":
        return ""
    if "\ufe00" <= character <= "\ufe0f":
        return ""
    if (known := _SMALL_CAPITALS.get(character) or _OTHERS.get(character)) is not None:
        return known
    category = unicodedata.category(character)
    if category in ("Mn", "Cs") or (category == "Cc" and character not in "\t\n\r"):
        return ""
    if "\U0001f1e6" <= character <= "\U0001f1ff":
        # Letters that pairwise make flags, and alone a text in boxes.
        return chr(ord("a") + ord(character) - 0x1F1E6)
    for first in _NEGATIVES:
        if first <= ord(character) < first + 26:
            return chr(ord("a") + ord(character) - first)
    # One sign of Unicode stands for eighteen letters; no more than a few are needed here.
    compatible = unicodedata.normalize("NFKC", character)[:4]
    base = unicodedata.normalize("NFD", compatible)
    kept = "".join(part for part in base if unicodedata.category(part) != "Mn")
    return kept if kept.isascii() and kept else compatible


def is_styled(character: str) -> bool:
    """Whether it is a letter made for show, such as a mathematical bold or a circled one."""
    return (
        "\U0001d400" <= character <= "\U0001d7ff"
        or "\u24b6" <= character <= "\u24e9"
        or "\U0001f130" <= character <= "\U0001f189"
        or "\uff21" <= character <= "\uff5a"
        or character in _SMALL_CAPITALS
    )
