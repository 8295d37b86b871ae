"""A websocket from its handshake on: refused as a request would be, or served to its end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qs

import msgspec

from headgate.simulator.sockets.socket import Socket, SocketGoneError
from headgate.simulator.wire.api_error import ApiError
from headgate.simulator.wire.reply import JsonReply, error_reply
from headgate.simulator.wire.request import Receive, Request, Scope, Send

_KEY_SUBPROTOCOL = "openai-insecure-api-key."

Serve = Callable[[Request, Socket], Awaitable[None]]


async def serve_socket(
    scope: Scope,
    receive: Receive,
    send: Send,
    *,
    closing: asyncio.Event,
    served: Mapping[str, Serve],
    check: Callable[[Request], Awaitable[None]],
) -> None:
    """Serve one websocket by what `served` has for its path.

    `check` raises `ApiError` for a handshake that is refused.
    """
    request = _request(scope)
    try:
        serve = served.get(request.path)
        if serve is None:
            raise ApiError(404, f"Invalid URL (GET {request.path})")
        await check(request)
    except ApiError as error:
        await _refuse(send, error_reply(error))
        return
    offered = scope.get("subprotocols", ())
    accept = {
        "type": "websocket.accept",
        "subprotocol": "realtime" if "realtime" in offered else None,
        "headers": [(b"x-headgate-simulated", b"true")],
    }
    with contextlib.suppress(SocketGoneError, OSError):
        await send(accept)
        await receive()
        await serve(request, Socket(scope, receive, send, closing))


def _request(scope: Scope) -> Request:
    """The handshake as a request; the key that a browser sends stands where others send it."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    for offered in scope.get("subprotocols", ()):
        if offered.startswith(_KEY_SUBPROTOCOL):
            headers.setdefault("authorization", f"Bearer {offered.removeprefix(_KEY_SUBPROTOCOL)}")
    query = scope.get("query_string", b"").decode("latin-1")
    # The address stands for the body, by which faults know what is asked again.
    body = msgspec.json.encode([scope["path"], query])
    return Request("GET", scope["path"], parse_qs(query), headers, body)


async def _refuse(send: Send, reply: JsonReply) -> None:
    headers = [
        (name.encode(), value.encode("latin-1", "replace"))
        for name, value in (("content-type", "application/json"), *reply.headers)
    ]
    start = {"type": "websocket.http.response.start", "status": reply.status, "headers": headers}
    await send(start)
    await send({"type": "websocket.http.response.body", "body": reply.body})
