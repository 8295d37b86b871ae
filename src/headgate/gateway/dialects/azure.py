"""The dialect of Azure OpenAI: OpenAI's bodies, at addresses that name a deployment.

Chat completions and embeddings stand under `/openai/deployments/…` with a dated `api-version`, or,
as Responses always do, under `/openai/v1/…`, where the body's `model` is the deployment.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from urllib.parse import quote

import msgspec

from headgate.gateway.dialects.dialect import Headers, Model, Outgoing
from headgate.gateway.endpoints import StreamReader
from headgate.gateway.request import Request
from headgate.gateway.upstream import RequestBody

_BY_DEPLOYMENT = frozenset({"chat/completions", "embeddings"})
"""Endpoints that a dated API version has."""


class AzureDialect:
    """Azure OpenAI's way of speaking."""

    translates = False
    keeps_responses = True

    def __init__(
        self,
        base_path: bytes,
        *,
        deployments: Mapping[str, str],
        api_version: str,
        models: tuple[str, ...],
    ) -> None:
        """`models` are the patterns that the provider is set to serve."""
        # An address copied with the path that an SDK was given means the same resource.
        path = base_path.removesuffix(b"/openai/v1").removesuffix(b"/openai")
        self._v1 = path + b"/openai/v1"
        self._deployments_path = path + b"/openai/deployments/"
        self._deployments = dict(deployments)
        self._by_deployment = _BY_DEPLOYMENT if api_version != "v1" else frozenset()
        self._query = b"?api-version=" + quote(api_version, safe="").encode()
        self._models = tuple(
            dict.fromkeys((*deployments, *(name for name in models if not set(name) & set("*?["))))
        )
        self._made_s = int(time.time())

    def headers(self, api_key: str | None) -> tuple[str, ...]:
        """See `Dialect`."""
        return (f"api-key: {api_key}",) if api_key else ()

    def limits(self, headers: Headers) -> Headers:  # noqa: ARG002
        """See `Dialect`; they are as they are."""
        return []

    def check(self, request: Request) -> None:
        """See `Dialect`; the provider says itself what it does not take."""

    def outgoing(self, request: Request, model: str) -> Outgoing:
        """See `Dialect`."""
        deployment = self._deployments.get(model, model)
        body: bytes | RequestBody = b""
        content_type = b"application/json"
        if request.form is None:
            body = request.body_for(deployment)
        else:
            body, content_type = request.form.body_for(deployment), request.form.content_type
        if request.endpoint.name not in self._by_deployment:
            return Outgoing(self._v1 + request.endpoint.target, body, content_type)
        named = self._deployments_path + quote(deployment, safe="").encode()
        return Outgoing(named + request.endpoint.target + self._query, body, content_type)

    def answer(self, request: Request, status: int, body: bytes) -> bytes:  # noqa: ARG002
        """See `Dialect`; what Azure adds of its content filter stays."""
        return body

    def stream_reader(self, request: Request) -> StreamReader:
        """See `Dialect`."""
        return request.endpoint.reader_for(request.fields, hide_usage=request.hide_usage)

    def path(self, below: bytes) -> bytes:
        """See `Dialect`."""
        return self._v1 + below

    def realtime_path(self, model: str, query: bytes) -> bytes:
        """See `Dialect`."""
        named = b""
        if b"intent=transcription" not in query:
            named = b"model=" + quote(self._deployments.get(model, model), safe="").encode()
        return self._v1 + b"/realtime?" + b"&".join(filter(None, (named, query)))

    def models_path(self) -> bytes:
        """See `Dialect`."""
        return self._v1 + b"/models"

    def models(self, body: bytes) -> list[Model]:
        """See `Dialect`; Azure lists what could be deployed, the configuration what is."""
        msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        return [
            {"id": name, "object": "model", "created": self._made_s, "owned_by": "azure"}
            for name in self._models
        ]
