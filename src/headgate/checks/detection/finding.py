"""What was found in a text: its kind, where it stands, and how sure that is."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

import msgspec


class Finding(msgspec.Struct, frozen=True):
    """One value in a text. It does not hold the value, so it may be logged."""

    kind: str
    """One of `Kind`, or the name of an own pattern."""
    start: int
    """Where it begins, in characters of the text."""
    end: int
    """Where it has ended, in characters of the text."""
    score: int
    """How sure it is, from 0 to 100."""


def joined(findings: Iterable[Finding]) -> list[Finding]:
    """The findings with those of one kind that overlap made into one, of the higher score.

    Two rules may each see a part of a name; what hides it must hide both.
    """
    whole: list[Finding] = []
    for one in sorted(findings, key=lambda each: (each.kind, each.start, each.end)):
        last = whole[-1] if whole else None
        if last is None or last.kind != one.kind or one.start >= last.end:
            whole.append(one)
        else:
            end, score = max(last.end, one.end), max(last.score, one.score)
            whole[-1] = Finding(one.kind, last.start, end, score)
    return whole


def without_overlaps(findings: Iterable[Finding]) -> list[Finding]:
    """The findings that stand when of two that overlap only the better stays, in the text's order.

    Better is the higher score, then the longer, then the earlier, then the kind by its letters: the
    same findings in any order give the same result.
    """
    taken: list[Finding] = []
    best_first = sorted(
        findings, key=lambda one: (-one.score, one.start - one.end, one.start, one.kind)
    )
    if len(best_first) < 2:
        return best_first
    # Those taken never overlap, so what starts last before a finding's end is the only one to ask.
    starts: list[int] = []
    for one in best_first:
        at = bisect_left(starts, one.end)
        if at and taken[at - 1].end > one.start:
            continue
        starts.insert(at, one.start)
        taken.insert(at, one)
    return taken
