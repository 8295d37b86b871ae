"""A stored response's events, handed on once more; one that breaks off ends in an error."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from headgate.errors import (
    ContentBlockedError,
    GuardFailedError,
    HeadgateError,
    UpstreamFailedError,
)
from headgate.gateway.attempts.attempt import without_secret
from headgate.gateway.endpoints.responses import ResponsesStreamReader
from headgate.gateway.guarded_stream import GuardedStream
from headgate.gateway.provider_failures import broken_error
from headgate.gateway.upstream import UpstreamError, UpstreamReply


async def stored_events(
    reply: UpstreamReply,
    provider: str,
    secret: bytes | None,
    guarded: GuardedStream | None = None,
) -> AsyncGenerator[bytes]:
    """The events of `reply`, without the provider's key should they quote it.

    `guarded` looks at them, and puts back into them what was hidden from the model.

    To be closed where its client has gone: then the provider sees that too.
    """
    reader = ResponsesStreamReader()
    error: HeadgateError | None = None
    try:
        ended = False
        while not ended:
            data = await reply.next_chunk()
            if not data:
                raise UpstreamError("cut", "the stream ended without its last event")
            block = without_secret(reader.feed(data), secret)
            ended = reader.finished
            if guarded is not None:
                block = guarded.feed(block, ended=ended)
                if ended:
                    await guarded.settle()
            if block:
                yield block
    except (ContentBlockedError, GuardFailedError) as blocked:
        error = blocked
    except UpstreamError as broken:
        error = broken_error(broken, provider)
    except ValueError as unreadable:
        error = UpstreamFailedError(f"The provider's stream can't be read: {unreadable}.")
    finally:
        reply.abort()
    if error is not None:
        yield reader.error_block(error)
