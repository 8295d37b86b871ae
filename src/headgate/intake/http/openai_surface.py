"""`POST /v1/…`: finds out who asks, reads what they ask, and has the gateway carry it.

This is the hot path's first layer, in raw ASGI; each line here is paid for by every call.
"""

from __future__ import annotations

from collections.abc import Callable

from headgate.config.endpoints import EndpointsSettings
from headgate.config.settings import ServerSettings
from headgate.errors import (
    HeadgateError,
    InvalidRequestError,
    UpstreamLoopError,
)
from headgate.gateway.call import Call, Client, LastWords, Refusal
from headgate.gateway.caller import Caller
from headgate.gateway.deadline import patience_from
from headgate.gateway.endpoints import ENDPOINTS, Endpoint
from headgate.gateway.forms import SpoolRoom, spool
from headgate.gateway.gateway import Gateway
from headgate.gateway.provider import VIA_HEADER
from headgate.gateway.request import Request, read_form_request, read_request
from headgate.gateway.request_headers import no_store_from
from headgate.gateway.routing import WORKFLOW_PREFIX
from headgate.intake.access.authentication import Authenticator
from headgate.intake.access.networks import TrustedProxies
from headgate.intake.access.roles import require
from headgate.intake.http.header_lines import by_name
from headgate.intake.http.http_client import HttpClient
from headgate.intake.http.reply import REPLY
from headgate.intake.http.request_body import Receive, Scope
from headgate.intake.http.streamed_body import StreamedBody, is_form
from headgate.storage.identifiers import new_id
from headgate.telemetry.traces.lineage import trace_from
from headgate.workflows.durable.carrier import DurableRuns
from headgate.workflows.openai.surface import answer_workflow

_RUNS_WORKFLOWS = ("responses", "chat/completions")

_FORWARDED = (b"idempotency-key", b"openai-beta", b"x-client-request-id")
"""Request headers that a provider sees too, where the client sent them."""

_VIA = VIA_HEADER.encode()

_FAULT_HINT = b"x-simulator-fault"

_CACHE = b"x-headgate-cache"
_CACHE_TAG = b"x-headgate-cache-tag"
_TRUST = b"x-headgate-trust"

_SAYS_SOMETHING = frozenset(
    {
        *_FORWARDED,
        _FAULT_HINT,
        _CACHE,
        _CACHE_TAG,
        b"x-headgate-complexity",
        b"x-headgate-feature",
        b"x-headgate-hedge",
        b"x-headgate-priority",
        _TRUST,
    }
)
"""Headers that say something of a call; most calls have none, so they are looked for at once."""

_MAX_FORWARDED_BYTES = 1024
_MAX_USER_CHARACTERS = 512


