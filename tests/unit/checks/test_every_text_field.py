"""Every text field of the published API is seen by guards, or listed as exempt with a reason.

The official SDK's types are generated from OpenAI's published specification; they are gone through
field by field, and a sentence is put into each that takes any text.
"""

import types
import typing
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from openai.types import (
    CreateEmbeddingResponse,
    ImagesResponse,
    ModerationCreateResponse,
    embedding_create_params,
    image_generate_params,
    moderation_create_params,
)
from openai.types.audio import Transcription, TranscriptionVerbose, speech_create_params
from openai.types.chat import ChatCompletion, ChatCompletionChunk, completion_create_params
from openai.types.responses import Response, ResponseStreamEvent, response_create_params
from pydantic import BaseModel
from typing_extensions import is_typeddict

from headgate.checks.parts import reply_parts, request_parts
from headgate.checks.parts.exempt import EXEMPT
from headgate.checks.parts.flow import ChatFlow, ResponseFlow

SENTENCE = "Anne Miller lives here"

Put = Callable[[Any], Any]
"""Makes the document that has a value in one place."""


def texts_in(
    kind: Any, put: Put, path: tuple[str, ...], on_way: frozenset[Any]
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each place of `kind` that takes any text, with a document that has the sentence there."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is str:
        yield path, put(SENTENCE)
    elif kind is object or kind is Any:
        yield (*path, "{}"), put({"anything": [SENTENCE]})
    elif origin in (typing.Annotated, typing.Required, typing.NotRequired):
        yield from texts_in(arguments[0], put, path, on_way)
    elif origin is typing.Union or isinstance(kind, types.UnionType):
        for one in arguments:
            yield from texts_in(one, put, path, on_way)
    elif origin is dict:
        named = lambda value: put({"any": value})  # noqa: E731
        yield from texts_in(arguments[1], named, (*path, "{}"), on_way)
    elif origin is not None and origin is not typing.Literal and arguments:
        listed = lambda value: put([value])  # noqa: E731
        yield from texts_in(arguments[0], listed, (*path, "[]"), on_way)
    elif is_typeddict(kind) or (isinstance(kind, type) and issubclass(kind, BaseModel)):
        if kind in on_way:
            return
        hints = fields_of(kind)
        fixed = {name: value for name, hint in hints.items() if (value := literal(hint))}
        for name, hint in hints.items():

            def placed(value: Any, name: str = name) -> Any:
                return put(fixed | {name: value})

            yield from texts_in(hint, placed, (*path, name), on_way | {kind})


def fields_of(kind: Any) -> dict[str, Any]:
    if issubclass(kind, BaseModel):
        return {name: field.annotation for name, field in kind.model_fields.items()}
    return typing.get_type_hints(kind, include_extras=True)


def literal(hint: Any) -> Any:
    """The one value that a field always has, such as its `type`."""
    while typing.get_origin(hint) in (typing.Required, typing.NotRequired, typing.Annotated):
        hint = typing.get_args(hint)[0]
    if typing.get_origin(hint) is typing.Literal:
        return typing.get_args(hint)[0]
    return None


def places(kind: Any) -> list[tuple[str, Any]]:
    found = texts_in(kind, lambda value: value, (), frozenset())
    return [(".".join(path), document) for path, document in found]


REQUESTS = [
    completion_create_params.CompletionCreateParamsBase,
    response_create_params.ResponseCreateParamsBase,
    embedding_create_params.EmbeddingCreateParams,
    moderation_create_params.ModerationCreateParams,
    image_generate_params.ImageGenerateParamsBase,
    speech_create_params.SpeechCreateParams,
]

REPLIES = [
    ChatCompletion,
    ChatCompletionChunk,
    Response,
    ResponseStreamEvent,
    CreateEmbeddingResponse,
    ModerationCreateResponse,
    ImagesResponse,
    Transcription,
    TranscriptionVerbose,
]


@pytest.mark.parametrize("kind", REQUESTS, ids=lambda kind: kind.__name__)
def test_every_text_that_may_be_asked_is_seen(kind: Any) -> None:
    found = places(kind)
    assert found
    unseen = {path for path, document in found if not _seen(request_parts(document))}
    assert {path for path in unseen if not _exempt(path)} == set()


@pytest.mark.parametrize("kind", REPLIES, ids=lambda kind: getattr(kind, "__name__", "events"))
def test_every_text_that_may_be_answered_is_seen(kind: Any) -> None:
    found = places(kind)
    assert found
    unseen = {path for path, document in found if not _seen(reply_parts(document))}
    assert {path for path in unseen if not _exempt(path)} == set()


@pytest.mark.parametrize(
    ("kind", "flow"),
    [(ChatCompletionChunk, ChatFlow), (ResponseStreamEvent, ResponseFlow)],
    ids=["chat", "responses"],
)
def test_every_text_of_an_event_is_seen_as_it_flows(kind: Any, flow: Any) -> None:
    unseen = set()
    for path, document in places(kind):
        found = flow().read(document)
        if not _seen([*found.wholes, *(piece.part for piece in found.pieces)]):
            unseen.add(path)
    assert {path for path in unseen if not _exempt(path)} == set()


def test_the_types_are_gone_through_in_depth() -> None:
    found = {path for path, _ in places(response_create_params.ResponseCreateParamsBase)}
    assert len(found) > 200
    assert any(path.startswith("input.[].output.[].text") for path in found)


def test_each_exemption_has_a_reason() -> None:
    assert all(EXEMPT.values())


def _seen(parts: Any) -> bool:
    return any(SENTENCE in part.text for part in parts if part.kind != "tokens")


def _exempt(path: str) -> bool:
    return any(name in EXEMPT for name in path.split("."))
