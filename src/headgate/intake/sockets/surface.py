"""Websockets under `/v1/`: who asks, whether there is room, and who carries what they say.

In raw ASGI, beside `intake.http.openai_surface`, which knows who asks.
"""

from __future__ import annotations

import asyncio

from headgate.config.sockets import SocketSettings
from headgate.errors import (
    HeadgateError,
    NotFoundError,
    UnavailableError,
    UpstreamLoopError,
)
from headgate.gateway.caller import Caller
from headgate.intake.access.roles import require
from headgate.intake.http.openai_surface import OpenAISurface
from headgate.intake.http.request_body import Receive, Scope, Send
from headgate.intake.sockets.client_socket import ClientSocket
from headgate.intake.sockets.responses_session import ResponsesSession
from headgate.storage.identifiers import new_id
from headgate.telemetry.faults import log_fault

_KEY_SUBPROTOCOL = "openai-insecure-api-key."
"""Before the key, in the list of subprotocols: a browser can send no header."""

_SUBPROTOCOL = "realtime"
"""The one that is agreed on, where it is offered."""

_OF_ONE_REQUEST = (b"idempotency-key", b"x-client-request-id")
"""Headers that can't hold for all that is asked over a socket."""


class SocketSurface:
    """Serves websockets."""

    def __init__(self, calls: OpenAISurface, settings: SocketSettings, *, simulated: bool) -> None:
        """`calls` knows who asks and carries responses."""
        self._calls = calls
        self._settings = settings
        self._simulated = simulated
        self.sessions = 0
        """How many are open."""

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one handshake and, where it is let in, all that follows."""
        socket = ClientSocket(scope, receive, send)
        request_id = new_id("req")
        told = [(b"x-request-id", request_id.encode())]
        if self._simulated:
            told.append((b"x-headgate-simulated", b"true"))
        self.sessions += 1
        try:
            headers = _with_key(socket)
            caller = await self._admitted(scope, headers)
            await self._session(caller, socket, headers, told)
        except HeadgateError as error:
            await socket.refuse(error, told)
        except asyncio.CancelledError:
            # The server stops and waits no longer: what was under way has been settled.
            await socket.close(1012, "the server stops")
        except Exception as fault:  # noqa: BLE001 - the log tells where, the client that it failed
            log_fault("websocket failed", fault, call_id=request_id, trace_id="")
            await socket.close(1011, f"internal error, see {request_id}")
        finally:
            self.sessions -= 1

    async def _admitted(self, scope: Scope, headers: dict[bytes, bytes]) -> Caller:
        if self._calls.is_own(headers):
            raise UpstreamLoopError
        if scope["path"] != "/v1/responses":
            raise NotFoundError(
                "There is no websocket at this address; /v1/responses and /v1/realtime are some."
            )
        caller = await self._calls.caller(scope, headers)
        require(caller.role, "models.call")
        if self.sessions > self._settings.max_sessions:
            raise UnavailableError(
                f"This process has {self._settings.max_sessions} websockets open, as many as it"
                " may; try again shortly, or raise sockets.max_sessions.",
                code="too_many_sockets",
            )
        return caller

    async def _session(
        self,
        caller: Caller,
        socket: ClientSocket,
        headers: dict[bytes, bytes],
        told: list[tuple[bytes, bytes]],
    ) -> None:
        await socket.accept(told, _agreed(socket))
        await ResponsesSession(self._calls, self._settings, caller, socket, headers).run()


def _with_key(socket: ClientSocket) -> dict[bytes, bytes]:
    """The handshake's headers, with the key in its place if it came as a browser sends it."""
    headers = {name: value for name, value in socket.headers.items() if name not in _OF_ONE_REQUEST}
    if b"authorization" not in headers:
        for offered in socket.subprotocols:
            if offered.startswith(_KEY_SUBPROTOCOL):
                key = offered.removeprefix(_KEY_SUBPROTOCOL)
                headers[b"authorization"] = b"Bearer " + key.encode("latin-1", "replace")
    return headers


def _agreed(socket: ClientSocket) -> str | None:
    return _SUBPROTOCOL if _SUBPROTOCOL in socket.subprotocols else None
