"""One span, as it is handed to whoever sends it. Only facts: no contents, no secrets."""

from __future__ import annotations

from typing import Literal

import msgspec

Value = str | int | float | bool

SpanKind = Literal["server", "client", "internal"]
"""`server`: somebody else asked for it. `client`: it asks somebody else. `internal`: neither."""


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened while a span lasted."""

    name: str
    at_us: int
    facts: dict[str, Value] = {}


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """What happened from one time to another, in microseconds since 1970."""

    name: str
    kind: SpanKind
    trace_id: str
    span_id: str
    parent_id: str | None
    parent_ours: bool
    """Whether this server makes the span that it belongs under."""
    begun_us: int
    ended_us: int
    facts: dict[str, Value]
    failed: bool = False
    moments: tuple[Moment, ...] = ()
