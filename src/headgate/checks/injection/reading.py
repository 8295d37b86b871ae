"""One way to read a text, and where each of its letters stands in the original."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

Disguise = Literal[
    "none", "tags", "variation_bytes", "base64", "base32", "hex", "percent", "entities", "escapes",
    "binary", "codes", "rot13", "leet", "spaced", "reversed", "pieces",
]  # fmt: skip
"""How the text was written, where not plainly.

`tags`: in invisible tag characters. `variation_bytes`: as bytes in variation selectors. `base64`,
`base32`, `hex`, `percent` (as in URLs), `entities` (HTML), `escapes` (`\\u0069`), `binary`, `codes`
(numbers of characters): encoded so. `rot13`: each letter moved by 13. `leet`: digits for letters.
`spaced`: something between all letters. `reversed`: from its end. `pieces`: quoted bits to be put
together.
"""

Span = tuple[int, int]
"""Where something stands: the first character, and the one after the last."""


class Reading(msgspec.Struct, frozen=True):
    """A text as it may be read."""

    text: str
    origins: Sequence[int]
    """For each character of `text`, the place in the original that it comes from."""
    disguise: Disguise = "none"
    whole: Span | None = None
    """Where the original is encoded, so that letters have no place of their own: all of it."""

    def original(self, start: int, end: int) -> Span:
        """Where in the original `text[start:end]` stands."""
        if self.whole is not None:
            return self.whole
        if start >= end:
            return (0, 0)
        places = (self.origins[start], self.origins[end - 1])
        return (min(places), max(places) + 1)

    def derived(self, text: str, places: Sequence[int], disguise: Disguise) -> Reading:
        """A reading of this reading; `places` are in `self.text`."""
        if self.whole is not None:
            return Reading(text, range(len(text)), self._named(disguise), self.whole)
        origins = self.origins
        if origins == range(len(self.text)):
            return Reading(text, places, self._named(disguise))
        if places == range(len(self.text)):
            return Reading(text, origins, self._named(disguise))
        return Reading(text, [origins[place] for place in places], self._named(disguise))

    def decoded(self, text: str, start: int, end: int, disguise: Disguise) -> Reading:
        """What the encoded `self.text[start:end]` says."""
        span = self.original(start, end)
        return Reading(text, range(len(text)), self._named(disguise), span)

    def _named(self, disguise: Disguise) -> Disguise:
        return self.disguise if disguise == "none" else disguise
