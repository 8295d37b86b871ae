"""What a client is told where a provider failed: whose fault it was, and what to do."""

from __future__ import annotations

from headgate.errors import (
    DeadlineExceededError,
    HeadgateError,
    UnavailableError,
    UpstreamFailedError,
    UpstreamRefusedKeyError,
    UpstreamTimeoutError,
)
from headgate.gateway.call import Call
from headgate.gateway.keys.pool import DEFAULT_KEY
from headgate.gateway.upstream import UpstreamError

LATE_S = 0.15
"""A timeout fires at most this long before or after its time."""


def broken_error(error: UpstreamError, provider: str) -> HeadgateError:
    """What a client is told of a call that got no complete answer."""
    code = f"upstream_{error.kind}"
    if error.kind == "pool_timeout":
        return UnavailableError(
            f"All connections to the provider `{provider}` are busy; try again shortly, or raise"
            f" providers.{provider}.max_connections.",
            code=code,
        )
    if error.kind.endswith("timeout"):
        return UpstreamTimeoutError(
            f"The provider `{provider}` took too long ({error.kind.replace('_', ' ')}); try again,"
            f" or raise providers.{provider}.timeouts.",
            code=code,
        )
    return UpstreamFailedError(
        f"The provider `{provider}` could not be reached or broke off ({error.kind}); try again.",
        code=code,
    )


def broken_stream_error(call: Call, error: UpstreamError) -> HeadgateError:
    """What a client is told of a stream that broke: as of any call, or that its own time was up."""
    provider = call.record.provider or ""
    whole_s = None if call.patience is None else call.patience.whole_s
    if error.kind != "total_timeout" or whole_s is None:
        return broken_error(error, provider)
    late = call.elapsed_us() > (whole_s - LATE_S) * 1e6
    return too_late_error(provider) if late else broken_error(error, provider)


def too_late_error(provider: str) -> HeadgateError:
    """What a client is told whose own time was up."""
    return DeadlineExceededError(
        f"The provider `{provider}` did not answer within the time that the client said it waits;"
        " raise the client's timeout, or stream."
    )


def refused_key_error(provider: str, key: str | None = None) -> HeadgateError:
    """What a client is told where the provider did not accept Headgate's key, by its name.

    A provider's only key has none.
    """
    which, field = "", "api_key"
    if key is not None and key != DEFAULT_KEY:
        which, field = f" `{key}`", "keys"
    return UpstreamRefusedKeyError(
        f"The provider `{provider}` refused Headgate's key{which}; an operator must set a valid"
        f" one in providers.{provider}.{field}."
    )


def keys_out_error(provider: str) -> HeadgateError:
    """What a client is told where none of a provider's keys can be used."""
    return UpstreamRefusedKeyError(
        f"The provider `{provider}` refused every key of Headgate's that this call may use; an"
        f" operator must see to providers.{provider}.keys."
    )


def not_what_was_asked(provider: str) -> HeadgateError:
    """What a client is told where a provider answered a part of its batch with something else."""
    return UpstreamFailedError(
        f"The provider `{provider}` did not answer with one vector for each input; try again.",
        code="upstream_malformed_reply",
    )
