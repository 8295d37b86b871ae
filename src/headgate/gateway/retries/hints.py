"""How long a provider asks to be left alone, from its reply's headers. Pure: no clock."""

from __future__ import annotations

import re
from collections.abc import Callable
from email.utils import parsedate_to_datetime

_LONGEST_S = 86_400.0
_PART = re.compile(rb"(\d{1,9}(?:\.\d{1,9})?)(ms|us|h|m|s|d)")
_UNIT_S = {b"us": 1e-6, b"ms": 1e-3, b"s": 1.0, b"m": 60.0, b"h": 3600.0, b"d": 86_400.0}

Header = Callable[[bytes], bytes | None]
"""Looks up a reply's header by its lower-case name."""


def asked_pause_s(header: Header, *, status: int, now_s: float) -> float | None:
    """The pause that a failed reply asks for; None where it asks for none.

    `retry-after-ms` goes before `retry-after`, and both before the resets of the limits that a 429
    says are used up. `now_s` is the wall clock's, for a `retry-after` that is a date; a date may
    be off by as much as the clocks differ.
    """
    for value, unit_s in ((header(b"retry-after-ms"), 0.001), (header(b"retry-after"), 1.0)):
        if value and (pause_s := _number(value, unit_s)) is not None:
            return pause_s
    if (date := header(b"retry-after")) and (pause_s := _until(date, now_s)) is not None:
        return pause_s
    if status != 429:
        return None
    resets = (
        duration_s(header(b"x-ratelimit-reset-" + kind))
        for kind in (b"requests", b"tokens")
        if header(b"x-ratelimit-remaining-" + kind) == b"0"
    )
    return max((reset_s for reset_s in resets if reset_s is not None), default=None)


def duration_s(text: bytes | None) -> float | None:
    """A duration such as `6m0s`, `20ms`, `1h2m3.5s` or plain seconds; None where it is none."""
    if not text:
        return None
    text = text.strip()
    total_s, end = 0.0, 0
    for part in _PART.finditer(text):
        if part.start() != end:
            return None
        total_s += float(part[1]) * _UNIT_S[part[2]]
        end = part.end()
    if end != len(text):
        return _number(text, 1.0)
    return total_s if total_s < _LONGEST_S else None


def _number(value: bytes, unit_s: float) -> float | None:
    try:
        seconds = float(value) * unit_s
    except ValueError:
        return None
    return seconds if 0 <= seconds < _LONGEST_S else None


def _until(date: bytes, now_s: float) -> float | None:
    try:
        at_s = parsedate_to_datetime(date.decode("latin-1")).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
    pause_s = max(0.0, at_s - now_s)
    return pause_s if pause_s < _LONGEST_S else None
