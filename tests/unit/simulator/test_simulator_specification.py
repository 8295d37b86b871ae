"""Every reply has the fields that the published specification has, and no others.

The official SDK's types are generated from the specification. The SDK itself is lenient; here its
types are held to: a field they don't know, a missing one or a wrong type fails.
"""

from __future__ import annotations

import json
import types
import typing
from typing import Any

import pydantic
import pytest
from openai.types import CreateEmbeddingResponse, Model, ModerationCreateResponse
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from openai.types.responses.response_item_list import ResponseItemList
from plain_http import ask

from headgate.simulator import SimulatorHandle

USER = {"role": "user", "content": "What is the weather in Oslo? Say it briefly."}
FUNCTION = {
    "name": "get_weather",
    "description": "Weather of a city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}
SCHEMA = {"name": "weather", "strict": True, "schema": FUNCTION["parameters"]}
CHATS: list[dict[str, Any]] = [
    {},
    {"n": 2, "logprobs": True, "top_logprobs": 2},
    {"tools": [{"type": "function", "function": FUNCTION}]},
    {"response_format": {"type": "json_schema", "json_schema": SCHEMA}},
    {"max_completion_tokens": 2},
    {"store": True, "metadata": {"a": "b"}},
]
RESPONSES: list[dict[str, Any]] = [
    {},
    {"model": "gpt-5-mini", "reasoning": {"summary": "detailed"}},
    {"include": ["message.output_text.logprobs"], "top_logprobs": 2},
    {"tools": [{"type": "function", **FUNCTION}], "tool_choice": "required"},
    {"text": {"format": {"type": "json_schema", **SCHEMA}, "verbosity": "low"}},
    {"max_output_tokens": 16, "input": "Tell me a long story"},
    {"instructions": "Be brief.", "metadata": {"a": "b"}, "conversation": "conv_1"},
    {"background": True},
]


def complaints(kind: Any, value: Any, where: str = "$") -> list[str]:
    """What keeps `value` from being exactly a `kind`: unknown fields, missing ones, wrong types."""
    origin = typing.get_origin(kind)
    if origin is typing.Annotated:
        return complaints(typing.get_args(kind)[0], value, where)
    if origin in (typing.Union, types.UnionType):
        tried = [complaints(option, value, where) for option in typing.get_args(kind)]
        # The option that says least is the one that was meant.
        return min(tried, key=len)
    if origin is typing.Literal:
        return [] if value in typing.get_args(kind) else [f"{where}: {value!r} is none of {kind}"]
    if origin is list:
        if not isinstance(value, list):
            return [f"{where}: should be a list"] * 5
        (inner,) = typing.get_args(kind)
        return [
            c for at, part in enumerate(value) for c in complaints(inner, part, f"{where}[{at}]")
        ]
    if origin is dict:
        if not isinstance(value, dict):
            return [f"{where}: should be an object"] * 5
        _, inner = typing.get_args(kind)
        return [c for key, part in value.items() for c in complaints(inner, part, f"{where}.{key}")]
    if isinstance(kind, type) and issubclass(kind, pydantic.BaseModel):
        return model_complaints(kind, value, where)
    if kind is float:
        right = isinstance(value, int | float) and not isinstance(value, bool)
        return [] if right else [f"{where}: {value!r} is no number"]
    if kind is type(None):
        return [] if value is None else [f"{where}: should be null"] * 3
    if kind in (object, Any):
        return []
    if isinstance(kind, typing.TypeVar) or not isinstance(kind, type):
        return []
    right = isinstance(value, kind) and not (kind is int and isinstance(value, bool))
    return [] if right else [f"{where}: {value!r} is no {kind.__name__}"]


def model_complaints(kind: type[pydantic.BaseModel], value: Any, where: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{where}: should be an object"] * 5
    fields = {field.alias or name: name for name, field in kind.model_fields.items()}
    found = [f"{where}.{key}: unknown to {kind.__name__}" for key in value if key not in fields]
    for key, name in fields.items():
        if key in value:
            found += complaints(kind.model_fields[name].annotation, value[key], f"{where}.{key}")
        elif kind.model_fields[name].is_required():
            found.append(f"{where}.{key}: missing")
    return found


def answer(simulator: SimulatorHandle, path: str, body: Any) -> Any:
    reply = ask(f"{simulator.base_url}{path}", body)
    assert reply.status == 200, reply.body
    return reply.json()


def events(simulator: SimulatorHandle, path: str, body: dict[str, Any]) -> list[Any]:
    reply = ask(f"{simulator.base_url}{path}", {**body, "stream": True})
    assert reply.status == 200, reply.body
    data = [block.rpartition(b"data: ")[2] for block in reply.body.strip().split(b"\n\n")]
    return [json.loads(text) for text in data if text != b"[DONE]"]


def test_the_check_sees_what_is_wrong():
    good = {"id": "m", "created": 1, "object": "model", "owned_by": "x"}
    assert complaints(Model, good) == []
    assert complaints(Model, {**good, "extra": 1}) == ["$.extra: unknown to Model"]
    assert complaints(Model, {**good, "created": "x"}) == ["$.created: 'x' is no int"]
    del good["owned_by"]
    assert complaints(Model, good) == ["$.owned_by: missing"]


@pytest.mark.parametrize("change", CHATS)
def test_chat_completions(simulator: SimulatorHandle, change: dict[str, Any]):
    body = {"model": "gpt-4.1", "messages": [USER], **change}
    assert complaints(ChatCompletion, answer(simulator, "/chat/completions", body)) == []
    options = {"stream_options": {"include_usage": True}}
    for chunk in events(simulator, "/chat/completions", {**body, **options}):
        assert complaints(ChatCompletionChunk, chunk) == []


@pytest.mark.parametrize("change", RESPONSES)
def test_responses(simulator: SimulatorHandle, change: dict[str, Any]):
    body = {"model": "gpt-4.1", "input": "What is the weather in Oslo?", **change}
    made = answer(simulator, "/responses", body)
    assert complaints(Response, made) == []
    assert complaints(Response, answer(simulator, f"/responses/{made['id']}", None)) == []
    items = answer(simulator, f"/responses/{made['id']}/input_items", None)
    assert complaints(ResponseItemList, items) == []
    kinds = {
        typing.get_args(option.model_fields["type"].annotation)[0]: option
        for option in typing.get_args(typing.get_args(ResponseStreamEvent)[0])
    }
    for event in events(simulator, "/responses", body):
        assert complaints(kinds[event["type"]], event) == []


def test_embeddings(simulator: SimulatorHandle):
    body = {"model": "text-embedding-3-small", "input": ["a", "b"]}
    assert complaints(CreateEmbeddingResponse, answer(simulator, "/embeddings", body)) == []


def test_moderations(simulator: SimulatorHandle):
    reply = answer(simulator, "/moderations", {"input": ["a", "I will kill you"]})
    assert complaints(ModerationCreateResponse, reply) == []


def test_models(simulator: SimulatorHandle):
    listed = answer(simulator, "/models", None)
    assert set(listed) == {"object", "data"}
    for model in listed["data"]:
        assert complaints(Model, model) == []


def test_the_sdk_knows_every_model_that_the_simulator_has(simulator: SimulatorHandle):
    from openai.types import AudioModel, ImageModel
    from openai.types.audio import SpeechModel
    from openai.types.chat_model import ChatModel
    from openai.types.realtime import RealtimeSessionCreateRequest

    speaking = RealtimeSessionCreateRequest.model_fields["model"].annotation
    known = {
        name
        for kind in (ChatModel, AudioModel, ImageModel, SpeechModel, *typing.get_args(speaking))
        for name in typing.get_args(kind)
    }
    listed = [model["id"] for model in answer(simulator, "/models", None)["data"]]
    text = [name for name in listed if name.startswith(("gpt", "o"))]
    assert [name for name in text if name not in known and "omni" not in name] == []


def test_every_model_has_a_price():
    from genai_prices import Usage, calc_price

    from headgate.simulator.catalogue import MODELS

    for model in MODELS.values():
        if model.family in ("text", "embedding"):
            usage = Usage(input_tokens=1_000_000, output_tokens=1_000_000)
            price = calc_price(usage, model.snapshot, provider_id="openai")
            assert price.total_price > 0
