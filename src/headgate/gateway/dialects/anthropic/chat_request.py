"""A chat completion's request as a request for a message."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from headgate.gateway.dialects.anthropic.message_request import message_request
from headgate.gateway.dialects.anthropic.reading import check_fields, given, read, refuse
from headgate.gateway.dialects.anthropic.structured import JsonSchema, put_format
from headgate.gateway.dialects.anthropic.thinking import thinking_for
from headgate.gateway.dialects.anthropic.tools import Function, choice_of, put_tools
from headgate.gateway.dialects.anthropic.turns import (
    Turns,
    document_block,
    image_block,
    text_block,
    tool_result_block,
    tool_use_block,
)
from headgate.gateway.endpoints import Fields
from headgate.gateway.request import Request

Json = dict[str, Any]


class _Text(msgspec.Struct, tag="text", tag_field="type"):
    text: str


class _Refusal(msgspec.Struct, tag="refusal", tag_field="type"):
    refusal: str


class _ImageUrl(msgspec.Struct):
    url: str


class _Image(msgspec.Struct, tag="image_url", tag_field="type"):
    image_url: _ImageUrl


class _FileData(msgspec.Struct):
    file_data: str | None = None
    filename: str | None = None


class _File(msgspec.Struct, tag="file", tag_field="type"):
    file: _FileData


class _Called(msgspec.Struct):
    name: str
    arguments: str = ""


class _ToolCall(msgspec.Struct, tag="function", tag_field="type"):
    id: str
    function: _Called


_Texts = str | list[_Text]


class _System(msgspec.Struct, tag="system", tag_field="role"):
    content: _Texts


class _Developer(msgspec.Struct, tag="developer", tag_field="role"):
    content: _Texts


class _User(msgspec.Struct, tag="user", tag_field="role"):
    content: str | list[_Text | _Image | _File]


class _Assistant(msgspec.Struct, tag="assistant", tag_field="role"):
    content: str | list[_Text | _Refusal] | None = None
    refusal: str | None = None
    tool_calls: list[_ToolCall] | None = None
    function_call: None = None
    audio: None = None


class _Tool(msgspec.Struct, tag="tool", tag_field="role"):
    tool_call_id: str
    content: str | list[_Text | _Image]


_Message = _System | _Developer | _User | _Assistant | _Tool


class _FunctionTool(msgspec.Struct, tag="function", tag_field="type"):
    function: Function


class _AnyText(msgspec.Struct, tag="text", tag_field="type"):
    pass


class _JsonObject(msgspec.Struct, tag="json_object", tag_field="type"):
    pass


class _JsonSchema(msgspec.Struct, tag="json_schema", tag_field="type"):
    json_schema: JsonSchema


_messages: msgspec.json.Decoder[list[_Message]] = msgspec.json.Decoder(list[_Message])
_tools = msgspec.json.Decoder(list[_FunctionTool])
_format = msgspec.json.Decoder(_AnyText | _JsonObject | _JsonSchema)
_any = msgspec.json.Decoder(Any)
_bool = msgspec.json.Decoder(bool)
_text = msgspec.json.Decoder(str)
_count = msgspec.json.Decoder(Annotated[int, msgspec.Meta(ge=1)])

_CARRIED = frozenset(
    {
        "model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens",
        "temperature", "top_p", "stop", "tools", "tool_choice", "parallel_tool_calls",
        "response_format", "reasoning_effort", "user", "safety_identifier", "service_tier",
        "prompt_cache_key",
        # Hints, without which the answer is no other:
        "seed", "prompt_cache_retention", "prediction", "metadata", "verbosity",
    }
)  # fmt: skip

_HARMLESS: Json = {
    "n": 1,
    "logprobs": False,
    "top_logprobs": 0,
    "store": False,
    "modalities": ["text"],
    "logit_bias": {},
    "frequency_penalty": 0,
    "presence_penalty": 0,
}


def check_chat(fields: Fields) -> None:
    """Refuse the fields that can't be carried."""
    check_fields(fields, _CARRIED, _HARMLESS)


def chat_as_message(request: Request, model: str, default_max_tokens: int) -> Json:
    """The body of the request for a message. Raises `HeadgateError` for what can't be carried."""
    fields = request.fields
    check_chat(fields)
    turns = _turns(fields)
    choice = choice_of(read(fields, "tool_choice", _any))
    limit = read(fields, "max_completion_tokens", _count) or read(fields, "max_tokens", _count)
    thinking = thinking_for(
        model,
        read(fields, "reasoning_effort", _text),
        max_tokens=limit,
        default_max_tokens=default_max_tokens,
        may_budget=not choice.forces and not turns.amid_tools,
    )
    body = message_request(request, model, turns, thinking)
    tools = read(fields, "tools", _tools) or []
    parallel = read(fields, "parallel_tool_calls", _bool)
    put_tools(body, [each.function for each in tools], choice, parallel=parallel is not False)
    wanted = read(fields, "response_format", _format)
    if isinstance(wanted, _JsonObject):
        raise refuse("response_format", "it has no JSON without a schema; send a json_schema")
    if isinstance(wanted, _JsonSchema):
        put_format(body, wanted.json_schema, "response_format.json_schema.schema")
    return body


def _turns(fields: Fields) -> Turns:
    turns = Turns()
    messages = read(fields, "messages", _messages)
    for index, message in enumerate(messages or ()):
        match message:
            case _System() | _Developer():
                for text in _texts(message.content):
                    turns.instruct(text)
            case _User():
                turns.say("user", _blocks(message.content, f"messages[{index}].content"))
            case _Assistant():
                turns.say("assistant", _said(message, f"messages[{index}]"))
            case _Tool():
                content = _blocks(message.content, f"messages[{index}].content")
                turns.say("user", [tool_result_block(message.tool_call_id, content)])
    turns.close("messages")
    return turns


def _texts(content: _Texts) -> list[str]:
    return [content] if isinstance(content, str) else [part.text for part in content]


def _said(message: _Assistant, place: str) -> list[Json]:
    blocks = _blocks(message.content or "", f"{place}.content")
    blocks += text_block(message.refusal or "")
    for index, call in enumerate(message.tool_calls or ()):
        where = f"{place}.tool_calls[{index}].function.arguments"
        blocks.append(tool_use_block(call.id, call.function.name, call.function.arguments, where))
    return blocks


def _blocks(
    content: str | list[_Text | _Image | _File] | list[_Text | _Image] | list[_Text | _Refusal],
    place: str,
) -> list[Json]:
    if isinstance(content, str):
        return text_block(content)
    blocks: list[Json] = []
    for index, part in enumerate(content):
        match part:
            case _Text(text):
                blocks += text_block(text)
            case _Refusal(refusal):
                blocks += text_block(refusal)
            case _Image(image):
                blocks.append(image_block(image.url, f"{place}[{index}].image_url.url"))
            case _File(file):
                where = f"{place}[{index}].file"
                blocks.append(document_block(file.file_data, None, file.filename, where))
    return blocks


def wants_usage(request: Request) -> bool:
    """Whether the client itself asked for a stream's usage."""
    options = given(request.fields, "stream_options")
    if options is None or request.hide_usage:
        return False
    try:
        return bool(msgspec.json.decode(options, type=_StreamOptions).include_usage)
    except msgspec.DecodeError:
        return False


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None
