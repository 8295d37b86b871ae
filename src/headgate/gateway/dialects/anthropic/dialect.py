"""The dialect of Anthropic's Messages API, translated both ways for chat and for Responses."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from headgate.errors import UnsupportedError
from headgate.gateway.dialects.anthropic.chat_reply import chat_completion
from headgate.gateway.dialects.anthropic.chat_request import (
    chat_as_message,
    check_chat,
    wants_usage,
)
from headgate.gateway.dialects.anthropic.chat_stream import ChatChunks
from headgate.gateway.dialects.anthropic.failure import openai_error
from headgate.gateway.dialects.anthropic.limits import openai_limits
from headgate.gateway.dialects.anthropic.message import Message
from headgate.gateway.dialects.anthropic.models import openai_models
from headgate.gateway.dialects.anthropic.responses_echo import Echo
from headgate.gateway.dialects.anthropic.responses_reply import response_object
from headgate.gateway.dialects.anthropic.responses_request import (
    check_response,
    response_as_message,
)
from headgate.gateway.dialects.anthropic.responses_stream import ResponseEvents
from headgate.gateway.dialects.dialect import Headers, Model, Outgoing
from headgate.gateway.endpoints import StreamReader
from headgate.gateway.request import Request

VERSION = "2023-06-01"
"""The version of the API that is spoken here; later additions need no other."""

_MODELS_AT_ONCE = 1000
"""The most that one page of the list holds."""

_message = msgspec.json.Decoder(Message)


class AnthropicDialect:
    """Anthropic's way of speaking."""

    translates = True
    keeps_responses = False

    def __init__(
        self,
        base_path: bytes,
        *,
        default_max_tokens: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`clock` tells when an answer was made, which Anthropic's does not say."""
        self._path = base_path.removesuffix(b"/v1") + b"/v1"
        self._target = self._path + b"/messages"
        self._default_max_tokens = default_max_tokens
        self._clock = clock

    def headers(self, api_key: str | None) -> tuple[str, ...]:
        """See `Dialect`."""
        version = f"anthropic-version: {VERSION}"
        return (version, f"x-api-key: {api_key}") if api_key else (version,)

    def limits(self, headers: Headers) -> Headers:
        """See `Dialect`."""
        return openai_limits(headers, now_s=self._clock())

    def check(self, request: Request) -> None:
        """See `Dialect`."""
        if request.endpoint.name == "responses":
            check_response(request.fields)
        else:
            check_chat(request.fields)

    def outgoing(self, request: Request, model: str) -> Outgoing:
        """See `Dialect`."""
        if request.endpoint.name == "responses":
            body = response_as_message(request, model, self._default_max_tokens)
        else:
            body = chat_as_message(request, model, self._default_max_tokens)
        return Outgoing(self._target, msgspec.json.encode(body))

    def answer(self, request: Request, status: int, body: bytes) -> bytes:
        """See `Dialect`."""
        if status != 200:
            return openai_error(body, status)
        message = _message.decode(body)
        created_s = int(self._clock())
        if request.endpoint.name == "responses":
            echo = Echo(request.fields)
            return msgspec.json.encode(response_object(message, echo, created_s=created_s))
        return msgspec.json.encode(chat_completion(message, created_s=created_s))

    def stream_reader(self, request: Request) -> StreamReader:
        """See `Dialect`."""
        created_s = int(self._clock())
        if request.endpoint.name == "responses":
            return ResponseEvents(Echo(request.fields), created_s=created_s)
        return ChatChunks(created_s=created_s, with_usage=wants_usage(request))

    def path(self, below: bytes) -> bytes:
        """See `Dialect`."""
        return self._path + below

    def realtime_path(self, model: str, query: bytes) -> bytes:  # noqa: ARG002
        """See `Dialect`; it has none."""
        raise UnsupportedError(
            f"The model `{model[:64]}` has no realtime sessions; its provider offers none."
        )

    def models_path(self) -> bytes:
        """See `Dialect`."""
        return self._path + b"/models?limit=%d" % _MODELS_AT_ONCE

    def models(self, body: bytes) -> list[Model]:
        """See `Dialect`."""
        return openai_models(body)
