"""What a client is told of a request about objects: headers, errors, and what it cost."""

from __future__ import annotations

import msgspec

from headgate.errors import HeadgateError, UnavailableError, UpstreamFailedError
from headgate.gateway.call import Call, Headers, LastWords, Refusal
from headgate.gateway.endpoints.chat import failure_code
from headgate.gateway.objects.operation import Operation
from headgate.gateway.provider import Provider
from headgate.gateway.provider_failures import refused_key_error
from headgate.gateway.upstream import UpstreamReply

_PASSED_ON = frozenset(
    {
        b"content-disposition",
        b"openai-processing-ms",
        b"openai-version",
        b"retry-after",
        b"retry-after-ms",
        b"x-headgate-simulated",
        b"x-should-retry",
    }
)
"""Headers of a provider's reply that a client is shown, with those that begin `x-ratelimit-`."""

JSON = b"application/json"


def settle(call: Call, operation: Operation) -> None:
    """Write what an answered request cost: nothing, or nobody knows."""
    if operation.cost == "free":
        call.record.cost_nanousd, call.record.price_version = 0, "free"


def provider_error(call: Call, reply: UpstreamReply, body: bytes, provider: Provider) -> LastWords:
    """A provider's error, handed on; its words about Headgate's own key are not."""
    record = call.record
    record.status = reply.status
    record.cost_nanousd = 0
    if reply.status in (401, 407):
        raise refused_key_error(provider.name)
    headers = reply_headers(call, reply, provider)
    if body.lstrip()[:1] != b"{" or reply.status < 400:
        error = UpstreamFailedError(
            f"The provider `{provider.name}` answered {reply.status} with something other than"
            " its API promises."
        )
        if reply.status < 400:
            raise error
        body = msgspec.json.encode({"error": error.as_object()})
    record.error_class = failure_code(body)
    return LastWords(body, reply.status, [*headers, (b"content-type", JSON)])


def reply_headers(call: Call, reply: UpstreamReply, provider: Provider) -> Headers:
    """A reply's headers as the client sees them, but for its content's."""
    headers = [
        (name, value)
        for name, value in reply.headers
        if name in _PASSED_ON or name.startswith(b"x-ratelimit-")
    ]
    request_id = reply.header(b"x-request-id")
    if request_id is not None:
        call.record.upstream_request_id = request_id.decode("latin-1")[:128]
    if reply.header(b"x-headgate-simulated") is not None:
        call.record.simulated = True
    headers += call_headers(call, request_id)
    headers.append((b"x-headgate-target", provider.name.encode("ascii", "replace")))
    return headers


def call_headers(call: Call, request_id: bytes | None = None) -> Headers:
    """The headers that tell a client of its request."""
    call_id = call.record.id.encode()
    return [
        (b"x-request-id", request_id or call_id),
        (b"x-headgate-call-id", call_id),
        (b"x-headgate-attempts", b"%d" % call.record.attempts),
        (b"x-headgate-cache", call.record.cache.encode()),
    ]


def refusal(call: Call, error: HeadgateError) -> Refusal:
    """An error as the whole answer, noted in the record."""
    record = call.record
    record.status = error.status
    record.error_class = error.code
    if not record.attempts:
        record.cost_nanousd = 0
    headers = call_headers(call)
    if record.simulated:
        headers.append((b"x-headgate-simulated", b"true"))
    return Refusal(error, headers)


def stopping_error() -> HeadgateError:
    """What a client is told whose request is given up because the server stops."""
    return UnavailableError(
        "The request was given up before its answer was complete: the server is stopping. Try"
        " again.",
        code="call_cancelled",
    )
