"""What a client is told of a request about objects: headers, errors, and what it cost."""

from __future__ import annotations

import msgspec

from headgate.errors import HeadgateError, UnavailableError, UpstreamFailedError
from headgate.gateway.call import Call, Headers, LastWords, Refusal
from headgate.gateway.endpoints.chat import failure_code
from headgate.gateway.objects.operation import Operation
from headgate.gateway.provider import Provider
from headgate.gateway.provider_failures import refused_key_error
from headgate.gateway.reply_headers import PASSED_ON, refusal, reply_headers
from headgate.gateway.upstream import UpstreamReply

_PASSED_ON = PASSED_ON | {b"content-disposition"}

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
        raise refused_key_error(provider.name, record.provider_key)
    headers = object_headers(call, reply, provider)
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


def object_headers(call: Call, reply: UpstreamReply, provider: Provider) -> Headers:
    """A reply's headers as the client sees them, but for its content's."""
    return reply_headers(
        call,
        reply,
        reply.header(b"x-request-id"),
        passed_on=_PASSED_ON,
        target=provider.name.encode("ascii", "replace"),
    )


def object_refusal(call: Call, error: HeadgateError) -> Refusal:
    """As `refusal`; one before the provider was asked cost nothing."""
    if not call.record.attempts:
        call.record.cost_nanousd = 0
    return refusal(call, error)


def stopping_error() -> HeadgateError:
    """What a client is told whose request is given up because the server stops."""
    return UnavailableError(
        "The request was given up before its answer was complete: the server is stopping. Try"
        " again.",
        code="call_cancelled",
    )
