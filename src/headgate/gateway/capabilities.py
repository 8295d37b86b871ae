"""What a request asks for that not every provider can do, and which of its targets can."""

from __future__ import annotations

import re
from collections.abc import Callable

from headgate.config.providers import Capability
from headgate.errors import UnsupportedError
from headgate.gateway.endpoints import Fields
from headgate.gateway.request import Request
from headgate.gateway.target import Target

_ENDPOINTS: dict[str, Capability] = {
    "chat/completions": "chat",
    "responses": "responses",
    "embeddings": "embeddings",
    "moderations": "moderations",
    "audio/transcriptions": "audio",
    "audio/translations": "audio",
    "audio/speech": "audio",
    "images/generations": "images",
    "images/edits": "images",
    "images/variations": "images",
}

_TRANSLATED = ("chat/completions", "responses")
"""What a dialect that isn't OpenAI's can say."""

# A quote inside a JSON string is escaped, so these bytes are a part's type, wherever they stand.
_PICTURE = re.compile(rb'"type"\s*:\s*"(?:image_url|input_image)"')
_SCHEMA = re.compile(rb'"type"\s*:\s*"json_schema"')


def able_targets(targets: tuple[Target, ...], request: Request) -> tuple[Target, ...]:
    """Those of `targets` that can do what `request` asks; `UnsupportedError` where none can."""
    first: UnsupportedError | None = None
    able = []
    for target in targets:
        try:
            _check(target, request)
        except UnsupportedError as error:
            first = first or error
        else:
            able.append(target)
    if not able and first is not None:
        raise first
    return tuple(able)


def is_able(target: Target, request: Request) -> bool:
    """Whether `target` can do what `request` asks."""
    try:
        _check(target, request)
    except UnsupportedError:
        return False
    return True


def _check(target: Target, request: Request) -> None:
    provider = target.provider
    responses = request.endpoint.name == "responses"
    if provider.dialect.translates and request.endpoint.name not in _TRANSLATED:
        raise _no_endpoint(provider.name, request)
    if provider.capabilities is not None:
        endpoint = _ENDPOINTS.get(request.endpoint.name)
        if endpoint is not None and endpoint not in provider.capabilities:
            raise _no_endpoint(provider.name, request)
        for capability, (param, asks) in _ASKED.items():
            if capability not in provider.capabilities and asks(request):
                raise UnsupportedError(
                    f"The provider `{provider.name}` of this model can't do {capability}; ask for"
                    " a model or a route of one that can.",
                    param=_IN_RESPONSES.get(param, param) if responses else param,
                )
    if provider.dialect.translates:
        provider.dialect.check(request)


def _no_endpoint(provider: str, request: Request) -> UnsupportedError:
    return UnsupportedError(
        f"The provider `{provider}` of this model has no {request.endpoint.name}; ask for a model"
        " or a route of one that has.",
        param="model",
    )


def _has_tools(request: Request) -> bool:
    return any(_is_list(request.fields, name) for name in ("tools", "functions"))


def _has_pictures(request: Request) -> bool:
    found = request.fields.get("messages") or request.fields.get("input")
    return found is not None and _PICTURE.search(bytes(found)) is not None


def _has_schema(request: Request) -> bool:
    found = request.fields.get("response_format") or request.fields.get("text")
    return found is not None and _SCHEMA.search(bytes(found)) is not None


def _is_streamed(request: Request) -> bool:
    return request.streamed


def _is_list(fields: Fields, name: str) -> bool:
    return bytes(fields.get(name, b"")).strip() not in (b"", b"null", b"[]")


_ASKED: dict[Capability, tuple[str, Callable[[Request], bool]]] = {
    "tools": ("tools", _has_tools),
    "vision": ("messages", _has_pictures),
    "json_schema": ("response_format", _has_schema),
    "streaming": ("stream", _is_streamed),
}
"""The field that an error names, and whether a request asks for it."""

_IN_RESPONSES = {"messages": "input", "response_format": "text"}
"""What Responses call those fields."""
