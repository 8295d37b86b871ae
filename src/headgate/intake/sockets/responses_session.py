"""A websocket on `/v1/responses`: each `response.create` is a call like any over HTTP, in turn.

One response is carried at a time; further messages wait. The socket lives until either side has
had enough of it, whatever becomes of single responses.
"""

from __future__ import annotations

import time
from typing import Any

import msgspec

from headgate.config.sockets import SocketSettings
from headgate.errors import HeadgateError, InvalidRequestError, SocketExpiredError
from headgate.gateway.call import Call
from headgate.gateway.endpoints import ENDPOINTS, Fields
from headgate.gateway.endpoints.endpoint import UNREADABLE
from headgate.gateway.responses_chain import ResponsesChain
from headgate.intake.http.openai_surface import OpenAISurface
from headgate.intake.sockets.client_socket import ClientSocket
from headgate.intake.sockets.inbox import Inbox
from headgate.intake.sockets.responses_client import ResponsesClient, error_message
from headgate.intake.sockets.standing import Standing
from headgate.storage.identifiers import new_id
from headgate.telemetry.traces.lineage import trace_from

_RESPONSES = ENDPOINTS["responses"]
_fields = msgspec.json.Decoder(Fields)
_string = msgspec.json.Decoder(str)


class ResponsesSession:
    """One websocket on `/v1/responses`."""

    def __init__(
        self,
        surface: OpenAISurface,
        settings: SocketSettings,
        standing: Standing,
        socket: ClientSocket,
        headers: dict[bytes, bytes],
    ) -> None:
        """`headers` are those of the handshake; they hold for every response."""
        self._surface = surface
        self._settings = settings
        self._standing = standing
        self._socket = socket
        self._headers = headers
        self._chain = ResponsesChain()

    async def run(self) -> None:
        """Answer what comes until the socket closes."""
        end_s = time.monotonic() + self._settings.max_session_s
        with Inbox(self._socket, self._settings.max_waiting_messages) as inbox:
            while not self._socket.gone:
                left_s = end_s - time.monotonic()
                message = await inbox.next(min(self._settings.idle_s, max(left_s, 0)))
                if self._socket.server_stops:
                    await self._socket.close_to_stop()
                elif message is not None:
                    await inbox.while_open(self._answer(message))
                elif end_s <= time.monotonic():
                    await self._tell(SocketExpiredError())
                    await self._socket.close(1001, "the session has lasted its time")
                else:
                    await self._socket.close(1001, "nothing was said for too long")

    async def _answer(self, message: str | bytes) -> None:
        try:
            fields = _read(message)
            kind = _name(fields.pop("type", None))
            if kind == "response.steer":
                await self._socket.send(_not_steered(fields))
                return
            if kind != "response.create":
                raise InvalidRequestError(
                    f"The event `{kind[:64]}` is not one that this socket takes; send"
                    " `response.create`.",
                    param="type",
                    code="unsupported_event",
                )
            await self._create(fields)
        except HeadgateError as error:
            await self._tell(error)

    async def _create(self, fields: Fields) -> None:
        """Carry one `response.create`."""
        lane = fields.pop("stream_id", None)
        generates = bytes(fields.pop("generate", b"")) != b"false"
        fields["stream"] = msgspec.Raw(b"true")
        self._chain.resume(fields)
        client = ResponsesClient(self._socket, self._chain, lane=lane)
        if not generates:
            response_id = new_id("resp")
            self._chain.warm_up(response_id, fields)
            await client.write(_warmed_up(response_id, fields))
            return
        caller = await self._standing.caller()
        trace_id, parent = trace_from(self._headers.get(b"traceparent"))
        call = Call(caller, _RESPONSES.name, trace_id=trace_id, parent=parent)
        body = msgspec.json.encode(fields)
        await self._surface.carry_message(call, _RESPONSES, self._headers, body, client)

    async def _tell(self, error: HeadgateError) -> None:
        await self._socket.send(error_message(error, []))


def _read(message: str | bytes) -> Fields:
    try:
        return _fields.decode(message)
    except UNREADABLE:
        raise InvalidRequestError("A message must be a JSON object.", code="invalid_json") from None


def _name(raw: msgspec.Raw | None) -> str:
    try:
        return "" if raw is None else _string.decode(raw)
    except UNREADABLE:
        return ""


def _not_steered(fields: Fields) -> bytes:
    """The event that gives input back with which a response was to be steered."""
    error = {
        "type": "invalid_request_error",
        "code": "steering_not_supported",
        "message": "Headgate carries one response at a time; send `response.create` to go on.",
    }
    steer = {name: fields.get(name) for name in ("input", "previous_response_id")}
    return msgspec.json.encode(
        {"type": "response.steer.failed", "sequence_number": 0, "error": error, "steer": steer}
    )


def _warmed_up(response_id: str, fields: Fields) -> bytes:
    """The events of a response that nothing was written for."""
    model: Any = fields.get("model")
    frame = {
        "id": response_id,
        "object": "response",
        "created_at": int(time.time()),
        "status": "in_progress",
        "model": model,
        "output": [],
        "error": None,
        "incomplete_details": None,
        "instructions": fields.get("instructions"),
        "metadata": fields.get("metadata", {}),
        "parallel_tool_calls": fields.get("parallel_tool_calls", True),
        "previous_response_id": fields.get("previous_response_id"),
        "store": fields.get("store", True),
        "tool_choice": fields.get("tool_choice", "auto"),
        "tools": fields.get("tools", []),
        "usage": None,
    }
    usage = {
        "input_tokens": 0,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 0,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 0,
    }
    ended = {**frame, "status": "completed", "usage": usage}
    events = ("response.created", frame), ("response.completed", ended)
    return b"".join(
        b"data: "
        + msgspec.json.encode({"type": name, "sequence_number": number, "response": response})
        + b"\n\n"
        for number, (name, response) in enumerate(events)
    )
