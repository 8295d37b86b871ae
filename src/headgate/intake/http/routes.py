"""Turns `Endpoint`s into an ASGI application: checks key and permission, runs, renders.

Not for `/v1/…`, whose hot path stands beside it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from urllib.parse import parse_qsl

import msgspec
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

from headgate.errors import (
    ClientGoneError,
    HeadgateError,
    InvalidRequestError,
    MethodNotAllowedError,
    NotFoundError,
)
from headgate.gateway.caller import Caller
from headgate.intake.access.authentication import Authenticator
from headgate.intake.access.networks import TrustedProxies, is_within, parse_address
from headgate.intake.access.roles import Permission, require
from headgate.intake.http.endpoint import ApiReply, ApiRequest, Endpoint
from headgate.intake.http.errors import error_body, error_headers, internal_error, log_fault
from headgate.intake.http.inputs import Input
from headgate.intake.http.reply import REPLY
from headgate.intake.http.request_body import read_body
from headgate.storage.identifiers import new_id

_STRICT = "/api/"
"""Where an unknown field is an error; OpenAI's own addresses let it pass, as OpenAI does."""

_FORWARDING_HEADERS = ("x-forwarded-for", "forwarded", "x-real-ip", "x-forwarded-host", "via")
"""A request with one of these came through a proxy, so its peer is not who asks."""


class Gatekeeper(msgspec.Struct, frozen=True, kw_only=True):
    """What stands between a request and every handler."""

    authenticator: Authenticator
    trusted_proxies: TrustedProxies
    max_body_bytes: int
    client_idle_s: float

    async def caller(
        self, headers: Headers, client_address: str | None, permission: Permission
    ) -> Caller:
        """Who asks; raises 401, 403 or 503 where the key is not valid or not allowed."""
        authorization = headers.get("authorization")
        caller = await self.authenticator.authenticate(
            None if authorization is None else authorization.encode("latin-1"), client_address
        )
        require(caller.role, permission)
        return caller


def routed(endpoints: Iterable[Endpoint], gatekeeper: Gatekeeper) -> Starlette:
    """An application that serves every endpoint that has a handler.

    At an address that is served elsewhere it still answers other methods, with 405.
    """
    by_path: dict[str, dict[str, Endpoint]] = {}
    for endpoint in endpoints:
        methods = by_path.setdefault(endpoint.path, {})
        if endpoint.method in methods:
            raise ValueError(f"two endpoints for {endpoint.method} {endpoint.path}")
        methods[endpoint.method] = endpoint
    application = Starlette(
        routes=[Route(path, _Address(methods, gatekeeper)) for path, methods in by_path.items()],
        exception_handlers={404: _not_found},
    )
    application.router.redirect_slashes = False
    return application


class _Address:
    """What stands at one path: an ASGI application."""

    def __init__(self, methods: dict[str, Endpoint], gatekeeper: Gatekeeper) -> None:
        self._methods = methods
        self._gatekeeper = gatekeeper

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = new_id("req")
        try:
            reply = await self._answer(scope, receive, request_id)
            response = _rendered(reply)
        except ClientGoneError:
            return
        except HeadgateError as error:
            response = _error_response(error)
            if isinstance(error, MethodNotAllowedError):
                response.headers["allow"] = ", ".join(sorted(self._methods))
        except Exception as error:  # noqa: BLE001 - the client is told 500, the log where
            # No traceback of the logger's: it would quote the exception's text.
            log_fault("request failed", error, request_id=request_id)
            response = _error_response(internal_error(request_id))
        response.headers["x-request-id"] = request_id
        response.headers["cache-control"] = "no-store"
        if scope["method"] == "HEAD":
            # Its length stays what GET would send.
            response.body = b""
            if isinstance(response, StreamingResponse):
                response = Response(status_code=response.status_code, headers=response.headers)
        await response(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, request_id: str) -> ApiReply:
        method = scope["method"]
        endpoint = self._methods.get("GET" if method == "HEAD" else method)
        if endpoint is None:
            raise MethodNotAllowedError(
                f"{scope['path']} does not take {method}; use {' or '.join(sorted(self._methods))}."
            )
        if endpoint.handler is None:
            raise NotFoundError(f"{scope['path']} is not served here.")
        headers = Headers(scope=scope)
        peer = scope["client"][0] if scope.get("client") else None
        client_address = self._gatekeeper.trusted_proxies.client_address(
            peer, ", ".join(headers.getlist("x-forwarded-for")) or None
        )
        caller = None
        if endpoint.permission is not None and not _is_open(endpoint, peer, headers):
            caller = await self._gatekeeper.caller(headers, client_address, endpoint.permission)
        pairs = query_pairs(scope["query_string"])
        for text in (*scope["path_params"].values(), *(value for _, value in pairs)):
            # PostgreSQL takes no such text, and nothing here is named by it.
            if "\0" in text:
                raise InvalidRequestError("The address holds a NUL character; leave it out.")
        reply = scope.get("extensions", {}).get(REPLY)
        request = ApiRequest(
            request_id=request_id,
            known_caller=caller,
            client_address=client_address,
            path=scope["path_params"],
            query_pairs=pairs,
            headers=headers,
            body=await self._body(scope, receive) if method != "HEAD" else b"",
            is_stopping=lambda: reply is not None and reply.stopping,
        )
        if endpoint.path.startswith(_STRICT):
            # An answer that ignores a misspelt field looks like one that took it into account.
            request.query(endpoint.query or Input)
            if endpoint.request is None and request.body.strip():
                request.json(Input)
        return await endpoint.handler(request)

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        encoding = dict(scope["headers"]).get(b"content-encoding")
        gatekeeper = self._gatekeeper
        return await read_body(
            receive, encoding, gatekeeper.max_body_bytes, gatekeeper.client_idle_s
        )


