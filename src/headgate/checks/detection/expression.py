"""How is a regular expression of RE2's run? The only place that knows the package google-re2.

Its Python wrapper makes a generator and an object for each search: 5 µs, of which RE2 needs 1. So
its inner matcher is called directly; where a release has none, the wrapper is used as it is meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import re2

EXPRESSION_BYTES: Final = 8 * 1024 * 1024
"""What RE2 may use for one expression and its states, usually some KB. Texts made to need more get
their states made anew, which is slower and bounded."""

FAMILY_BYTES: Final = 32 * 1024 * 1024
"""The same for a family of gates, which every text passes."""

Span = tuple[int, int]
"""Where something begins and has ended, in bytes; (-1, -1) for a group that took no part."""


class Expression:
    """A compiled expression, run on UTF-8 bytes."""

    def __init__(self, pattern: str) -> None:
        self._compiled: Any = re2.compile(pattern, _options(EXPRESSION_BYTES))
        self.groups: int = self._compiled.groups
        self._match: Any = None
        inner, anchors = getattr(self._compiled, "_regexp", None), getattr(re2, "_Anchor", None)
        if inner is not None and anchors is not None:
            self._match = inner.Match
            self._anywhere, self._whole = anchors.UNANCHORED, anchors.ANCHOR_BOTH

    def first(self, data: bytes, start: int, end: int) -> list[Span] | None:
        """The first match between `start` and `end`, and its groups; `None` where there is none.

        What stands outside still counts for borders of words.
        """
        if self._match is None:
            found = self._compiled.search(data, start, end)
            return None if found is None else [found.span(at) for at in range(self.groups + 1)]
        spans: list[Span] = self._match(self._anywhere, data, start, end)
        return None if spans[0][0] < 0 else spans

    def is_whole(self, data: bytes) -> bool:
        """Whether all of `data` matches."""
        if self._match is None:
            return self._compiled.fullmatch(data) is not None
        return bool(self._match(self._whole, data, 0, len(data))[0][0] >= 0)


class Gates:
    """Many expressions that read a text together, and say which of them match.

    Each is given with its family, and a family reads by itself. One automaton for all would need a
    state for every pair of states of two families: on texts of all sorts it outgrows any memory,
    and is made anew again and again.
    """

    def __init__(self, patterns: Iterable[tuple[str, str]]) -> None:
        families: dict[str, list[tuple[int, str]]] = {}
        for number, (family, pattern) in enumerate(patterns):
            families.setdefault(family, []).append((number, pattern))
        self._families = [
            (_Family([pattern for _, pattern in each]), [number for number, _ in each])
            for each in families.values()
        ]

    def open_for(self, data: bytes) -> list[int]:
        """The numbers of the expressions that match somewhere in `data`, in their order."""
        return sorted(
            numbers[at] for family, numbers in self._families for at in family.open_for(data)
        )


class _Family:
    """Expressions that RE2 runs as one.

    RE2 answers "nothing" where its memory ran out. One more expression always matches, at the
    text's end: where it did not, nothing was said, and every gate counts as open.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        options = _options(FAMILY_BYTES)
        options.never_capture = True
        self._set = re2.Set.SearchSet(options)
        self._count = len(patterns)
        for pattern in (*patterns, r"\z"):
            self._set.Add(pattern)
        self._set.Compile()

    def open_for(self, data: bytes) -> list[int]:
        passed: list[int] = sorted(self._set.Match(data) or ())
        if not passed or passed.pop() != self._count:
            return list(range(self._count))
        return passed


def _options(memory_bytes: int) -> Any:
    options = re2.Options()
    options.max_mem = memory_bytes
    options.log_errors = False
    return options
