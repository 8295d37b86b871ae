"""What can go wrong between Headgate and a provider, and whether the request may be tried again.

This is about the wire only: a 500 that arrives in one piece is a reply, not an error.
"""

from typing import Literal, get_args

UpstreamErrorKind = Literal[
    "connect",
    "dns",
    "tls",
    "connect_timeout",
    "first_byte_timeout",
    "idle_timeout",
    "total_timeout",
    "attempt_timeout",
    "reset",
    "cut",
    "protocol",
    "too_large",
    "pool_timeout",
]
"""Why a call failed on the wire.

- `connect`: no connection could be made (refused, unreachable, a proxy said no, client closed).
- `dns`: the host name could not be resolved.
- `tls`: the handshake or the certificate failed.
- `connect_timeout`: no usable connection (address, proxy, TLS) within `connect_s`.
- `first_byte_timeout`: the request was sent, no complete response head within `first_byte_s`.
- `idle_timeout`: the body stood still for `idle_s` while somebody waited for it.
- `total_timeout`: the whole call took longer than `total_s`.
- `attempt_timeout`: no response head came for so long that another attempt is made instead.
- `reset`: the connection was closed before any byte of a response, or torn down by the peer.
- `cut`: the connection ended in the middle of a response.
- `protocol`: what came is not an HTTP/1.1 response that we are willing to trust.
- `too_large`: the body is larger than the caller allowed.
- `pool_timeout`: all connections to the origin stayed busy for `connect_s`, or its queue is full.
"""

UPSTREAM_ERROR_KINDS: tuple[UpstreamErrorKind, ...] = get_args(UpstreamErrorKind)
"""Every kind, for bounded metric labels."""


class UpstreamError(Exception):
    """A call that got no complete answer.

    `kind` says why. `safe_to_retry` is true only where the request was certainly not processed:
    not one of its bytes reached the provider.
    """

    kind: UpstreamErrorKind
    safe_to_retry: bool

    def __init__(
        self, kind: UpstreamErrorKind, message: str, *, safe_to_retry: bool = False
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.safe_to_retry = safe_to_retry


class UpstreamTooLarge(UpstreamError):  # noqa: N818 - the interface's name, read as a sentence
    """A body larger than the caller's limit; the connection has been dropped."""

    limit_bytes: int

    def __init__(self, limit_bytes: int) -> None:
        super().__init__("too_large", f"the upstream's body is larger than {limit_bytes} bytes")
        self.limit_bytes = limit_bytes
