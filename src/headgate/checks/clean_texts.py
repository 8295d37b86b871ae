"""Which texts were looked at before and nothing was found in them? Digests only, never the texts.

A system prompt, the descriptions of tools and the earlier turns of a conversation come again with
each call. What finds things is a function of the text alone, so nothing stands there this time
either.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

from headgate.checks.detection.engine import Engine
from headgate.checks.detection.finding import Finding

MAX_REMEMBERED: Final = 20_000
"""How many texts are remembered, some 100 bytes each. When half as many are new, the older half is
forgotten."""

_DIGEST_BYTES: Final = 16


class CleanTexts:
    """Remembers texts; may be used by several threads."""

    __slots__ = ("_earlier", "_of_late")

    def __init__(self) -> None:
        self._of_late: set[bytes] = set()
        self._earlier: set[bytes] = set()

    def __contains__(self, digest: bytes) -> bool:
        if digest in self._of_late:
            return True
        if digest not in self._earlier:
            return False
        self.add(digest)
        return True

    def add(self, digest: bytes) -> None:
        """Remember the text with this digest."""
        if len(self._of_late) >= MAX_REMEMBERED // 2:
            self._earlier, self._of_late = self._of_late, set()
        self._of_late.add(digest)


def digest_of(text: str) -> bytes:
    """What a text is remembered by."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).digest()


class Remembering:
    """An engine that does not read again what it found nothing in."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._clean = CleanTexts()

    def find(self, text: str) -> list[Finding]:
        """See `Engine`."""
        digest = digest_of(text)
        if digest in self._clean:
            return []
        found = self._engine.find(text)
        if not found:
            self._clean.add(digest)
        return found
