"""By when a call must be answered: what its client says it waits. Pure: no clock.

The official SDKs say it in a header of each request (`x-stainless-read-timeout`, Python;
`x-stainless-timeout`, Node). Both mean the wait for an answer to begin, so a stream that flows may
go on after it. `Prefer: wait=N` (RFC 7240) is for the whole answer.
"""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

_MARGIN_SHARE = 0.1
_MOST_MARGIN_S = 0.25
"""A refusal must reach the client before it stops waiting."""

_LONGEST_S = 86_400.0
_WAIT = re.compile(rb'(?:^|[,;])\s*wait\s*=\s*"?(\d{1,6})"?\s*(?:$|[,;])', re.IGNORECASE)


class Patience(msgspec.Struct, frozen=True):
    """How long a client waits, in seconds from when it asked."""

    begin_s: float | None = None
    """For the answer to begin: for a whole reply, or a stream's first event."""
    whole_s: float | None = None
    """For the whole answer."""


class Deadline(msgspec.Struct, frozen=True):
    """By when a call must have got where, in seconds of a monotonic clock."""

    begin_by_s: float
    """Its answer, or the first event of one that is streamed."""
    end_by_s: float
    """All of it."""
    of_client: bool
    """Whether its client set it, so that the call, not its provider, was too slow."""

    def left_s(self, now_s: float) -> float:
        """How long another attempt may take to begin its answer."""
        return self.begin_by_s - now_s


def deadline_of(
    patience: Patience, *, total_s: float, asked_at_s: float, now_s: float, streamed: bool
) -> Deadline:
    """The deadline of a call that arrived at `asked_at_s` and may take its provider `total_s`."""
    end_by_s = now_s + total_s
    begin_by_s = end_by_s
    if patience.whole_s is not None:
        begin_by_s = end_by_s = min(end_by_s, asked_at_s + patience.whole_s)
    if patience.begin_s is not None:
        begin_by_s = min(begin_by_s, asked_at_s + patience.begin_s)
    if not streamed:
        end_by_s = begin_by_s
    return Deadline(begin_by_s, end_by_s, of_client=begin_by_s < now_s + total_s)


@lru_cache(maxsize=256)
def patience_from(
    read_timeout: bytes | None, timeout: bytes | None, prefer: bytes | None
) -> Patience | None:
    """What the headers say, less a margin for the way back; None where they say nothing."""
    begin_s: float | None = None
    for header in (read_timeout, timeout):
        if header is not None and (seconds := _seconds(header)) is not None:
            begin_s = seconds if begin_s is None else min(begin_s, seconds)
    whole_s = None
    if prefer is not None and (found := _WAIT.search(prefer)) is not None:
        whole_s = _seconds(found[1])
    if begin_s is None and whole_s is None:
        return None
    return Patience(begin_s, whole_s)


def _seconds(text: bytes) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    if not 0 < seconds <= _LONGEST_S:
        return None
    return seconds - min(_MOST_MARGIN_S, _MARGIN_SHARE * seconds)
