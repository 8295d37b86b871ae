"""A stored response's events, handed on once more; one that breaks off ends in an error."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from headgate.errors import HeadgateError, UpstreamFailedError
from headgate.gateway.attempt import without_secret
from headgate.gateway.endpoints.responses import ResponsesStreamReader
from headgate.gateway.provider_failures import broken_error
from headgate.gateway.upstream import UpstreamError, UpstreamReply


async def stored_events(
    reply: UpstreamReply, provider: str, secret: bytes | None
) -> AsyncGenerator[bytes]:
    """The events of `reply`, without the provider's key should they quote it.

    To be closed where its client has gone: then the provider sees that too.
    """
    reader = ResponsesStreamReader()
    error: HeadgateError | None = None
    try:
        while not reader.finished:
            data = await reply.next_chunk()
            if not data:
                raise UpstreamError("cut", "the stream ended without its last event")
            if block := without_secret(reader.feed(data), secret):
                yield block
    except UpstreamError as broken:
        error = broken_error(broken, provider)
    except ValueError as unreadable:
        error = UpstreamFailedError(f"The provider's stream can't be read: {unreadable}.")
    finally:
        reply.abort()
    if error is not None:
        yield reader.error_block(error)
