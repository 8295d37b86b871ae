"""Holds a flowing text back, so that nothing that is looked for is shown before it is whole. Pure.

What was shown before stays in sight: the words in front of a value may be all that tells it.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from headgate.checks.detection import Finding

_CHARACTERS = 256
"""How much is held back, and how much of what was shown is read again."""

Find = Callable[[str], list[Finding]]


class Window:
    """One text that flows."""

    __slots__ = ("_before", "_find", "_held", "_look_at")

    def __init__(self, find: Find) -> None:
        self._find = find
        self._before = ""
        """The last of what was let go, as it was."""
        self._held = ""
        self._look_at = 2 * _CHARACTERS

    def feed(self, text: str) -> tuple[str, list[Finding]]:
        """Take in more; return what may go on now, and what was found in it."""
        self._held += text
        if len(self._held) < self._look_at:
            return "", []
        end, findings = len(self._held) - _CHARACTERS, self.found_in(self._held)
        for one in findings:
            if one.start < end < one.end:
                end = one.start
        # What is still growing is not read anew at each of its pieces.
        self._look_at = len(self._held) - end + _CHARACTERS
        return self._let_go(end), [one for one in findings if one.end <= end]

    def close(self) -> tuple[str, list[Finding]]:
        """The text has ended: its rest, and what was found in that."""
        findings = self.found_in(self._held)
        return self._let_go(len(self._held)), findings

    def found_in(self, text: str) -> list[Finding]:
        """What stands in `text`, if that is what follows; in its own characters."""
        offset = len(self._before)
        return [
            msgspec.structs.replace(one, start=max(0, one.start - offset), end=one.end - offset)
            for one in self._find(self._before + text)
            if one.end > offset
        ]

    def _let_go(self, end: int) -> str:
        told, self._held = self._held[:end], self._held[end:]
        self._before = (self._before + told)[-_CHARACTERS:]
        return told
