"""Where something stands in its trace: which trace, and whose span it belongs under. No I/O.

The identifiers of our own spans are made from our own names of things (a call's, a run's, an
attempt's), so whoever knows a call's id knows its span, and nobody has to carry one about.
"""

from __future__ import annotations

import re
from hashlib import sha256
from random import getrandbits

import msgspec

# A version that is not known yet may have more fields after these; `ff` is none.
_TRACEPARENT = re.compile(
    rb"(?!ff)(?P<version>[0-9a-f]{2})-(?!0{32})(?P<trace>[0-9a-f]{32})"
    rb"-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(?P<more>-.*)?"
)
_SAMPLED = 1


class Parent(msgspec.Struct, frozen=True, gc=False):
    """The span that another one belongs under."""

    span_id: str
    """16 hexadecimal digits."""
    sampled: bool | None = None
    """Whether it is kept, as its maker says; None where nobody has decided."""
    ours: bool = False
    """Whether this server makes it."""


def trace_from(traceparent: bytes | None) -> tuple[str, Parent | None]:
    """The trace that a W3C `traceparent` header names and the span in it, or a new trace."""
    if traceparent is not None:
        found = _TRACEPARENT.fullmatch(traceparent)
        if found and not (found["more"] and found["version"] == b"00"):
            trace_id, span_id = found["trace"].decode(), found["span"].decode()
            if span_id.strip("0"):
                sampled = bool(int(found["flags"], 16) & _SAMPLED)
                return trace_id, Parent(span_id, sampled)
            return trace_id, None
    return f"{getrandbits(128) or 1:032x}", None


def span_id_of(name: str) -> str:
    """The identifier of the span of what is called `name`, such as a call's id."""
    return sha256(name.encode()).hexdigest()[:16]


def attempt_name(call_id: str, number: int) -> str:
    """What the attempt `number` of a call is called."""
    return f"{call_id}/{number}"


def under(name: str, parent: Parent | None) -> Parent:
    """What belongs under our own span of `name`, which itself belongs under `parent`."""
    return Parent(span_id_of(name), None if parent is None else parent.sampled, ours=True)
