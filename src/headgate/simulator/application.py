"""The simulator as an ASGI application: from a request to its reply and its faults."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from collections.abc import Callable

import msgspec

from headgate.simulator.config import SimulatorConfig
from headgate.simulator.endpoints.chat import create_chat_completion
from headgate.simulator.endpoints.embeddings import create_embeddings
from headgate.simulator.endpoints.models import get_model, list_models
from headgate.simulator.endpoints.moderations import create_moderation
from headgate.simulator.endpoints.object_routes import OBJECT_ROUTES
from headgate.simulator.endpoints.object_store import ObjectStore
from headgate.simulator.endpoints.response_store import ResponseStore
from headgate.simulator.endpoints.responses import (
    cancel_response,
    create_response,
    delete_response,
    get_response,
    list_input_items,
)
from headgate.simulator.exchange import Exchange, Memory
from headgate.simulator.faults.fault import (
    AnswerFault,
    BreakFault,
    DelayFault,
    ErrorFault,
    Fault,
    PlannedFault,
)
from headgate.simulator.faults.grammar import FaultSyntaxError, parse_faults
from headgate.simulator.faults.schedule import FaultSchedule
from headgate.simulator.gullible import Gullible
from headgate.simulator.observation import Observations
from headgate.simulator.prompt_cache import PromptCache
from headgate.simulator.script import EndpointName, Script, ScriptedReply
from headgate.simulator.sockets.realtime import RealtimeConversation, check_realtime
from headgate.simulator.sockets.responses import serve_responses
from headgate.simulator.sockets.serving import serve_socket
from headgate.simulator.sockets.socket import Socket
from headgate.simulator.temptation import read_temptations
from headgate.simulator.wire.api_error import ApiError
from headgate.simulator.wire.delivery import STREAM_ERROR, Delivery, Header
from headgate.simulator.wire.rate_limits import RateLimits
from headgate.simulator.wire.reply import JsonReply, Reply, error_reply, json_reply
from headgate.simulator.wire.request import (
    ClientGoneError,
    JsonObject,
    Receive,
    Request,
    Scope,
    Send,
    read_request,
)

DEFAULT_TOKENS_PER_S = 400.0
"""The rate of streams where the configuration names none."""

_RESPONSES = "/v1/responses"
_REALTIME = "/v1/realtime"

_LOG = logging.getLogger(__name__)

FAULT_HEADER = "x-simulator-fault"
"""The request header that chooses faults, instead of the configuration's; `none` for none."""

Handler = Callable[[Exchange, str], Reply]


class Route(msgspec.Struct, frozen=True):
    """A method and a path, and who answers them."""

    method: str
    path: re.Pattern[str]
    """Its groups are the ids in the path; the handler gets them joined by slashes."""
    handler: Handler
    name: EndpointName | None = None
    """The endpoint's name in scripts; None for those without a script or a model."""


def _route(method: str, path: str, handler: Handler, name: EndpointName | None = None) -> Route:
    pattern = re.escape(path).replace(r"\{id\}", r"([^/]+)").replace(r"\{name\}", r"(.+)")
    return Route(method, re.compile(rf"^/v1{pattern}/?$"), handler, name)


_ROUTES = (
    _route("POST", "/chat/completions", create_chat_completion, "chat.completions"),
    _route("POST", "/responses", create_response, "responses"),
    _route("GET", "/responses/{id}", get_response),
    _route("DELETE", "/responses/{id}", delete_response),
    _route("GET", "/responses/{id}/input_items", list_input_items),
    _route("POST", "/responses/{id}/cancel", cancel_response),
    _route("POST", "/embeddings", create_embeddings, "embeddings"),
    _route("POST", "/moderations", create_moderation, "moderations"),
    _route("GET", "/models", list_models),
    _route("GET", "/models/{name}", get_model),
    *(_route(method, path, handler) for method, path, handler in OBJECT_ROUTES),
)


class _Plan(msgspec.Struct, frozen=True):
    """What a request gets: a reply, and what goes wrong with it."""

    reply: Reply
    fault: Fault | None = None
    headers: tuple[tuple[str, str], ...] = ()


