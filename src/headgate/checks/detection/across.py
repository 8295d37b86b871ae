"""What stands across the pieces of one text, where none of them shows it by itself. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate

import msgspec

from headgate.checks.detection.finding import Finding
from headgate.checks.detection.plain_text import spelled_out

REACH_CHARACTERS = 4_096
"""How far before and after a seam is looked; a value that reaches further is not seen whole."""

Find = Callable[[str], list[Finding]]


def across(texts: Sequence[str], find: Find) -> list[Finding]:
    """What `find` sees in the joined `texts` that begins in one and ends in another.

    Places are those of the joined text. However many pieces there are, no more is looked at than
    the joined text is long.
    """
    seams = sorted(set(accumulate(map(len, texts[:-1]))) - {0})
    whole = "".join(texts)
    found: dict[tuple[str, int, int], Finding] = {}
    for start, end in _around(seams, len(whole)):
        for one in find(whole[start:end]):
            here = msgspec.structs.replace(one, start=one.start + start, end=one.end + start)
            at = bisect_right(seams, here.start)
            if at < len(seams) and seams[at] < here.end:
                found[here.kind, here.start, here.end] = here
    return sorted(found.values(), key=lambda one: (one.start, one.end))


def with_across(texts: Sequence[str], find: Find) -> list[Finding]:
    """All that stands in the joined `texts`: in each by itself, and across them; none overlap.

    What stands across takes in what it overlaps, so that no piece of either is left.
    """
    own: list[Finding] = []
    start = 0
    for text in texts:
        own += (
            msgspec.structs.replace(one, start=one.start + start, end=one.end + start)
            for one in find(text)
        )
        start += len(text)
    if len(texts) < 2 or not (more := across(texts, find)):
        return own
    whole: list[tuple[Finding, bool]] = []
    every = [(one, False) for one in own] + [(one, True) for one in more]
    for one, reaches in sorted(every, key=lambda each: (each[0].start, each[0].end)):
        last = whole[-1] if whole else None
        if last is None or one.start >= last[0].end:
            whole.append((one, reaches))
            continue
        # What reaches across names the value, and of two that do the surer.
        named = max((last, (one, reaches)), key=lambda each: (each[1], each[0].score))[0]
        end = max(last[0].end, one.end)
        joined = msgspec.structs.replace(named, start=last[0].start, end=end)
        whole[-1] = joined, last[1] or reaches
    return [one for one, _ in whole]


def replaced_across(
    texts: Sequence[str], findings: Sequence[Finding], replace: Callable[[str, str], str]
) -> list[str]:
    """`texts` with what `replace` makes of each finding's kind and value, where it begins."""
    whole, told = "".join(texts), []
    start = 0
    for text in texts:
        end, at, pieces = start + len(text), start, list[str]()
        for one in findings:
            if one.end <= start or one.start >= end:
                continue
            pieces.append(whole[at : max(at, one.start)])
            if one.start >= start:
                pieces.append(replaced(whole[one.start : one.end], one.kind, replace))
            at = min(end, one.end)
        told.append("".join([*pieces, whole[at:end]]))
        start = end
    return told


def replaced(written: str, kind: str, replace: Callable[[str, str], str]) -> str:
    """What `replace` makes of a value as it reads; as it is `written` where it stays."""
    value = spelled_out(written)
    told = replace(kind, value)
    return written if told == value else told


def _around(seams: Sequence[int], length: int) -> list[tuple[int, int]]:
    """The stretches around the seams, those that overlap made into one."""
    stretches: list[tuple[int, int]] = []
    for seam in seams:
        start, end = max(0, seam - REACH_CHARACTERS), min(length, seam + REACH_CHARACTERS)
        if stretches and start <= stretches[-1][1]:
            stretches[-1] = stretches[-1][0], end
        else:
            stretches.append((start, end))
    return stretches
