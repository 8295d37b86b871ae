"""The headers of an answer: what a client is told of its request, and shown of the provider's."""

from __future__ import annotations

from headgate.errors import HeadgateError
from headgate.gateway.call import Call, Headers, Refusal
from headgate.gateway.upstream import UpstreamReply

PASSED_ON = frozenset(
    {
        b"openai-processing-ms",
        b"openai-version",
        b"retry-after",
        b"retry-after-ms",
        b"x-headgate-simulated",
        b"x-should-retry",
    }
)
"""Headers of a provider's reply that a client is shown, with those that begin `x-ratelimit-`."""

_USUAL = frozenset(
    {
        b"connection",
        b"content-length",
        b"content-type",
        b"date",
        b"server",
        b"x-request-id",
    }
)
"""Those that most replies have: of them it is not asked how they begin."""


def reply_headers(
    call: Call,
    reply: UpstreamReply,
    request_id: bytes | None,
    *,
    passed_on: frozenset[bytes] = PASSED_ON,
    target: bytes | None = None,
) -> Headers:
    """A reply's headers as the client sees them, but for its content's.

    `request_id` is what the provider calls the request; it and who answered are noted in the
    call's record. `target` as for `call_headers`.
    """
    headers = [
        (name, value)
        for name, value in reply.headers
        if name in passed_on or (name not in _USUAL and name.startswith(b"x-ratelimit-"))
    ]
    if request_id is not None:
        call.record.upstream_request_id = request_id.decode("latin-1")[:128]
    if reply.header(b"x-headgate-simulated") is not None:
        call.record.simulated = True
    headers += call_headers(call, request_id, target=target)
    return headers


def call_headers(
    call: Call, request_id: bytes | None = None, *, target: bytes | None = None
) -> Headers:
    """The headers that tell a client of its request; `target`, else the call's own, answered it."""
    record = call.record
    call_id = record.id.encode()
    headers = [
        (b"x-request-id", request_id or call_id),
        (b"x-headgate-call-id", call_id),
        (b"x-headgate-attempts", b"%d" % record.attempts),
        (b"x-headgate-cache", record.cache.encode()),
    ]
    if target is None and call.target is not None:
        target = call.target.name
    if target is not None:
        headers.append((b"x-headgate-target", target))
    return headers


def refusal(call: Call, error: HeadgateError) -> Refusal:
    """An error as the whole answer, noted in the record."""
    call.record.status = error.status
    call.record.error_class = error.code
    headers = call_headers(call)
    if call.record.simulated:
        headers.append((b"x-headgate-simulated", b"true"))
    return Refusal(error, headers)
