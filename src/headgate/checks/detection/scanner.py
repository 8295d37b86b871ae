"""Where in a text does one rule hold? The only place that runs a rule's expressions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from headgate.checks.detection.expression import Expression
from headgate.checks.detection.rule import Rule

_BEHIND_BYTES: Final = 24
"""How far behind a value a cue may stand, as in `078-05-1120 (her SSN)`."""

_LONGEST_BYTES: Final = 64
"""The longest value that is looked for in front of a cue."""

_ASIDE: Final = b" (,:-/[\"'"
"""What may stand between a value and the cue behind it."""

Place = tuple[int, int, int]
"""Where a value begins and has ended, in bytes of the plain text, and its score."""


class Scanner:
    """One rule, ready to run. Its expressions are RE2's: the time is linear in the text."""

    def __init__(self, rule: Rule, least_score: int) -> None:
        self._rule = rule
        self._least_score = least_score
        self.by_cue = rule.score < least_score
        """Whether values are looked for only beside cues."""
        self.gate = rule.cue if self.by_cue else rule.gate or rule.shape
        """What a text must have for this rule to be worth running."""
        self.family = "cue" if self.by_cue else rule.family
        """With which other gates this one is asked."""
        self._shape = Expression(rule.shape)
        self._group = min(self._shape.groups, 1)
        self._cue = Expression(rule.cue) if rule.cue else None
        self._unless = Expression(rf"(?:{rule.unless})\z") if rule.unless else None

    def scan(self, data: bytes) -> Iterator[Place]:
        """Every value in `data` that the rule tells, with a score that counts."""
        return self._by_cue(data) if self.by_cue else self._by_shape(data)

    def _by_shape(self, data: bytes) -> Iterator[Place]:
        rule = self._rule
        for start, end in self._values(data, 0, len(data)):
            if self._cue is not None and self._is_cued(data, start, end):
                yield start, end, rule.cued_score
            elif rule.alone is None or rule.alone(data[start:end].decode("utf-8", "replace")):
                yield start, end, rule.score

    def _is_cued(self, data: bytes, start: int, end: int) -> bool:
        assert self._cue is not None  # noqa: S101
        reach = max(0, start - self._rule.reach_bytes)
        if self._cue.first(data, reach, start) is not None:
            return True
        return self._cue.first(data, end, min(len(data), end + _BEHIND_BYTES)) is not None

    def _by_cue(self, data: bytes) -> Iterator[Place]:
        if self._cue is None:
            return
        rule = self._rule
        position, length = 0, len(data)
        while position < length and (found := self._cue.first(data, position, length)) is not None:
            first, last = found[0]
            position = max(last, first + 1)
            for start, end in self._values(data, last, min(len(data), last + rule.reach_bytes)):
                yield start, end, rule.cued_score
                if rule.accept is None:
                    # Nothing but its place tells the value, and only the first is next to the cue.
                    break
            for start, end in self._values(data, max(0, first - _LONGEST_BYTES), first):
                if first - end <= 3 and not data[end:first].strip(_ASIDE):
                    yield start, end, rule.cued_score

    def _values(self, data: bytes, position: int, limit: int) -> Iterator[tuple[int, int]]:
        """Accepted values that lie between `position` and `limit`."""
        shape, group, rule = self._shape, self._group, self._rule
        # Past the end RE2 would find the empty text at the end, again and again.
        while position <= limit and (found := shape.first(data, position, limit)) is not None:
            start, end = found[group]
            begin, position = found[0]
            if start < 0:
                position = max(position, begin + 1)
                continue
            if rule.leads is not None:
                value = data[start:end].decode("utf-8", "replace")
                start += len(value[: rule.leads(value)].encode())
            accepted = self._accepted(data, start, end)
            if accepted > start:
                yield start, accepted
                if accepted < end:
                    # What was cut off may belong to the next value.
                    position = accepted
            elif rule.overlapping:
                position = begin + 1
            else:
                position = max(position, begin + 1)

    def _accepted(self, data: bytes, start: int, end: int) -> int:
        """Where the value that begins at `start` has ended; `start` where there is none."""
        rule = self._rule
        if rule.accept is not None:
            value = data[start:end].decode("utf-8", "replace")
            taken = rule.accept(value)
            if not taken:
                return start
            if taken < len(value):
                end = start + len(value[:taken].encode())
        if rule.neighbours != "any" and not stands_alone(data, start, end, rule.neighbours):
            return start
        # A cue says more than a sign: `MRN# 00482913`.
        if rule.neighbours == "number" and not self.by_cue and is_counted(data, start):
            return start
        if self._unless is not None:
            before = data[max(0, start - rule.reach_bytes) : start]
            if self._unless.first(before, 0, len(before)) is not None:
                return start
        return end


_WORD: Final = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_DIGITS: Final = frozenset(b"0123456789")
_JOINS_BEFORE: Final = frozenset(b"-./:,+#$%&=~")
_JOINS_AFTER: Final = frozenset(b"-./:,+%@~")
_HYPHEN: Final = ord("-")
_COUNTED: Final = (b"#", b"$", "€".encode(), "£".encode(), "¥".encode())


def stands_alone(data: bytes, start: int, end: int, neighbours: str) -> bool:
    """Whether nothing beside the value makes it a part of something longer."""
    if neighbours == "letters":
        return not _is_letter_pair(data, start) and not _is_letter_pair(data, end)
    if start and data[start - 1] in _WORD:
        return False
    if end < len(data) and data[end] in _WORD:
        return False
    if neighbours == "word":
        return True
    if start > 1 and data[start - 1] in _JOINS_BEFORE and data[start - 2] in _DIGITS:
        return False
    if (
        start
        and data[start - 1] == _HYPHEN
        and not _DIGITS.isdisjoint(data[max(0, start - 5) : start])
    ):
        return False
    if end + 1 < len(data) and data[end] in _JOINS_AFTER:
        return data[end + 1] not in (_WORD if data[end] == _HYPHEN else _DIGITS)
    return True


def is_counted(data: bytes, start: int) -> bool:
    """Whether a sign of money or of numbering stands in front: `$ 4000`, `# 12345678`."""
    return data[max(0, start - 4) : start].rstrip(b" ").endswith(_COUNTED)


def _is_letter_pair(data: bytes, at: int) -> bool:
    """Whether a letter or digit stands on both sides of `at`, which lies between two characters."""
    before = data[max(0, at - 4) : at].decode("utf-8", "ignore")[-1:]
    behind = data[at : at + 4].decode("utf-8", "ignore")[:1]
    return before.isalnum() and behind.isalnum()
