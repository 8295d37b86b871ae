"""Functions are called when they fit or are asked for, with arguments from the text."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest

WEATHER: dict[str, Any] = {
    "name": "get_weather",
    "description": "Get the current weather in a city",
    "strict": True,
    "parameters": {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "The city's name"},
            "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
        },
        "required": ["city", "unit"],
        "additionalProperties": False,
    },
}
REFUND: dict[str, Any] = {
    "name": "issue_refund",
    "description": "Refund an order of a customer",
    "parameters": {
        "type": "object",
        "properties": {"order_id": {"type": "string"}, "amount": {"type": "number"}},
        "required": ["order_id", "amount"],
    },
}
TOOLS: list[Any] = [{"type": "function", "function": tool} for tool in (WEATHER, REFUND)]


def called(client: openai.OpenAI, text: str, **more: Any) -> list[tuple[str, dict[str, Any]]]:
    reply = client.chat.completions.create(
        model="gpt-4.1",
        messages=[{"role": "user", "content": text}],
        **{"tools": TOOLS, **more},
    )
    calls = reply.choices[0].message.tool_calls or []
    assert reply.choices[0].finish_reason == ("tool_calls" if calls else "stop")
    return [(c.function.name, json.loads(c.function.arguments)) for c in calls]


def test_a_function_that_fits_is_called_with_facts_from_the_text(client: openai.OpenAI):
    assert called(client, "What's the weather in Oslo, in celsius?") == [
        ("get_weather", {"city": "Oslo", "unit": "celsius"})
    ]
    assert called(client, "Please refund order ORD-7731 with EUR 49.90 to the customer.") == [
        ("issue_refund", {"order_id": "ORD-7731", "amount": 49.9})
    ]


def test_no_function_is_called_where_none_fits(client: openai.OpenAI):
    assert called(client, "Tell me a joke about cats.") == []


def test_none_means_none(client: openai.OpenAI):
    assert called(client, "What's the weather in Oslo?", tool_choice="none") == []


def test_required_means_one_at_least(client: openai.OpenAI):
    assert len(called(client, "Tell me a joke about cats.", tool_choice="required")) == 1


def test_a_named_function_is_the_one_that_is_called(client: openai.OpenAI):
    choice = {"type": "function", "function": {"name": "issue_refund"}}
    found = called(client, "What's the weather in Oslo?", tool_choice=choice)
    assert [name for name, _ in found] == ["issue_refund"]


def test_only_allowed_functions_are_called(client: openai.OpenAI):
    choice = {
        "type": "allowed_tools",
        "allowed_tools": {
            "mode": "auto",
            "tools": [{"type": "function", "function": {"name": "issue_refund"}}],
        },
    }
    assert called(client, "What's the weather in Oslo?", tool_choice=choice) == []


def test_several_places_are_several_calls_unless_calls_are_one_by_one(client: openai.OpenAI):
    asked = "What is the weather in Paris and in Rome?"
    assert [arguments["city"] for _, arguments in called(client, asked)] == ["Paris", "Rome"]
    assert len(called(client, asked, parallel_tool_calls=False)) == 1


def test_the_answer_uses_what_the_function_returned(client: openai.OpenAI):
    messages: list[Any] = [{"role": "user", "content": "What's the weather in Oslo, in celsius?"}]
    first = client.chat.completions.create(model="gpt-4.1", messages=messages, tools=TOOLS)
    (call,) = first.choices[0].message.tool_calls or []
    messages.append(first.choices[0].message.model_dump(exclude_none=True))
    messages.append(
        {"role": "tool", "tool_call_id": call.id, "content": '{"sky": "clear", "degrees": 21}'}
    )
    second = client.chat.completions.create(model="gpt-4.1", messages=messages, tools=TOOLS)
    assert second.choices[0].finish_reason == "stop"
    text = second.choices[0].message.content or ""
    assert "clear" in text
    assert "21" in text


def test_responses_call_functions_too(client: openai.OpenAI):
    tools: list[Any] = [{"type": "function", **WEATHER}, {"type": "web_search"}]
    first = client.responses.create(model="gpt-4.1", input="Weather in Oslo?", tools=tools)
    (call,) = first.output
    assert call.type == "function_call"
    assert json.loads(call.arguments)["city"] == "Oslo"
    second = client.responses.create(
        model="gpt-4.1",
        previous_response_id=first.id,
        input=[
            {"type": "function_call_output", "call_id": call.call_id, "output": "sunny, 21 degrees"}
        ],
        tools=tools,
    )
    assert "sunny, 21 degrees" in second.output_text


def test_tools_of_other_kinds_are_taken_and_passed_over(client: openai.OpenAI):
    hosted: list[Any] = [
        {"type": "web_search"},
        {"type": "file_search", "vector_store_ids": ["vs_1"]},
        {"type": "code_interpreter", "container": {"type": "auto"}},
    ]
    reply = client.responses.create(model="gpt-4.1", input="Say hi there", tools=hosted)
    assert reply.output_text == "hi there"
    assert [tool.type for tool in reply.tools] == [tool["type"] for tool in hosted]


@pytest.mark.parametrize(
    ("change", "param", "code"),
    [
        ({"name": "not a name!"}, "tools[0].function.name", "invalid_value"),
        ({"name": None}, "tools[0].function.name", "missing_required_parameter"),
        (
            {"parameters": {"type": "object", "properties": {"a": {"type": "string"}}}},
            "tools[0].function.parameters",
            "invalid_function_parameters",
        ),
    ],
)
def test_a_function_that_cannot_be_is_refused(
    client: openai.OpenAI, change: dict[str, Any], param: str, code: str
):
    with pytest.raises(openai.BadRequestError) as refusal:
        called(client, "x", tools=[{"type": "function", "function": {**WEATHER, **change}}])
    assert refusal.value.param == param
    assert refusal.value.code == code


def test_a_choice_among_no_tools_is_refused(client: openai.OpenAI):
    with pytest.raises(openai.BadRequestError) as refusal:
        called(client, "x", tools=openai.NOT_GIVEN, tool_choice="required")
    assert refusal.value.param == "tool_choice"
    choice = {"type": "function", "function": {"name": "unknown"}}
    with pytest.raises(openai.BadRequestError) as refusal:
        called(client, "x", tool_choice=choice)
    assert refusal.value.param == "tool_choice"