def _is_open(endpoint: Endpoint, peer: str | None, headers: Headers) -> bool:
    if not endpoint.open_to or peer is None or "authorization" in headers:
        return False
    if any(name in headers for name in _FORWARDING_HEADERS):
        return False
    return is_within(parse_address(peer), endpoint.open_to)


def query_pairs(query_string: bytes) -> tuple[tuple[str, str], ...]:
    """The pairs of a query; `InvalidRequestError` where it is not well formed."""
    try:
        return tuple(
            parse_qsl(query_string.decode("ascii"), keep_blank_values=True, max_num_fields=100)
        )
    except (ValueError, UnicodeDecodeError):
        raise InvalidRequestError(
            "The query is not well formed; write `name=value` pairs, percent-encoded, at most 100."
        ) from None


def _rendered(reply: ApiReply) -> Response:
    if isinstance(reply.body, AsyncGenerator):
        return StreamingResponse(
            reply.body, reply.status, dict(reply.headers), media_type=reply.media_type
        )
    if reply.body is None:
        body = b""
    elif isinstance(reply.body, bytes):
        body = reply.body
    else:
        body = msgspec.json.encode(reply.body)
    response = Response(body, reply.status, headers=dict(reply.headers))
    if reply.body is not None:
        response.headers["content-type"] = reply.media_type
    return response


def _error_response(error: HeadgateError) -> Response:
    response = Response(error_body(error), error.status, media_type="application/json")
    for name, value in error_headers(error):
        response.headers[name.decode()] = value.decode()
    return response


def _meant(request: Request, path: str) -> str | None:
    """The address that a base URL without `/v1`, with two, or a slash too many led past."""
    inner = path.rstrip("/")
    while inner.startswith("/v1/"):
        inner = inner[len("/v1") :]
    meant = f"/v1{inner}"
    scope = {**request.scope, "path": meant}
    there = any(route.matches(scope)[0] is not Match.NONE for route in request.app.routes)
    return meant if there else None


async def _not_found(request: Request, _error: Exception) -> Response:
    path = request.url.path
    message = f"There is nothing at {path[:128]}; /openapi.json lists what there is."
    if (meant := _meant(request, path)) is not None:
        message = (
            f"There is nothing at {path[:128]}, but at {meant[:128]}: a client's base URL is this"
            " server's address and one `/v1`, without a slash at the end of what it asks for."
        )
    elif path.startswith("/v1/"):
        message = (
            f"{path[:128]} is no endpoint that Headgate knows, so it is refused; /openapi.json"
            " lists those that it knows. If your provider serves it, an operator can let it pass"
            " by its name: `endpoints: {allow: […]}` in headgate.yaml."
        )
    response = _error_response(NotFoundError(message))
    response.headers["x-request-id"] = new_id("req")
    return response
