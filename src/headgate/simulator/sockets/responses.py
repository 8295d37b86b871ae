"""`/v1/responses` over a websocket: each `response.create` is answered as over HTTP, in turn."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import msgspec

from headgate.simulator.faults.fault import BreakFault, DelayFault, Fault
from headgate.simulator.sockets.socket import Socket
from headgate.simulator.wire.api_error import ApiError
from headgate.simulator.wire.delivery import STREAM_ERROR
from headgate.simulator.wire.reply import JsonReply, Reply, error_reply
from headgate.simulator.wire.request import JsonObject, Request

Plan = Callable[[Request], tuple[Reply, Fault | None]]
"""What a request over HTTP would get; raises `ApiError` where it is refused."""


async def serve_responses(
    request: Request, socket: Socket, *, plan: Plan, tokens_per_s: float
) -> None:
    """Answer what comes until the socket is closed."""
    while True:
        try:
            event = await socket.receive()
            reply, fault = plan(_as_post(request, event))
        except ApiError as error:
            reply, fault = error_reply(error), None
        await _deliver(reply, fault, socket, tokens_per_s)


def _as_post(request: Request, event: JsonObject) -> Request:
    kind = event.pop("type", None)
    if kind != "response.create":
        raise ApiError(400, f"Unknown event type '{kind}'.", param="type", code="unknown_event")
    event["stream"] = True
    body = msgspec.json.encode(event)
    return Request("POST", request.path, {}, request.headers, body)


async def _deliver(reply: Reply, fault: Fault | None, socket: Socket, tokens_per_s: float) -> None:
    if isinstance(fault, DelayFault):
        await asyncio.sleep(fault.seconds)
    if isinstance(reply, JsonReply):
        told = msgspec.json.decode(reply.body).get("error")
        await socket.send({"type": "error", "status": reply.status, "error": told})
        return
    broken = fault if isinstance(fault, BreakFault) else None
    due_s = time.monotonic()
    for number, piece in enumerate(reply.pieces):
        if broken is not None and number == broken.after:
            if broken.how == "stream-error":
                error = {"type": "server_error", "code": "server_error", "message": STREAM_ERROR}
                await socket.send({"type": "error", "status": 500, "error": error})
                return
            if broken.how != "malformed-json":
                await socket.break_off(broken)
        if tokens_per_s > 0 and piece.tokens:
            due_s += piece.tokens / tokens_per_s
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        text = piece.data.partition(b"data: ")[2].strip().decode()
        if broken is not None and number == broken.after:
            text = text[: len(text) // 2]
        await socket.send_text(text)
