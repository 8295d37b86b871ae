"""The dialect of OpenAI and of every server that speaks its API: nothing is changed."""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from headgate.gateway.dialects.dialect import Headers, Model, Outgoing
from headgate.gateway.endpoints import StreamReader
from headgate.gateway.request import Request


class _List(msgspec.Struct):
    data: list[Model] = []


class OpenAIDialect:
    """OpenAI's own way of speaking."""

    translates = False
    keeps_responses = True

    def __init__(self, base_path: bytes, *, prompt_cache_keys: bool = False) -> None:
        self._base_path = base_path
        """The path of the provider's base URL, without a slash at its end."""
        self._targets: dict[str, bytes] = {}
        """Where each endpoint stands below it, once one was asked: there are a dozen."""
        self._prompt_cache_keys = prompt_cache_keys
        """Whether it is told which requests begin alike; not every server knows that field."""

    def headers(self, api_key: str | None) -> tuple[str, ...]:
        """See `Dialect`."""
        return (f"authorization: Bearer {api_key}",) if api_key else ()

    def limits(self, headers: Headers) -> Headers:  # noqa: ARG002
        """See `Dialect`; they are as they are."""
        return []

    def check(self, request: Request) -> None:
        """See `Dialect`; the provider says itself what it does not take."""

    def outgoing(self, request: Request, model: str) -> Outgoing:
        """See `Dialect`."""
        endpoint = request.endpoint
        target = self._targets.get(endpoint.name)
        if target is None:
            target = self._targets[endpoint.name] = self._base_path + endpoint.target
        if request.form is not None:
            return Outgoing(target, request.form.body_for(model), request.form.content_type)
        key = request.prompt_cache_key if self._prompt_cache_keys else None
        return Outgoing(target, request.body_for(model, prompt_cache_key=key))

    def answer(self, request: Request, status: int, body: bytes) -> bytes:  # noqa: ARG002
        """See `Dialect`."""
        return body

    def stream_reader(self, request: Request) -> StreamReader:
        """See `Dialect`."""
        return request.endpoint.reader_for(request.fields, hide_usage=request.hide_usage)

    def path(self, below: bytes) -> bytes:
        """See `Dialect`."""
        return self._base_path + below

    def realtime_path(self, model: str, query: bytes) -> bytes:
        """See `Dialect`; a session that only writes down names its model later."""
        named = b"" if b"intent=transcription" in query else b"model=" + quote(model).encode()
        return self._base_path + b"/realtime?" + b"&".join(filter(None, (named, query)))

    def models_path(self) -> bytes:
        """See `Dialect`."""
        return self._base_path + b"/models"

    def models(self, body: bytes) -> list[Model]:
        """See `Dialect`."""
        return msgspec.json.decode(body, type=_List).data
