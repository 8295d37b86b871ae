"""The client that carries a call to a provider: HTTP/1.1, pooled, bounded and cheap."""

from headgate.gateway.upstream.client import UpstreamClient
from headgate.gateway.upstream.errors import (
    UPSTREAM_ERROR_KINDS,
    UpstreamError,
    UpstreamErrorKind,
    UpstreamTooLarge,
)
from headgate.gateway.upstream.origin import Origin
from headgate.gateway.upstream.proxy import Proxy
from headgate.gateway.upstream.reply import UpstreamReply
from headgate.gateway.upstream.sending import RequestBody
from headgate.gateway.upstream.timeouts import Look, Timeouts

__all__ = [
    "UPSTREAM_ERROR_KINDS",
    "Look",
    "Origin",
    "Proxy",
    "RequestBody",
    "Timeouts",
    "UpstreamClient",
    "UpstreamError",
    "UpstreamErrorKind",
    "UpstreamReply",
    "UpstreamTooLarge",
]
