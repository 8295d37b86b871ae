"""How a connection comes to be: addresses raced, a proxy asked for a tunnel, TLS agreed."""

import asyncio
import contextlib
import socket
import ssl
from itertools import chain, zip_longest

from headgate.gateway.upstream.connection import Connection
from headgate.gateway.upstream.errors import UpstreamError, UpstreamErrorKind
from headgate.gateway.upstream.origin import Origin
from headgate.gateway.upstream.proxy import Proxy

_MAX_ADDRESSES = 8
"""Of a name with more addresses than this, only the first are tried."""

_STAGGER_S = 0.25
"""How long an address has before the next is tried beside it (RFC 8305, section 5)."""

_MAX_TUNNEL_HEAD_BYTES = 16 * 1024

_Address = tuple[
    socket.AddressFamily, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
]


async def dial(
    connection: Connection,
    origin: Origin,
    proxy: Proxy | None,
    tls: ssl.SSLContext | None,
) -> None:
    """Connect to an origin, through its proxy and with TLS where they are given.

    Raises UpstreamError of kind dns, connect, connect_timeout or tls, always safe to retry:
    nothing of a request has been sent. The caller bounds the time.
    """
    loop = connection.loop
    host, port = (proxy.host, proxy.port) if proxy else (origin.host, origin.port)
    raw = await _connect(loop, await _resolve(loop, host, port), host)
    step: UpstreamErrorKind = "connect"
    try:
        if proxy is not None and tls is not None:
            await _open_tunnel(loop, raw, origin, proxy)
        step = "tls" if tls else "connect"
        await loop.create_connection(
            lambda: connection,
            sock=raw,
            ssl=tls,
            server_hostname=origin.host if tls else None,
        )
    except OSError as exc:
        raw.close()
        raise UpstreamError(
            step, f"cannot connect to {origin.host} ({step}): {exc}", safe_to_retry=True
        ) from exc
    except BaseException:
        raw.close()
        raise


async def open_socket(origin: Origin, proxy: Proxy | None) -> socket.socket:
    """A connected socket to an origin, through its proxy where one is given; without TLS yet.

    For protocols other than ours, which a proxy is always asked to tunnel. Raises as `dial` does.
    """
    loop = asyncio.get_running_loop()
    host, port = (proxy.host, proxy.port) if proxy else (origin.host, origin.port)
    raw = await _connect(loop, await _resolve(loop, host, port), host)
    if proxy is not None:
        try:
            await _open_tunnel(loop, raw, origin, proxy)
        except OSError as exc:
            raw.close()
            raise UpstreamError(
                "connect", f"cannot reach {origin.host} by its proxy: {exc}", safe_to_retry=True
            ) from exc
        except BaseException:
            raw.close()
            raise
    return raw


async def _resolve(loop: asyncio.AbstractEventLoop, host: str, port: int) -> list[_Address]:
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise UpstreamError("dns", f"cannot resolve {host}: {exc}", safe_to_retry=True) from exc
    by_family: dict[socket.AddressFamily, list[_Address]] = {}
    for family, _, _, _, address in found:
        by_family.setdefault(family, []).append((family, address))
    # Families take turns, so that one broken family costs one stagger, not one per address.
    turns = chain.from_iterable(zip_longest(*by_family.values()))
    return [address for address in turns if address is not None][:_MAX_ADDRESSES]


async def _connect(
    loop: asyncio.AbstractEventLoop, addresses: list[_Address], host: str
) -> socket.socket:
    """The first of the addresses that answers, each tried a little after the one before it."""
    if len(addresses) == 1:
        return await _connect_one(loop, addresses[0], host)
    failure = UpstreamError("dns", f"{host} has no address", safe_to_retry=True)
    attempts: set[asyncio.Task[socket.socket]] = set()
    waiting = list(reversed(addresses))
    try:
        while waiting or attempts:
            if waiting:
                attempts.add(loop.create_task(_connect_one(loop, waiting.pop(), host)))
            done, attempts = await asyncio.wait(
                attempts,
                timeout=_STAGGER_S if waiting else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            winner: socket.socket | None = None
            for attempt in done:
                exc = attempt.exception()
                if isinstance(exc, UpstreamError):
                    failure = exc
                elif winner is None:
                    winner = attempt.result()
                else:
                    attempt.result().close()
            if winner is not None:
                return winner
        raise failure
    finally:
        await _call_off(attempts)


async def _call_off(attempts: set[asyncio.Task[socket.socket]]) -> None:
    for attempt in attempts:
        attempt.cancel()
    for outcome in await asyncio.gather(*attempts, return_exceptions=True):
        if isinstance(outcome, socket.socket):
            outcome.close()


async def _connect_one(
    loop: asyncio.AbstractEventLoop, address: _Address, host: str
) -> socket.socket:
    family, where = address
    raw: socket.socket | None = None
    try:
        raw = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A model may think for minutes; NATs and load balancers forget silent connections.
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        with contextlib.suppress(AttributeError, OSError):
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15)
        await loop.sock_connect(raw, where)
    except OSError as exc:
        if raw is not None:
            raw.close()
        kind: UpstreamErrorKind = "connect_timeout" if isinstance(exc, TimeoutError) else "connect"
        message = f"cannot connect to {host} (address {where[0]!r}, port {where[1]!r}): {exc}"
        raise UpstreamError(kind, message, safe_to_retry=True) from exc
    except BaseException:
        if raw is not None:
            raw.close()
        raise
    return raw


async def _open_tunnel(
    loop: asyncio.AbstractEventLoop, raw: socket.socket, origin: Origin, proxy: Proxy
) -> None:
    """Ask the proxy to connect us to the origin (RFC 9110, section 9.3.6)."""
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    authority = f"{host}:{origin.port}".encode("ascii")
    await loop.sock_sendall(
        raw,
        b"CONNECT %b HTTP/1.1\r\nHost: %b\r\n%b\r\n"
        % (authority, authority, proxy.authorization_field),
    )
    answer = b""
    while b"\r\n\r\n" not in answer and len(answer) <= _MAX_TUNNEL_HEAD_BYTES:
        received = await loop.sock_recv(raw, 4096)
        if not received:
            break
        answer += received
    head, head_ended, excess = answer.partition(b"\r\n\r\n")
    status = head.partition(b"\r\n")[0]
    agreed = status.startswith((b"HTTP/1.1 2", b"HTTP/1.0 2"))
    # TLS servers wait for us to speak: anything after the head is not from the origin.
    if not agreed or not head_ended or excess:
        said = status[:64].decode("latin-1") or "nothing"
        raise UpstreamError(
            "connect", f"the proxy {proxy.host} opened no tunnel: {said}", safe_to_retry=True
        )
