"""Which addresses may be told of the end of runs: those that the operator allows, and no others.

Without it, whoever may run a workflow could have Headgate speak to any address in its network.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from headgate.errors import InvalidRequestError

_PORTS = {"http": 80, "https": 443}


class _Address(NamedTuple):
    scheme: str
    host: str
    port: int
    path: str


class WebhookRule:
    """Judges addresses by the beginnings that are allowed; none allows none."""

    def __init__(self, allow: Sequence[str]) -> None:
        """Raises `ValueError` where one of `allow` is no address."""
        self._allow = tuple(_parsed(url) for url in allow)

    def check(self, url: str | None, *, param: str = "webhook") -> None:
        """Raise `InvalidRequestError` where `url` may not be told; None is nobody."""
        if url is None:
            return
        try:
            address = _parsed(url)
        except ValueError as error:
            raise InvalidRequestError(f"`{param}` is no address: {error}.", param=param) from None
        if not any(_is_within(address, allowed) for allowed in self._allow):
            raise InvalidRequestError(
                f"`{param}` is an address that this server may not notify; an operator can allow it"
                " in headgate.yaml: `runs: {webhooks: {allow: […]}}`.",
                param=param,
                code="webhook_not_allowed",
            )


def _is_within(address: _Address, allowed: _Address) -> bool:
    if address[:3] != allowed[:3]:
        return False
    beginning = allowed.path if allowed.path.endswith("/") else f"{allowed.path}/"
    return address.path == allowed.path or address.path.startswith(beginning)


def _parsed(url: str) -> _Address:
    # What readers of addresses disagree on is refused, so that nobody can mean two by one.
    if any(c in url for c in "\\@#") or not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError("it has a character that has no place there")
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("write http:// or https:// and a host")
    path = unquote(parts.path or "/")
    if any(segment in (".", "..") for segment in path.replace("\\", "/").split("/")):
        raise ValueError("its path leads upwards")
    return _Address(parts.scheme, parts.hostname.lower(), parts.port or _PORTS[parts.scheme], path)
