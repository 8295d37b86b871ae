"""Where a provider is: the parts of its base URL, parsed once and checked once."""

import ssl
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from headgate.gateway.upstream.proxy import Proxy

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """A scheme, a host and a port that requests go to, with the base URL's path.

    `ssl_context` and `proxy` override what the client would choose by itself. Make one with
    `Origin.parse` and keep it: connections are pooled per origin.
    """

    scheme: str
    host: str
    port: int
    path: bytes = b""
    ssl_context: ssl.SSLContext | None = None
    proxy: Proxy | None = None
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        key = (self.scheme, self.host, self.port, self.path, self.ssl_context, self.proxy)
        object.__setattr__(self, "_hash", hash(key))

    def __hash__(self) -> int:
        # Looked up on every call: hashing six fields anew would cost ten times as much.
        return self._hash

    @classmethod
    def parse(
        cls,
        base_url: str,
        *,
        ssl_context: ssl.SSLContext | None = None,
        proxy: Proxy | None = None,
    ) -> "Origin":
        """The origin of a base URL such as `https://api.openai.com/v1`.

        Raises ValueError, saying what is wrong with the URL, without repeating its password.
        """
        if not base_url.isprintable() or " " in base_url:
            raise ValueError("the base URL holds spaces or control characters")
        parts = urlsplit(base_url)
        if parts.scheme not in _DEFAULT_PORTS:
            raise ValueError("the base URL must begin with http:// or https://")
        if parts.username is not None or parts.password is not None:
            raise ValueError("the base URL must not hold a user or password; use the provider key")
        if parts.query or parts.fragment:
            raise ValueError("the base URL must not hold a query or a fragment")
        host = _ascii_host(parts.hostname or "")
        port = parts.port if parts.port is not None else _DEFAULT_PORTS[parts.scheme]
        if not 0 < port < 65536:
            raise ValueError("the base URL's port must be between 1 and 65535")
        path = _visible_ascii(parts.path.rstrip("/"), "path")
        return cls(parts.scheme, host, port, path, ssl_context, proxy)

    @property
    def authority(self) -> bytes:
        """What stands in the Host header: the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        if self.port == _DEFAULT_PORTS[self.scheme]:
            return host.encode("ascii")
        return f"{host}:{self.port}".encode("ascii")

    def target(self, suffix: str) -> bytes:
        """The request target of an endpoint below the base URL: `/chat/completions` and its query.

        Raises ValueError where the suffix could break out of the request line.
        """
        if not suffix.startswith("/"):
            raise ValueError("a target begins with /")
        return self.path + _visible_ascii(suffix, "target")


def _ascii_host(host: str) -> str:
    if not host:
        raise ValueError("the base URL has no host")
    if "%" in host:
        raise ValueError("the base URL's host must not hold % (zone or percent-encoding)")
    try:
        return host.encode("ascii").decode("ascii")
    except UnicodeEncodeError:
        return host.encode("idna").decode("ascii")


def _visible_ascii(text: str, what: str) -> bytes:
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError(f"the {what} must be visible ASCII; percent-encode anything else")
    return text.encode("ascii")