class OpenAISurface:
    """Serves the endpoints of `gateway.endpoints`."""

    def __init__(
        self,
        gateway: Gateway,
        authenticator: Authenticator,
        proxies: TrustedProxies,
        durable: DurableRuns,
        settings: ServerSettings,
        hash_user: Callable[[str], str],
        uploads: EndpointsSettings,
        *,
        room: SpoolRoom,
        via: str,
        untrusted: frozenset[str] = frozenset(),
    ) -> None:
        """Forms wait in `room`.

        `untrusted` are the projects whose calls carry content from outside.
        """
        self._gateway = gateway
        self._authenticator = authenticator
        self._proxies = proxies
        self._durable = durable
        self._settings = settings
        self._hash_user = hash_user
        self._uploads = uploads
        self._room = room
        self._via = via.encode()
        self._untrusted = untrusted
        self._fault_hints = gateway.routing.takes_fault_hints
        self.endpoints: dict[str, Endpoint] = {f"/v1/{name}": e for name, e in ENDPOINTS.items()}

    async def serve(self, endpoint: Endpoint, scope: Scope, receive: Receive) -> None:
        """Answer one POST to `endpoint`."""
        headers = by_name(scope["headers"])
        # Taken out: a scope and a reply that hold each other would wait for the collector.
        reply = scope["extensions"].pop(REPLY)
        client = HttpClient(headers, receive, reply, self._settings.gzip_min_bytes)
        try:
            if self.is_own(headers):
                raise UpstreamLoopError
            caller = await self.caller(scope, headers)
            require(caller.role, "models.call")
        except HeadgateError as error:
            await client.finish(Refusal(error, [(b"x-request-id", new_id("req").encode())]))
            return
        trace_id, parent = trace_from(headers.get(b"traceparent"))
        call = Call(caller, endpoint.name, trace_id=trace_id, parent=parent)
        if endpoint.takes_form and is_form(headers):
            await self._serve_form(call, endpoint, headers, receive, client)
            return
        try:
            self.take_headers(call, headers)
            settings = self._settings
            body = await client.body(settings.max_body_bytes, settings.client_idle_s)
            request = self._read(call, endpoint, headers, body)
            if request.model.startswith(WORKFLOW_PREFIX) and endpoint.name in _RUNS_WORKFLOWS:
                with client.watched():
                    await self._run_workflow(call, request, client, headers)
                return
        except HeadgateError as error:
            await self._gateway.refuse(call, error, client)
            return
        with client.watched():
            await self._gateway.carry(call, request, client)

    async def carry_message(
        self, call: Call, endpoint: Endpoint, headers: dict[bytes, bytes], body: bytes, to: Client
    ) -> None:
        """As `serve`, for a request that came as a message of a websocket opened with `headers`."""
        try:
            self.take_headers(call, headers)
            request = self._read(call, endpoint, headers, body)
            if request.model.startswith(WORKFLOW_PREFIX):
                await self._run_workflow(call, request, to, headers)
                return
        except HeadgateError as error:
            await self._gateway.refuse(call, error, to)
            return
        await self._gateway.carry(call, request, to)

    async def _serve_form(
        self,
        call: Call,
        endpoint: Endpoint,
        headers: dict[bytes, bytes],
        receive: Receive,
        client: HttpClient,
    ) -> None:
        """As `serve`, for a request that is a multipart form: read to its end, but not held."""
        try:
            if b"x-headgate-feature" in headers:
                call.name_feature(headers[b"x-headgate-feature"])
            self.take_trust(call, headers)
            call.forwarded = self.forwarded(headers)
            source = StreamedBody(
                headers,
                receive,
                limit_bytes=self._uploads.max_upload_bytes,
                idle_s=self._uploads.upload_idle_s,
            )
            form = await spool(source, headers[b"content-type"], self._room)
        except HeadgateError as error:
            await self._gateway.refuse(call, error, client)
            return
        try:
            request = read_form_request(endpoint, form)
            self._note(call, headers, request)
            with client.watched():
                await self._gateway.carry(call, request, client)
        except HeadgateError as error:
            await self._gateway.refuse(call, error, client)
        finally:
            form.close()

    async def caller(self, scope: Scope, headers: dict[bytes, bytes]) -> Caller:
        """Who asks; raises 401, or 503 where that can't be found out."""
        address = self._address(scope, headers)
        authorization = headers.get(b"authorization")
        return self._authenticator.recall(authorization, address) or await self._authenticator.load(
            authorization, address
        )

    async def holder(self, scope: Scope, headers: dict[bytes, bytes], key_id: str) -> Caller:
        """As `caller`, for what was handed out with a key."""
        return await self._authenticator.holder(key_id, self._address(scope, headers))

    @property
    def changes_of_keys(self) -> int:
        """How often keys or projects have been seen to change."""
        return self._authenticator.changes

    def _address(self, scope: Scope, headers: dict[bytes, bytes]) -> str | None:
        peer = scope.get("client")
        address = peer[0] if peer else None
        if b"x-forwarded-for" in headers:
            address = self._proxies.client_address(address, _joined(scope, b"x-forwarded-for"))
        return address

    def _read(
        self, call: Call, endpoint: Endpoint, headers: dict[bytes, bytes], body: bytes
    ) -> Request:
        request = read_request(endpoint, body)
        self._note(call, headers, request)
        return request

    def take_trust(self, call: Call, headers: dict[bytes, bytes]) -> None:
        """Note whose content a request carries: its project's word, or a stricter one of its own.

        Raises `InvalidRequestError`.
        """
        if call.caller.project in self._untrusted:
            call.trust = "untrusted"
        if _TRUST in headers:
            call.name_trust(headers[_TRUST])

    def take_headers(self, call: Call, headers: dict[bytes, bytes]) -> None:
        """Note what a request's headers say of the call; raises `InvalidRequestError`."""
        call.patience = patience_from(
            headers.get(b"x-stainless-read-timeout"),
            headers.get(b"x-stainless-timeout"),
            headers.get(b"prefer"),
        )
        if _SAYS_SOMETHING.isdisjoint(headers):
            self.take_trust(call, headers)
            return
        if b"x-headgate-feature" in headers:
            call.name_feature(headers[b"x-headgate-feature"])
        self.take_trust(call, headers)
        if b"x-headgate-priority" in headers:
            call.name_priority(headers[b"x-headgate-priority"])
        if self._gateway.cache is not None:
            call.name_cache(headers.get(_CACHE), headers.get(_CACHE_TAG))
        call.forwarded = self.forwarded(headers)
        call.take_hints(headers.get(b"x-headgate-complexity"), headers.get(b"x-headgate-hedge"))

    def _note(self, call: Call, headers: dict[bytes, bytes], request: Request) -> None:
        call.record.model_requested = request.model[:256] or None
        call.record.streamed = request.streamed
        call.name_user(_user(headers) or request.end_user(), self._hash_user)

    def name_user(self, call: Call, headers: dict[bytes, bytes]) -> None:
        """Note the end user whom a request's headers name."""
        call.name_user(_user(headers), self._hash_user)

    def is_own(self, headers: dict[bytes, bytes]) -> bool:
        """Whether this installation sent the request itself, to a provider that leads back."""
        return headers.get(_VIA) == self._via

    def forwarded(self, headers: dict[bytes, bytes]) -> bytes:
        """The header lines of the client's that a provider sees too."""
        lines = b""
        for name in _FORWARDED:
            if name in headers:
                lines += _line(name, headers[name])
        if self._fault_hints and _FAULT_HINT in headers:
            lines += _line(_FAULT_HINT, headers[_FAULT_HINT])
        return lines

    async def _run_workflow(
        self, call: Call, request: Request, client: Client, headers: dict[bytes, bytes]
    ) -> None:
        """Answer with a run's output. The run's own calls are the ones that are recorded."""
        require(call.caller.role, "workflows.run")
        hint = headers.get(_FAULT_HINT) if self._fault_hints else None
        idempotency_key = headers.get(b"idempotency-key")
        answer = await answer_workflow(
            self._durable.runner,
            self._durable.run,
            name=request.model.removeprefix(WORKFLOW_PREFIX),
            endpoint="responses" if request.endpoint.name == "responses" else "chat/completions",
            body=request.body_for(request.model),
            caller=call.caller,
            trace_id=call.record.trace_id,
            parent=call.record.parent,
            feature=call.record.feature,
            user=_user(headers) or request.end_user(),
            idempotency_key=idempotency_key.decode("latin-1") if idempotency_key else None,
            no_store=no_store_from(headers.get(_CACHE)),
            untrusted=call.trust == "untrusted",
            headers=((_FAULT_HINT, hint),) if hint else (),
        )
        told = [(b"x-request-id", call.record.id.encode()), *answer.headers]
        if answer.body is not None:
            await client.finish(LastWords(answer.body, answer.status, told))
            return
        await client.begin(answer.status, told)
        for event in answer.events[:-1]:
            await client.write(event)
        await client.finish(LastWords(answer.events[-1]))


def _user(headers: dict[bytes, bytes]) -> str | None:
    user = headers.get(b"x-headgate-user")
    return user.decode("utf-8", "replace")[:_MAX_USER_CHARACTERS] if user else None


def _joined(scope: Scope, name: bytes) -> str:
    return b",".join(value for key, value in scope["headers"] if key == name).decode("latin-1")


def _line(name: bytes, value: bytes) -> bytes:
    if len(value) > _MAX_FORWARDED_BYTES or b"\r" in value or b"\n" in value:
        raise InvalidRequestError(
            f"The header {name.decode()} is longer than {_MAX_FORWARDED_BYTES} bytes.",
            param=name.decode(),
        )
    return b"%b: %b\r\n" % (name, value)
