"""Makes hostile text harmless to look at: what would be invisible or reorder a line is spelled out.

What a model or a customer wrote may hold terminal codes, characters that turn the direction of
what follows, or a line of a megabyte. HTML's own characters are escaped by the templates; this
sees to the rest. Every text that a page shows goes through `visible`.
"""

from __future__ import annotations

import json
import re

LONGEST_CHARACTERS = 20_000
"""Of one text on a page; all of it can be fetched as plain text."""

_HARMFUL = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but tab and newline
    "\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f"  # tags, in which whole sentences can hide
    "\ud800-\udfff"  # halves of pairs, which no UTF-8 holds
    "]"
)


def visible(text: str) -> str:
    """`text` with control, direction and zero-width characters as `⟦U+202E⟧`."""
    # A carriage return before a newline is only how some systems end lines.
    return _HARMFUL.sub(lambda found: f"⟦U+{ord(found[0]):04X}⟧", text.replace("\r\n", "\n"))


def escaped(json_text: str) -> str:
    """The same JSON, with the characters that `visible` spells out as JSON's own escapes."""
    return _HARMFUL.sub(lambda found: json.dumps(found[0])[1:-1], json_text)


def shortened(text: str, characters: int = LONGEST_CHARACTERS) -> tuple[str, int]:
    """The beginning of `text` and how many characters are left out."""
    return text[:characters], max(0, len(text) - characters)
