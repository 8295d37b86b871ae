"""Which HTTP proxy, if any, the environment asks us to use for an origin."""

import base64
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy: CONNECT for https origins, absolute-form requests for http ones."""

    host: str
    port: int
    authorization: bytes | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str) -> "Proxy":
        """A proxy from `http://user:password@host:port` (the scheme may be left out).

        Raises ValueError for kinds of proxy that we cannot speak to.
        """
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme != "http":
            raise ValueError(
                f"proxies of scheme {parts.scheme}:// are not supported; use an http:// proxy"
            )
        if not parts.hostname:
            raise ValueError("the proxy URL has no host")
        authorization = None
        if parts.username is not None:
            user = unquote(parts.username)
            password = unquote(parts.password or "")
            authorization = b"Basic " + base64.b64encode(f"{user}:{password}".encode())
        return cls(parts.hostname, parts.port or 80, authorization)

    @property
    def authorization_field(self) -> bytes:
        """The header line that names us to the proxy, or nothing."""
        if self.authorization is None:
            return b""
        return b"Proxy-Authorization: %b\r\n" % self.authorization


class ProxyRules:
    """What HTTP_PROXY, HTTPS_PROXY and NO_PROXY (lower case first) say, read once.

    NO_PROXY lists hosts, domains (`example.com` and `.example.com` cover subdomains), addresses
    and CIDR blocks, each optionally with `:port`; `*` stands for everything. Loopback is never
    proxied: a proxy's loopback is not ours.
    """

    __slots__ = ("_by_scheme", "_exceptions")

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._by_scheme: dict[str, Proxy] = {}
        for scheme in ("http", "https"):
            url = _read(environment, f"{scheme}_proxy")
            # A CGI server turns a request's `Proxy:` header into HTTP_PROXY (CVE-2016-5385).
            if scheme == "http" and "REQUEST_METHOD" in environment:
                url = environment.get("http_proxy", "")
            if url:
                self._by_scheme[scheme] = Proxy.parse(url)
        listed = _read(environment, "no_proxy").lower().split(",")
        self._exceptions = tuple(entry.strip() for entry in listed if entry.strip())

    def proxy_for(self, scheme: str, host: str, port: int) -> Proxy | None:
        """The proxy for an origin, or None where it is to be reached directly."""
        proxy = self._by_scheme.get(scheme)
        if proxy is None or _is_loopback(host):
            return None
        if any(_covers(entry, host.lower().rstrip("."), port) for entry in self._exceptions):
            return None
        return proxy


def _read(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name, environment.get(name.upper(), "")).strip()


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return address.is_loopback if address else host.lower().rstrip(".") == "localhost"


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None


def _covers(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    if "/" in entry:
        address = _address(host)
        try:
            return address is not None and address in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
    name, colon, suffix = entry.rpartition(":")
    if colon and suffix.isdigit() and (name.endswith("]") or ":" not in name):
        if int(suffix) != port:
            return False
        entry = name
    listed = _address(entry)
    if listed is not None:
        return listed == _address(host)
    domain = entry.removeprefix("*").lstrip(".")
    return host == domain or host.endswith(f".{domain}")
