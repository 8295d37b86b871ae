"""A response's request as a request for a message."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from headgate.gateway.dialects.anthropic.message_request import message_request
from headgate.gateway.dialects.anthropic.reading import check_fields, decode, read, refuse
from headgate.gateway.dialects.anthropic.responses_echo import wants_summary
from headgate.gateway.dialects.anthropic.sealed_thinking import unseal
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


class _InputText(msgspec.Struct, tag="input_text", tag_field="type"):
    text: str


class _OutputText(msgspec.Struct, tag="output_text", tag_field="type"):
    text: str


class _Refusal(msgspec.Struct, tag="refusal", tag_field="type"):
    refusal: str


class _InputImage(msgspec.Struct, tag="input_image", tag_field="type"):
    image_url: str | None = None


class _InputFile(msgspec.Struct, tag="input_file", tag_field="type"):
    file_data: str | None = None
    file_url: str | None = None
    filename: str | None = None


_Part = _InputText | _OutputText | _Refusal | _InputImage | _InputFile
_Content = str | list[_Part]


class _Message(msgspec.Struct, tag="message", tag_field="type"):
    role: str
    content: _Content


class _FunctionCall(msgspec.Struct, tag="function_call", tag_field="type"):
    call_id: str
    name: str
    arguments: str = ""


class _CallOutput(msgspec.Struct, tag="function_call_output", tag_field="type"):
    call_id: str
    output: _Content


class _Reasoning(msgspec.Struct, tag="reasoning", tag_field="type"):
    encrypted_content: str | None = None


_Item = _Message | _FunctionCall | _CallOutput | _Reasoning


class _PlainMessage(msgspec.Struct):
    """A message whose type is left out."""

    role: str
    content: _Content


class _Typed(msgspec.Struct):
    type: str | None = None


class _FunctionTool(Function, tag="function", tag_field="type"):
    pass


class _AnyText(msgspec.Struct, tag="text", tag_field="type"):
    pass


class _JsonObject(msgspec.Struct, tag="json_object", tag_field="type"):
    pass


class _SchemaFormat(JsonSchema, tag="json_schema", tag_field="type"):
    pass


class _TextOptions(msgspec.Struct):
    format: _AnyText | _JsonObject | _SchemaFormat | None = None


class _ReasoningOptions(msgspec.Struct):
    effort: str | None = None


_input = msgspec.json.Decoder(str | list[msgspec.Raw])
_typed = msgspec.json.Decoder(_Typed)
_item = msgspec.json.Decoder(_Item)
_plain_message = msgspec.json.Decoder(_PlainMessage)
_tools = msgspec.json.Decoder(list[_FunctionTool])
_text_options = msgspec.json.Decoder(_TextOptions)
_reasoning = msgspec.json.Decoder(_ReasoningOptions)
_include = msgspec.json.Decoder(list[str])
_any = msgspec.json.Decoder(Any)
_bool = msgspec.json.Decoder(bool)
_text = msgspec.json.Decoder(str)
_count = msgspec.json.Decoder(Annotated[int, msgspec.Meta(ge=1)])

_CARRIED = frozenset(
    {
        "model", "input", "instructions", "stream", "stream_options", "max_output_tokens",
        "temperature", "top_p", "tools", "tool_choice", "parallel_tool_calls", "text", "reasoning",
        "include", "user", "safety_identifier", "service_tier", "metadata",
        "prompt_cache_key",
        # Hints, without which the answer is no other:
        "prompt_cache_retention", "max_tool_calls",
    }
)  # fmt: skip

_HARMLESS: Json = {
    "background": False,
    "store": False,
    "top_logprobs": 0,
    "truncation": "disabled",
}


def check_response(fields: Fields) -> None:
    """Refuse the fields that can't be carried."""
    check_fields(fields, _CARRIED, _HARMLESS)


def response_as_message(request: Request, model: str, default_max_tokens: int) -> Json:
    """The body of the request for a message. Raises `HeadgateError` for what can't be carried."""
    fields = request.fields
    check_response(fields)
    for name in read(fields, "include", _include) or ():
        if name != "reasoning.encrypted_content":
            raise refuse("include", f"it has no `{name[:64]}`")
    turns = _turns(fields)
    choice = choice_of(read(fields, "tool_choice", _any))
    reasoning = read(fields, "reasoning", _reasoning) or _ReasoningOptions()
    thinking = thinking_for(
        model,
        reasoning.effort,
        max_tokens=read(fields, "max_output_tokens", _count),
        default_max_tokens=default_max_tokens,
        may_budget=not choice.forces and not turns.amid_tools,
        told=wants_summary(fields),
    )
    body = message_request(request, model, turns, thinking)
    parallel = read(fields, "parallel_tool_calls", _bool)
    tools = read(fields, "tools", _tools) or []
    put_tools(body, tools, choice, parallel=parallel is not False)
    wanted = (read(fields, "text", _text_options) or _TextOptions()).format
    if isinstance(wanted, _JsonObject):
        raise refuse("text.format", "it has no JSON without a schema; send a json_schema")
    if isinstance(wanted, _SchemaFormat):
        put_format(body, wanted, "text.format.schema")
    return body


def _turns(fields: Fields) -> Turns:
    turns = Turns()
    turns.instruct(read(fields, "instructions", _text) or "")
    found = read(fields, "input", _input)
    if isinstance(found, str):
        turns.say("user", text_block(found))
    else:
        for index, raw in enumerate(found or ()):
            _add(turns, bytes(raw), f"input[{index}]")
    turns.close("input")
    return turns


def _add(turns: Turns, raw: bytes, place: str) -> None:
    item: _Item | _PlainMessage
    if decode(raw, place, _typed).type is None:
        item = decode(raw, place, _plain_message)
    else:
        item = decode(raw, place, _item)
    match item:
        case _Message(role, content) | _PlainMessage(role, content):
            _add_message(turns, role, content, place)
        case _FunctionCall(call_id, name, arguments):
            block = tool_use_block(call_id, name, arguments, f"{place}.arguments")
            turns.say("assistant", [block])
        case _CallOutput(call_id, output):
            blocks = _blocks(output, f"{place}.output")
            turns.say("user", [tool_result_block(call_id, blocks)])
        case _Reasoning(sealed):
            thought = unseal(sealed) if sealed else None
            turns.say("assistant", [thought] if thought else [])


def _add_message(turns: Turns, role: str, content: _Content, place: str) -> None:
    blocks = _blocks(content, f"{place}.content")
    if role in ("user", "assistant"):
        turns.say(role, blocks)
        return
    if role not in ("system", "developer"):
        raise refuse(f"{place}.role", f"there is no role `{role[:32]}`")
    for block in blocks:
        if block["type"] != "text":
            raise refuse(f"{place}.content", "instructions are text only")
        turns.instruct(block["text"])


def _blocks(content: _Content, place: str) -> list[Json]:
    if isinstance(content, str):
        return text_block(content)
    blocks: list[Json] = []
    for index, part in enumerate(content):
        match part:
            case _InputText(text) | _OutputText(text) | _Refusal(text):
                blocks += text_block(text)
            case _InputImage(url):
                where = f"{place}[{index}].image_url"
                if url is None:
                    raise refuse(where, "a picture must stand in the request or have an address")
                blocks.append(image_block(url, where))
            case _InputFile(data, url, name):
                blocks.append(document_block(data, url, name, f"{place}[{index}]"))
    return blocks
