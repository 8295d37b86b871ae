"""How figures, times and data are written on pages."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import msgspec

from headgate.review.console.visible import escaped

NOTHING = "\N{EN DASH}"
"""What stands where there is no figure."""

_SHORT_FROM = 10_000
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400


def count(number: int | None) -> str:
    """A number with thin groups, such as `12,345`; a dash for None."""
    return NOTHING if number is None else f"{number:,}"


def short_count(number: int | None) -> str:
    """A number in little room, such as `12.3 k`; a dash for None."""
    if number is None:
        return NOTHING
    if abs(number) < _SHORT_FROM:
        return f"{number:,}"
    size, unit = next(
        (size, unit)
        for size, unit in ((1_000_000_000, "bn"), (1_000_000, "m"), (1_000, "k"))
        if abs(number) >= size
    )
    share = number / size
    written = f"{share:.0f}" if abs(share) >= 100 else f"{share:.1f}"
    return f"{written}\N{NO-BREAK SPACE}{unit}"


def duration(microseconds: int | None) -> str:
    """A latency, such as `340 ms` or `2.41 s`; a dash for None."""
    if microseconds is None:
        return NOTHING
    if microseconds < 1_000:
        return "<1 ms"
    if microseconds < 1_000_000:
        return f"{microseconds / 1e3:.0f} ms"
    if microseconds < 100_000_000:
        return f"{microseconds / 1e6:.2f} s"
    return span(microseconds // 1_000_000)


def span(seconds: int) -> str:
    """A length of time in its two largest units, such as `2 h 5 min`."""
    seconds = abs(seconds)
    if seconds < _MINUTE_S:
        return f"{seconds} s"
    if seconds < _HOUR_S:
        return f"{seconds // _MINUTE_S} min"
    if seconds < _DAY_S:
        hours, rest = divmod(seconds, _HOUR_S)
        return f"{hours} h {rest // _MINUTE_S} min" if rest >= _MINUTE_S else f"{hours} h"
    days, rest = divmod(seconds, _DAY_S)
    return f"{days} d {rest // _HOUR_S} h" if rest >= _HOUR_S else f"{days} d"


def ago(microseconds: int, now_us: int) -> str:
    """How long ago, such as `5 min ago`."""
    seconds = (now_us - microseconds) // 1_000_000
    return "just now" if seconds < 1 else f"{span(seconds)} ago"


def moment(microseconds: int) -> str:
    """A time in UTC, such as `2026-11-21 15:04:05`."""
    return datetime.fromtimestamp(microseconds / 1e6, UTC).strftime("%Y-%m-%d %H:%M:%S")


def iso(microseconds: int) -> str:
    """The same for programs."""
    return datetime.fromtimestamp(microseconds / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def percent(part: int, whole: int) -> str:
    """A share, such as `1.4 %`; a dash of nothing."""
    if not whole:
        return NOTHING
    share = 100 * part / whole
    return "0 %" if not part else f"{share:.1f} %" if share >= 0.1 else "<0.1 %"


def pretty(value: Any) -> str:
    """`value` as indented JSON, in the order in which it came.

    What would be invisible stands there as JSON's escapes: it can be seen, and edited, and read
    again it is the same.
    """
    return escaped(json.dumps(msgspec.to_builtins(value), ensure_ascii=False, indent=2))
