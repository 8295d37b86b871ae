"""Websockets under `/v1/`: who asks, whether there is room, and who carries what they say.

In raw ASGI, beside `intake.http.openai_surface`, which knows who asks.
"""

from __future__ import annotations

import asyncio
from typing import Any

from headgate.config.sockets import SocketSettings
from headgate.errors import (
    HeadgateError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    UnavailableError,
    UpstreamLoopError,
)
from headgate.gateway.call import Call, Headers, Refusal
from headgate.gateway.caller import Caller
from headgate.gateway.endpoints.realtime import REALTIME
from headgate.gateway.realtime.carrier import ProviderRefusal, RealtimeCarrier
from headgate.intake.http.openai_surface import OpenAISurface
from headgate.intake.http.request_body import Receive, Scope, Send
from headgate.intake.http.routes import query_pairs
from headgate.intake.sockets.client_secrets import PREFIX, ClientSecrets, Granted
from headgate.intake.sockets.client_socket import ClientSocket
from headgate.intake.sockets.responses_session import ResponsesSession
from headgate.intake.sockets.standing import Standing
from headgate.storage.identifiers import new_id
from headgate.telemetry.faults import log_fault
from headgate.telemetry.traces.lineage import trace_from

_RESPONSES = "/v1/responses"
_REALTIME = "/v1/realtime"

_KEY_SUBPROTOCOL = "openai-insecure-api-key."
"""Before the key, in the list of subprotocols: a browser can send no header."""

_SUBPROTOCOL = "realtime"
"""The one that is agreed on, where it is offered."""

_OF_ONE_REQUEST = (b"idempotency-key", b"x-client-request-id")
"""Headers that can't hold for all that is asked over a socket."""


class SocketSurface:
    """Serves websockets."""

    def __init__(
        self,
        calls: OpenAISurface,
        realtime: RealtimeCarrier,
        secrets: ClientSecrets,
        settings: SocketSettings,
        *,
        simulated: bool,
    ) -> None:
        """`calls` knows who asks and carries responses."""
        self._secrets = secrets
        self._calls = calls
        self._realtime = realtime
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
            granted = self._granted(scope, headers)
            standing = Standing(self._calls, scope, headers, granted)
            caller = await self._admitted(scope, headers, standing)
            if scope["path"] == _RESPONSES:
                await socket.accept(told, _agreed(socket))
                session = ResponsesSession(self._calls, self._settings, standing, socket, headers)
                await session.run()
            else:
                query = scope["query_string"]
                await self._converse(caller, standing, granted, socket, headers, query, told)
        except HeadgateError as error:
            await socket.refuse(error, told)
        except asyncio.CancelledError:
            # The server stops and waits no longer: what was under way has been settled.
            await socket.close_to_stop()
        except Exception as fault:  # noqa: BLE001 - the log tells where, the client that it failed
            log_fault("websocket failed", fault, call_id=request_id, trace_id="")
            await socket.close(1011, f"internal error, see {request_id}")
        finally:
            self.sessions -= 1

    def _granted(self, scope: Scope, headers: dict[bytes, bytes]) -> Granted | None:
        """What a client secret opens, where one was sent in place of a key."""
        scheme, _, value = headers.get(b"authorization", b"").partition(b" ")
        shown = value.strip().decode("latin-1")
        if scheme.lower() != b"bearer" or not shown.startswith(PREFIX):
            return None
        if scope["path"] != _REALTIME:
            raise PermissionDeniedError(
                "A client secret opens realtime sessions only; send a key.",
                code="client_secret_not_allowed",
            )
        return self._secrets.read(shown)

    async def _admitted(
        self, scope: Scope, headers: dict[bytes, bytes], standing: Standing
    ) -> Caller:
        if self._calls.is_own(headers):
            raise UpstreamLoopError
        if scope["path"] not in (_RESPONSES, _REALTIME):
            raise NotFoundError(
                "There is no websocket at this address; /v1/responses and /v1/realtime are some."
            )
        caller = await standing.caller()
        if self.sessions > self._settings.max_sessions:
            raise UnavailableError(
                f"This process has {self._settings.max_sessions} websockets open, as many as it"
                " may; try again shortly, or raise sockets.max_sessions.",
                code="too_many_sockets",
            )
        return caller

    async def _converse(
        self,
        caller: Caller,
        standing: Standing,
        granted: Granted | None,
        socket: ClientSocket,
        headers: dict[bytes, bytes],
        query: bytes,
        told: Headers,
    ) -> None:
        """Carry a realtime session; one that can't be opened is a refused handshake."""
        asked = dict(query_pairs(query))
        trace_id, parent = trace_from(headers.get(b"traceparent"))
        call = Call(caller, REALTIME.name, trace_id=trace_id, parent=parent)
        self._calls.take_headers(call, headers)
        session = None
        if granted is None:
            self._calls.name_user(call, headers)
        else:
            # Whom a secret was made for is the application's word, not that of its holder.
            call.record.feature, call.record.user_hash = granted.feature, granted.user_hash
            session = granted.session
            if granted.trust == "untrusted":
                call.trust = "untrusted"
        model = _model(asked, granted)
        opened = await self._realtime.open(
            call, model, _onward(asked, session), socket, session, standing.caller
        )
        if isinstance(opened, Refusal):
            await socket.refuse(opened.error, [*opened.headers, *told[1:]])
        elif isinstance(opened, ProviderRefusal):
            await socket.refuse_with(opened.status, opened.body, [*opened.headers, *told[1:]])
        else:
            await socket.accept([*opened.headers, *told[1:]], _agreed(socket))
            await opened.run()


def _model(asked: dict[str, str], granted: Granted | None) -> str:
    """The model that a session is opened with."""
    if "call_id" in asked:
        raise InvalidRequestError(
            "Headgate doesn't know whose a call over telephone or WebRTC is; open a session with"
            " `model`.",
            param="call_id",
            code="unsupported_parameter",
        )
    model = asked.get("model")
    bound = None if granted is None else granted.model
    if bound is not None and model not in (None, "", bound):
        raise PermissionDeniedError(
            f"That client secret is for the model `{bound[:64]}`.",
            param="model",
            code="model_not_allowed",
        )
    if not (model := bound or model):
        raise InvalidRequestError(
            "The address must name a model or a route: /v1/realtime?model=…",
            param="model",
            code="missing_required_parameter",
        )
    return model


def _onward(asked: dict[str, str], session: dict[str, Any] | None) -> str:
    """What the provider is told beside the model."""
    writes = (session or {}).get("type") == "transcription"
    return "intent=transcription" if writes or asked.get("intent") == "transcription" else ""


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
