"""One way to read a text, and where each of its letters stands in the original."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

Disguise = Literal[
    "none", "tags", "variation_bytes", "base64", "base32", "hex", "percent", "entities", "escapes",
    "binary", "codes", "rot13", "leet", "spaced", "markup", "reversed", "pieces",
]  # fmt: skip
"""How the text was written, where not plainly.

`tags`: in invisible tag characters. `variation_bytes`: as bytes in variation selectors. `base64`,
`base32`, `hex`, `percent` (as in URLs), `entities` (HTML), `escapes` (`\\u0069`), `binary`, `codes`
(numbers of characters): encoded so. `rot13`: each letter moved by 13. `leet`: digits for letters.
`spaced`: something between all letters. `markup`: tags and the like inside of words. `reversed`:
from its end. `pieces`: quoted bits to be put together.
"""

Span = tuple[int, int]
"""Where something stands: the first character, and the one after the last."""


class Reading(msgspec.Struct, frozen=True):
    """A text as it may be read."""

    text: str
    origins: Sequence[int]
    """For each character of `text`, the place in the original that it comes from."""
    disguise: Disguise = "none"
    ends: Sequence[int] | None = None
    """For each character, where what it comes from ends; None where that is the next place. What
    is encoded comes from all of its code at once."""

    def original(self, start: int, end: int) -> Span:
        """Where in the original `text[start:end]` stands."""
        if start >= end:
            return (0, 0)
        last = end - 1
        ends = (
            (self.origins[start] + 1, self.origins[last] + 1)
            if self.ends is None
            else (self.ends[start], self.ends[last])
        )
        return (min(self.origins[start], self.origins[last]), max(ends))

    def derived(self, text: str, places: Sequence[int], disguise: Disguise) -> Reading:
        """A reading of this reading; `places` are in `self.text`."""
        return Reading(
            text,
            _at(self.origins, places),
            self.disguise if disguise == "none" else disguise,
            None if self.ends is None else _at(self.ends, places),
        )


def _at(values: Sequence[int], places: Sequence[int]) -> Sequence[int]:
    if values == range(len(values)):
        return places
    if places == range(len(values)):
        return values
    return [values[place] for place in places]
