"""A websocket to a provider: opened by a handshake that may be refused, then messages both ways.

Framing is the `websockets` library's, which is loaded when the first one is opened; addresses,
proxies and TLS are those of the HTTP client.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from typing import TYPE_CHECKING

from headgate.gateway.upstream.dialing import open_socket
from headgate.gateway.upstream.errors import UpstreamError
from headgate.gateway.upstream.origin import Origin
from headgate.gateway.upstream.proxy import Proxy

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection
    from websockets.http11 import Response

Headers = list[tuple[bytes, bytes]]

# At the level debug the library logs each header and message: the provider's key, and contents.
_quiet = logging.getLogger("headgate.websockets")
_quiet.setLevel(logging.WARNING)

_PING_S = 20.0
_CLOSE_S = 1.0
"""How long a provider has to answer our closing before the connection is dropped."""


class Handshake:
    """What a provider answered a handshake: 101, or a refusal with its body.

    It has what `UpstreamReply` has, as far as its head goes.
    """

    def __init__(self, status: int, headers: Headers, body: bytes = b"") -> None:
        self.status = status
        self.headers = headers
        """Names in lower case."""
        self.body = body

    def header(self, name: bytes) -> bytes | None:
        """The first value of the header `name`, in lower case."""
        return next((value for key, value in self.headers if key == name), None)


class HandshakeRefused(Exception):  # noqa: N818 - what happened, as the others are named
    """The provider answered the handshake with something other than 101."""

    def __init__(self, handshake: Handshake) -> None:
        super().__init__(f"the handshake was answered {handshake.status}")
        self.handshake = handshake


class UpstreamSocket:
    """An open websocket to a provider. Messages are bytes, whatever their frames were."""

    def __init__(self, connection: ClientConnection, handshake: Handshake) -> None:
        self._connection = connection
        self.handshake = handshake

    async def receive(self) -> bytes:
        """The next message. Raises `UpstreamError` of kind cut or too_large once it is closed."""
        from websockets.exceptions import ConnectionClosed  # noqa: PLC0415 - loaded by now

        try:
            return await self._connection.recv(decode=False)
        except ConnectionClosed as closed:
            kind = closed.sent.code if closed.rcvd is None and closed.sent is not None else 0
            if kind == 1009:
                raise UpstreamError("too_large", "a message is larger than allowed") from None
            raise UpstreamError("cut", f"the websocket was closed: {closed}") from None

    async def send(self, message: bytes) -> None:
        """Send `message` as a text; waits while the provider is slow to read.

        Raises `UpstreamError` of kind cut where it is closed.
        """
        from websockets.exceptions import ConnectionClosed  # noqa: PLC0415 - loaded by now

        try:
            await self._connection.send(message, text=True)
        except ConnectionClosed as closed:
            raise UpstreamError("cut", f"the websocket was closed: {closed}") from None

    @property
    def closed_by_provider(self) -> int | None:
        """The code with which the provider closed it; None where it broke off, or is open."""
        received = self._connection.protocol.close_rcvd
        return None if received is None else received.code

    async def close(self) -> None:
        """Close it; waits a second at most."""
        await self._connection.close()


async def open_websocket(
    origin: Origin,
    target: bytes,
    headers: bytes,
    *,
    proxy: Proxy | None,
    tls: ssl.SSLContext | None,
    max_message_bytes: int,
    max_waiting: int,
    connect_s: float,
    answer_s: float,
) -> UpstreamSocket:
    """Open one at `target`; `headers` are complete lines, each ending in CRLF.

    Raises `HandshakeRefused`, and `UpstreamError` of the kinds connect, dns, tls, connect_timeout,
    first_byte_timeout and protocol.
    """
    from websockets.asyncio.client import connect  # noqa: PLC0415 - see the top

    class _Connect(connect):
        def process_redirect(self, exc: Exception) -> Exception | str:
            # The provider's key goes nowhere but where the operator sent it.
            return exc

    try:
        async with asyncio.timeout(connect_s):
            raw = await open_socket(origin, proxy)
    except TimeoutError:
        raise UpstreamError(
            "connect_timeout", f"no connection to {origin.host} in time", safe_to_retry=True
        ) from None
    scheme = "wss" if tls is not None else "ws"
    try:
        connection = await _Connect(
            f"{scheme}://{origin.authority.decode()}{target.decode('ascii')}",
            additional_headers=_pairs(headers),
            user_agent_header=None,
            logger=_quiet,
            compression=None,
            open_timeout=answer_s,
            ping_interval=_PING_S,
            ping_timeout=_PING_S,
            close_timeout=_CLOSE_S,
            max_size=max_message_bytes,
            max_queue=max_waiting,
            sock=raw,
            ssl=tls,
            server_hostname=origin.host if tls is not None else None,
        )
    except BaseException as error:  # noqa: BLE001 - what is none of its failures is raised again
        raw.close()
        raise _understood(error) from None
    return UpstreamSocket(connection, _handshake(connection.response))


def _understood(error: BaseException) -> BaseException:
    """What a handshake failed with, in our own words; what is none of its failures as it is."""
    from websockets.exceptions import InvalidHandshake, InvalidStatus  # noqa: PLC0415

    match error:
        case InvalidStatus():
            return HandshakeRefused(_handshake(error.response))
        case TimeoutError():
            return UpstreamError("first_byte_timeout", "the handshake was not answered")
        case InvalidHandshake():
            return UpstreamError("protocol", f"no websocket handshake: {error}")
        case ssl.SSLError():
            return UpstreamError("tls", f"cannot agree on TLS: {error}", safe_to_retry=True)
        case OSError() | EOFError():
            return UpstreamError("reset", f"the handshake broke off: {error}")
    return error


def _handshake(answer: Response | None) -> Handshake:
    if answer is None:
        return Handshake(101, [])
    headers = [
        (name.lower().encode(), value.encode("latin-1", "replace"))
        for name, value in answer.headers.raw_items()
    ]
    return Handshake(answer.status_code, headers, answer.body or b"")


def _pairs(lines: bytes) -> list[tuple[str, str]]:
    """Header lines as pairs, without those that are the handshake's own."""
    pairs = []
    for line in lines.decode("latin-1").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon and name.lower() not in ("accept-encoding", "content-type"):
            pairs.append((name, value.strip()))
    return pairs
