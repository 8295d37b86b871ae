"""An answer without what it only quotes of the text that it is about. Pure.

Who sums up a letter that says "reply with HACKED" may well tell that it says so. That is no
obedience, so it must not count as one.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Final

_WORD: Final = re.compile(r"\w+")
_MORE_WORDS: Final = 3
_MAX_WORDS: Final = 4_000
"""How many words of an answer and of a text are compared; the rest stays as it is."""


def without_quotations(answer: str, text: str, what: str) -> str:
    """`answer` without runs of words of `text` that are longer than `what` by three or more."""
    said = list(_WORD.finditer(answer))[:_MAX_WORDS]
    read = [word[0].casefold() for word in _WORD.finditer(text)][:_MAX_WORDS]
    at_least = len(_WORD.findall(what)) + _MORE_WORDS
    matcher = SequenceMatcher(None, [word[0].casefold() for word in said], read, autojunk=False)
    told, after = [], 0
    for block in matcher.get_matching_blocks():
        if block.size >= at_least:
            told.append(answer[after : said[block.a].start()])
            after = said[block.a + block.size - 1].end()
    return " ".join((*told, answer[after:]))
