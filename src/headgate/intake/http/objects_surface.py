"""`/v1/files`, `/v1/batches` and their like: who asks, what about, and as what body.

In raw ASGI beside `openai_surface.py`, because bodies and replies are streamed here.
"""

from __future__ import annotations

from headgate.config.endpoints import EndpointsSettings
from headgate.config.settings import ServerSettings
from headgate.errors import HeadgateError, UnsupportedMediaTypeError, UpstreamLoopError
from headgate.gateway.call import Call, Refusal
from headgate.gateway.forms import boundary_of
from headgate.gateway.objects.allowed import AllowedPaths
from headgate.gateway.objects.asking import ObjectRequest
from headgate.gateway.objects.carrier import ObjectCarrier
from headgate.gateway.objects.operation import Found, Operation, OperationTable
from headgate.gateway.objects.operations import OPERATIONS
from headgate.gateway.upstream import RequestBody
from headgate.intake.access.roles import require
from headgate.intake.http.header_lines import by_name
from headgate.intake.http.http_client import HttpClient
from headgate.intake.http.openai_surface import OpenAISurface
from headgate.intake.http.reply import REPLY
from headgate.intake.http.request_body import Receive, Scope
from headgate.intake.http.routes import query_pairs
from headgate.intake.http.streamed_body import StreamedBody
from headgate.storage.identifiers import new_id
from headgate.telemetry.traces.lineage import trace_from

_JSON = b"application/json"
_FORM = b"multipart/form-data"
_PREFIX = "/v1"
_MAX_ACCEPT_BYTES = 256


class ObjectsSurface:
    """Serves the operations of `gateway.objects`, and what an operator lets pass."""

    def __init__(
        self,
        carrier: ObjectCarrier,
        calls: OpenAISurface,
        server: ServerSettings,
        endpoints: EndpointsSettings,
        more: tuple[Operation, ...] = (),
    ) -> None:
        """`calls` knows who asks, and which headers go on to a provider.

        `more` are operations beside those that are always served.
        """
        self._carrier = carrier
        self._calls = calls
        self._server = server
        self._endpoints = endpoints
        self._operations = OperationTable((*OPERATIONS, *more))
        self._allowed = AllowedPaths(endpoints.allow) if endpoints.allow else None

    @property
    def in_flight(self) -> int:
        """How many requests are being carried."""
        return self._carrier.in_flight

    def find(self, method: str, path: str) -> Found | None:
        """What is asked for at `path`; None where it is nothing that is served here."""
        if not path.startswith("/v1/"):
            return None
        below = path.removeprefix(_PREFIX)
        found = self._operations.find(method, below)
        if found is None and self._allowed is not None:
            found = self._allowed.find(method, below)
        return found

    async def serve(self, found: Found, scope: Scope, receive: Receive) -> None:
        """Answer one request."""
        headers = by_name(scope["headers"])
        reply = scope["extensions"][REPLY]
        client = HttpClient(headers, receive, reply, self._server.gzip_min_bytes)
        try:
            if self._calls.is_own(headers):
                raise UpstreamLoopError
            caller = await self._calls.caller(scope, headers)
            require(caller.role, "models.call")
        except HeadgateError as error:
            await client.finish(Refusal(error, [(b"x-request-id", new_id("req").encode())]))
            return
        trace_id, parent = trace_from(headers.get(b"traceparent"))
        call = Call(caller, found.operation.name, trace_id=trace_id, parent=parent)
        try:
            if b"x-headgate-feature" in headers:
                call.name_feature(headers[b"x-headgate-feature"])
            self._calls.take_trust(call, headers)
            call.forwarded = self._calls.forwarded(headers)
            request = await self._read(found, scope, receive, headers, client)
        except HeadgateError as error:
            await self._carrier.refuse(call, error, client)
            return
        with client.watched():
            await self._carrier.carry(call, request, client)

    async def _read(
        self,
        found: Found,
        scope: Scope,
        receive: Receive,
        headers: dict[bytes, bytes],
        client: HttpClient,
    ) -> ObjectRequest:
        operation = found.operation
        body: bytes | RequestBody = b""
        content_type: bytes | None = None
        if operation.method not in ("GET", "DELETE"):
            given = headers.get(b"content-type", b"")
            kind = given.partition(b";")[0].strip().lower()
            is_form = kind == _FORM and operation.takes_form and boundary_of(given) is not None
            if is_form or (operation.effect == "pass" and kind not in (b"", _JSON, _FORM)):
                body, content_type = self._streamed(headers, receive), given
            elif kind == _FORM:
                raise UnsupportedMediaTypeError(
                    f"{operation.name} takes JSON, not a form."
                    if not operation.takes_form
                    else "The header content-type must be `multipart/form-data; boundary=…`."
                )
            else:
                bounds = self._server
                body = await client.body(bounds.max_body_bytes, bounds.client_idle_s)
                content_type = _JSON
        accept = headers.get(b"accept")
        if accept is not None and len(accept) > _MAX_ACCEPT_BYTES:
            accept = None
        return ObjectRequest(
            found=found,
            query=query_pairs(scope["query_string"]),
            body=body,
            content_type=content_type,
            accept=accept,
        )

    def _streamed(self, headers: dict[bytes, bytes], receive: Receive) -> StreamedBody:
        return StreamedBody(
            headers,
            receive,
            limit_bytes=self._endpoints.max_upload_bytes,
            idle_s=self._endpoints.upload_idle_s,
        )
