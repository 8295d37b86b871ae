"""How else a reader who is asked to puzzle it out could read a text.

Digits for letters, letters spaced out, markup inside of words, text from its end, rot13, quoted
pieces to be joined. These readings are only made where the text has something to be read so.
"""

from __future__ import annotations

import codecs
import re
from itertools import islice
from typing import Final

from headgate.checks.injection.reading import Reading

MAX_DISGUISES: Final = 7
_LEET: Final = str.maketrans("01345789@$!|+", "oieastbgasiit")
_LEET_L: Final = str.maketrans("01345789@$!|+", "oleastbgasllt")
_LEET_WORD = re.compile(r"(?<![\w@$!|+])(?=[\w@$!|+]*[a-zA-Z])(?=[\w@$!|+]{0,40}[013457@$!|])"
                        r"[\w@$!|+]{3,40}(?![\w@$|+])")  # fmt: skip
_SPACED = re.compile(r"(?<!\w)\w(?:[ \t\n.,\-_*|/~+]{1,3}\w){6,}(?!\w)")
_PIECE = re.compile(r"[\"'`]([^\"'`\n]{1,80})[\"'`]")
_MARKUP = r"(?:\*{1,3}|_{2,3}|~~|`|<!--(?:[^-]|-(?!->)){0,60}-->|</?[A-Za-z][^<>]{0,60}>)"
_MARKS = re.compile(_MARKUP)
_MARKS_IN_WORDS = re.compile(f"(?<=[A-Za-z]){_MARKUP}{{1,4}}(?=[A-Za-z])")
_LETTERS = re.compile(r"[A-Za-z]{3,}")


def disguised(reading: Reading) -> list[Reading]:
    """Further readings of `reading`, plainest first; at most `MAX_DISGUISES`."""
    text = reading.text
    found: list[Reading] = []
    words = list(_LEET_WORD.finditer(text))
    if len(words) >= 2:
        places = range(len(text))
        found.append(reading.derived(_replaced(text, words, _LEET), places, "leet"))
        if any(mark in word[0] for word in words for mark in "1!|"):
            found.append(reading.derived(_replaced(text, words, _LEET_L), places, "leet"))
    if (spaced := _unspaced(reading)) is not None:
        found.append(spaced)
    if (bare := _without_markup(reading)) is not None:
        found.append(bare)
    if (joined := _joined(reading)) is not None:
        found.append(joined)
    if _LETTERS.search(text):
        found.append(reading.derived(codecs.encode(text, "rot13"), range(len(text)), "rot13"))
        found.append(reading.derived(text[::-1], range(len(text) - 1, -1, -1), "reversed"))
    return found


def _replaced(text: str, words: list[re.Match[str]], table: dict[int, int]) -> str:
    """`text` with the words translated; its length stays."""
    parts: list[str] = []
    after = 0
    for word in words:
        parts += (text[after : word.start()], word[0].translate(table))
        after = word.end()
    return "".join((*parts, text[after:]))


def _unspaced(reading: Reading) -> Reading | None:
    """The spaced-out letters alone, without what stands between them."""
    places = [
        run.start() + at
        for run in _SPACED.finditer(reading.text)
        for at, letter in enumerate(run[0])
        if letter.isalnum()
    ]
    if not places:
        return None
    text = "".join(reading.text[place] for place in places)
    return reading.derived(text, places, "spaced")


def _without_markup(reading: Reading) -> Reading | None:
    """The text without markup, where some is set inside of words: `ig**no**re`, `ig<b>no</b>re`."""
    if len(list(islice(_MARKS_IN_WORDS.finditer(reading.text), 2))) < 2:
        return None
    marks = list(_MARKS.finditer(reading.text))
    starts = [0, *(mark.end() for mark in marks)]
    ends = [*(mark.start() for mark in marks), len(reading.text)]
    places = [place for start, end in zip(starts, ends, strict=True) for place in range(start, end)]
    text = "".join(reading.text[start:end] for start, end in zip(starts, ends, strict=True))
    return reading.derived(text, places, "markup")


def _joined(reading: Reading) -> Reading | None:
    """Quoted pieces as one text, as `"ign" + "ore"`."""
    pieces = list(_PIECE.finditer(reading.text))
    if len(pieces) < 2:
        return None
    places = [place for piece in pieces for place in range(*piece.span(1))]
    text = "".join(reading.text[place] for place in places)
    return reading.derived(text, places, "pieces")
