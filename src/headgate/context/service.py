"""The client of one of the operator's own HTTP services: one request, one answer, each bounded.

No redirects, since what is sent may be a secret. Nothing is sent twice by itself: whoever asks
learns whether the request may have arrived, and decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote, urlencode

import msgspec

from headgate import __version__
from headgate.config.checks.short_keys import LEAST_HIDDEN_CHARACTERS
from headgate.config.services import HttpServiceSettings
from headgate.gateway.upstream import (
    Origin,
    Timeouts,
    UpstreamClient,
    UpstreamError,
    UpstreamErrorKind,
    UpstreamReply,
)

_CONNECTIONS_AT_MOST = 64
_UNREACHED = frozenset({"connect", "dns", "tls", "connect_timeout"})
_BLANK = 0x20
"""The first character that is no control character."""


class ServiceError(Exception):
    """A service gave no whole answer; the message says why, without contents or addresses."""

    def __init__(
        self,
        message: str,
        *,
        may_have_arrived: bool,
        kind: UpstreamErrorKind = "cut",
        status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.may_have_arrived = may_have_arrived
        """Whether the service may have done what it was asked for."""
        self.kind = kind
        self.status = status
        """What the answer began with, where so much of it came."""


class ServiceReply(msgspec.Struct, frozen=True):
    """A service's whole answer."""

    status: int
    media_type: str
    """In lower case, without parameters; "" where none was told."""
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


class ServiceClient:
    """Asks one service; it belongs to the event loop on which it is first used."""

    def __init__(self, settings: HttpServiceSettings) -> None:
        """`settings` have been checked."""
        self._settings = settings
        self._origin = Origin.parse(settings.base_url)
        self._client = UpstreamClient(max_connections_per_origin=_CONNECTIONS_AT_MOST)
        self._secrets = secrets_of(settings.headers)
        self._headers = _lines(
            {"user-agent": f"headgate/{__version__}", "accept": "application/json"}
            | {name.lower(): value for name, value in settings.headers.items()}
        )

    async def send(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        media_type: str = "application/json",
        timeout_s: float | None = None,
    ) -> ServiceReply:
        """The answer, whatever its status. `path` is percent-encoded where that is needed.

        Raises `ServiceError`. `headers` go along with the service's own; cancelling it drops the
        connection.
        """
        lines = self._headers + _lines(headers or {})
        if body is not None:
            lines += _lines({"content-type": media_type})
        limit_s = self._settings.timeout_s if timeout_s is None else timeout_s
        timeouts = Timeouts(
            connect_s=min(5.0, limit_s), first_byte_s=limit_s, idle_s=limit_s, total_s=limit_s
        )
        suffix = f"{path}?{urlencode(query)}" if query else path
        reply: UpstreamReply | None = None
        try:
            # As a stream, it goes out on a connection of its own: one that had been idle may be
            # closed while it is written to, and then nobody knows whether it arrived.
            reply = await self._client.send_from(
                self._origin,
                method.encode("ascii"),
                self._origin.target(suffix),
                lines,
                _Whole(body or b""),
                timeouts,
            )
            content = await reply.read(self._settings.max_answer_bytes)
        except UpstreamError as error:
            reached = error.kind not in _UNREACHED
            said = "gave no whole answer" if reached else "could not be reached"
            raise ServiceError(
                f"the service {said} ({error.kind})",
                may_have_arrived=not error.safe_to_retry,
                kind=error.kind,
                status=None if reply is None else reply.status,
            ) from None
        media_type = (reply.header(b"content-type") or b"").decode("latin-1")
        return ServiceReply(
            reply.status,
            media_type.partition(";")[0].strip().lower(),
            without_secrets(content, self._secrets),
            tuple(reply.headers),
        )

    async def close(self) -> None:
        """Close its connections."""
        await self._client.close()


_SECRET_HEADER = re.compile(r"auth|cookie|key|token|secret|password", re.IGNORECASE)


def secrets_of(headers: Mapping[str, str]) -> tuple[bytes, ...]:
    """What of a service's `headers` may stand in no answer: the secrets that can be told apart.

    Of `Bearer …` that is what comes after it. What is shorter stands in ordinary words, too.
    """
    found = (value.split()[-1] for name, value in headers.items() if _is_secret(name, value))
    return tuple(one.encode("latin-1") for one in found if len(one) >= LEAST_HIDDEN_CHARACTERS)


def without_secrets(content: bytes, secrets: Iterable[bytes]) -> bytes:
    """An answer as models and people may see it, also of a service that quotes its request."""
    for secret in secrets:
        content = content.replace(secret, b"[redacted]")
    return content


def _is_secret(name: str, value: str) -> bool:
    return bool(value.split()) and _SECRET_HEADER.search(name) is not None


_SEGMENT_CHARACTERS_AT_MOST = 500


def path_segment(value: str) -> str:
    """A value as it may stand in a path, where it must not become another path.

    Servers and the proxies before them take `%2F` for a slash, some of them, and walk up where
    `..` stands beside one.
    """
    pieces = {piece.strip() for piece in re.split(r"[/\\]", value)}
    if not value or pieces & {".", ".."}:
        raise ValueError("must not be empty, nor lead elsewhere, as `..` does: it stands in a path")
    if any(ord(character) < _BLANK for character in value):
        raise ValueError("holds control characters, such as line breaks: it stands in a path")
    if len(value) > _SEGMENT_CHARACTERS_AT_MOST:
        raise ValueError(f"is longer than {_SEGMENT_CHARACTERS_AT_MOST} characters")
    try:
        return quote(value, safe="")
    except UnicodeEncodeError:
        raise ValueError("holds half a character") from None


class _Whole:
    """A body that is there; see `RequestBody`."""

    def __init__(self, content: bytes) -> None:
        self.length_bytes: int | None = len(content)
        self._left = content

    async def next_chunk(self) -> bytes:
        content, self._left = self._left, b""
        return content


def _lines(headers: Mapping[str, str]) -> bytes:
    return b"".join(
        f"{name}: {_one_line(value)}\r\n".encode("latin-1") for name, value in headers.items()
    )


def _one_line(value: str) -> str:
    if any(character in value for character in "\r\n\0"):
        raise ValueError("a header's value must be one line")
    return value