class Simulator:
    """An OpenAI API as an ASGI application.

    In a test's own process it can be called without a socket; then `cut`, `reset` and the end of a
    `stall` raise `SimulatedDisconnectError` into the server that runs it.
    """

    def __init__(self, config: SimulatorConfig | None = None) -> None:
        """Raises `FaultSyntaxError`, `ScriptError` or `TemptationError` for what can't be used."""
        self.config = config or SimulatorConfig()
        self.observations = Observations()
        self.closing = asyncio.Event()
        self._faults = parse_faults(self.config.faults or "")
        self._script = Script.read(self.config.script) if self.config.script else Script()
        self._gullible = _gullible(self.config)
        self._schedule = FaultSchedule()
        self._memory = Memory(PromptCache(), ResponseStore(), ObjectStore())
        self._limits = RateLimits(self.config.requests_per_min, self.config.tokens_per_min)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; `lifespan` is acknowledged, anything else refused."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._exchange(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._converse(scope, receive, send)
        else:
            raise NotImplementedError(f"the simulator doesn't speak {scope['type']}")

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                self.closing.set()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _exchange(self, scope: Scope, receive: Receive, send: Send) -> None:
        began_s = time.monotonic()
        request: Request | None = None
        try:
            request = await read_request(scope, receive, self.config.max_body_bytes)
            plan = self._plan(request)
        except ClientGoneError:
            return
        except ApiError as error:
            plan = _Plan(error_reply(error))
        except Exception:  # noqa: BLE001 - a mistake of ours is a 500 in the API's shape, and logged
            _LOG.exception("the simulator failed to answer")
            plan = _Plan(error_reply(ApiError(500, STREAM_ERROR, kind="server_error")))
        observed = self.observations.begin(request) if request and _is_observed(request) else None
        status = plan.reply.status if isinstance(plan.reply, JsonReply) else 200
        if observed is not None:
            observed.status = status
        delay_s = plan.fault.seconds if isinstance(plan.fault, DelayFault) else 0.0
        if observed is not None and status < 400:
            delay_s += self.config.first_token_s
        delivery = Delivery(
            scope=scope,
            receive=receive,
            send=send,
            tokens_per_s=self._tokens_per_s,
            broken=plan.fault if isinstance(plan.fault, BreakFault) else None,
            delay_s=delay_s,
            gzip=self._compresses(request),
            closing=self.closing,
        )
        headers = _headers(plan, began_s)
        outcome = await delivery.deliver(plan.reply, status, headers)
        if observed is not None:
            observed.ending = outcome

    async def _converse(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one websocket."""
        struck: list[Fault | None] = [None]

        async def check(request: Request) -> None:
            self.observations.begin(request)
            self._check_key(request)
            if request.path == _REALTIME:
                check_realtime(request)
                fault = struck[0] = self._next_fault(request, ())
                if isinstance(fault, ErrorFault):
                    raise _error_of(fault)
                if isinstance(fault, DelayFault):
                    await asyncio.sleep(fault.seconds)

        async def responses(request: Request, socket: Socket) -> None:
            await serve_responses(
                request, socket, plan=self._planned, tokens_per_s=self._tokens_per_s
            )

        async def realtime(request: Request, socket: Socket) -> None:
            def exchange(body: JsonObject) -> Exchange:
                return Exchange(request=request, body=body, memory=self._memory)

            conversation = RealtimeConversation(
                request,
                socket,
                exchange=exchange,
                fault=struck[0] if isinstance(struck[0], BreakFault) else None,
                tokens_per_s=self._tokens_per_s,
            )
            await conversation.run()

        await serve_socket(
            scope,
            receive,
            send,
            closing=self.closing,
            served={_RESPONSES: responses, _REALTIME: realtime},
            check=check,
        )

    def _planned(self, request: Request) -> tuple[Reply, Fault | None]:
        plan = self._plan(request)
        return plan.reply, plan.fault

    @property
    def _tokens_per_s(self) -> float:
        rate = self.config.tokens_per_s
        return DEFAULT_TOKENS_PER_S if rate is None else rate

    def _compresses(self, request: Request | None) -> bool:
        accepted = request.headers.get("accept-encoding", "") if request else ""
        return self.config.gzip and "gzip" in accepted

    def _plan(self, request: Request) -> _Plan:
        """What `request` gets; `ApiError` where it is refused."""
        if request.path == "/healthz":
            return _Plan(json_reply({"status": "ok"}))
        route, argument = _found(request)
        self._check_key(request)
        if route.name is None:
            # Faults of the configuration are meant for models; a header can mean anything.
            hint = FAULT_HEADER in request.headers
            fault = self._next_fault(request, ()) if hint else None
            if isinstance(fault, ErrorFault):
                return _failed(fault)
            return self._answered(route, argument, request, {}, fault)
        body = request.json_object()
        scripted = self._script.reply_for(route.name, request, body)
        reply, faults = scripted or (None, ())
        fault = self._next_fault(request, faults)
        if isinstance(fault, ErrorFault):
            return _failed(fault)
        if isinstance(fault, BreakFault) and fault.how == "stream-error" and not body.get("stream"):
            # What ends a stream with an error is, for a document, the error itself.
            return _Plan(error_reply(ApiError(500, STREAM_ERROR, kind="server_error")))
        if reply is not None:
            reply.raise_error()
        return self._answered(route, argument, request, body, fault, reply)

    def _answered(
        self,
        route: Route,
        argument: str,
        request: Request,
        body: JsonObject,
        fault: Fault | None,
        scripted: ScriptedReply | None = None,
    ) -> _Plan:
        exchange = Exchange(
            request=request,
            body=body,
            memory=self._memory,
            refuse_unknown=self.config.refuse_unknown_parameters,
            scripted=scripted.answer() if scripted else None,
            gullible=self._gullible,
            twist=fault.twist if isinstance(fault, AnswerFault) else None,
            tokens_per_s=self._tokens_per_s,
        )
        reply = route.handler(exchange, argument)
        if route.name is None:
            return _Plan(reply, fault)
        limits = self._limits.take(
            request.bearer or "", str(body.get("model")), reply.used_tokens, time.monotonic()
        )
        if self.config.enforce_rate_limits and limits.retry_after_s > 0:
            wait_s = limits.retry_after_s
            refused = ApiError(
                429,
                f"Rate limit reached for {body.get('model')}. Please try again in {wait_s:.3f}s.",
                kind="requests" if limits.remaining_requests < 1 else "tokens",
                code="rate_limit_exceeded",
                headers=(
                    ("retry-after", str(max(1, round(wait_s)))),
                    ("retry-after-ms", str(max(1, round(wait_s * 1000)))),
                ),
            )
            return _Plan(error_reply(refused), headers=limits.headers())
        return _Plan(reply, fault, limits.headers())

    def _check_key(self, request: Request) -> None:
        key = request.bearer
        if key is None:
            raise ApiError(
                401,
                "You didn't provide an API key. You need to provide your API key in an"
                " Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
            )
        if self.config.api_keys and key not in self.config.api_keys:
            shown = f"{key[:4]}***{key[-4:]}" if len(key) > 12 else "***"
            raise ApiError(401, f"Incorrect API key provided: {shown}.", code="invalid_api_key")

    def _next_fault(self, request: Request, scripted: tuple[PlannedFault, ...]) -> Fault | None:
        header = request.headers.get(FAULT_HEADER)
        try:
            planned = parse_faults(header) if header is not None else self._faults
        except FaultSyntaxError as error:
            raise ApiError(400, f"{FAULT_HEADER}: {error}", param=FAULT_HEADER) from None
        if header is None and scripted:
            planned = scripted
        return self._schedule.next_fault(planned, request.body)


def _gullible(config: SimulatorConfig) -> Gullible | None:
    if config.gullible is None:
        return None
    return Gullible(read_temptations(config.gullible), config.gullible_seed)


def _found(request: Request) -> tuple[Route, str]:
    """The route for `request` and the id in its path; `ApiError` 404 or 405 where there is none."""
    path_known = False
    for route in _ROUTES:
        hit = route.path.match(request.path)
        if hit is None:
            continue
        if route.method == request.method:
            return route, "/".join(hit.groups())
        path_known = True
    if path_known:
        raise ApiError(
            405,
            f"Not allowed to {request.method} on {request.path}.",
            code="method_not_supported",
        )
    raise ApiError(404, f"Invalid URL ({request.method} {request.path})")


def _is_observed(request: Request) -> bool:
    return request.path != "/healthz"


def _failed(fault: ErrorFault) -> _Plan:
    if fault.html:
        page = f"<html><head><title>{fault.status}</title></head><body>Bad gateway</body></html>"
        headers = (("content-type", "text/html"), *fault.headers)
        return _Plan(JsonReply(body=page.encode(), status=fault.status, headers=headers))
    return _Plan(error_reply(_error_of(fault)))


def _error_of(fault: ErrorFault) -> ApiError:
    return ApiError(
        fault.status,
        fault.message,
        kind=fault.kind,
        param=fault.param,
        code=fault.code,
        headers=fault.headers,
    )


def _headers(plan: _Plan, began_s: float) -> list[Header]:
    took_ms = max(1, round((time.monotonic() - began_s) * 1000))
    own = dict(plan.reply.headers)
    headers = {
        "content-type": "application/json",
        "x-request-id": f"req_{secrets.token_hex(16)}",
        "openai-organization": "headgate-simulator",
        "openai-processing-ms": str(took_ms),
        "openai-project": "proj_simulator",
        "openai-version": "2020-10-01",
        "x-headgate-simulated": "true",
        **dict(plan.headers),
        **own,
    }
    return [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
