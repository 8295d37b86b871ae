"""What an application asks reaches Anthropic in its own words, or is refused by its name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import headgate.examples
from anthropics import judge, thinking
from headgate.errors import HeadgateError, InvalidRequestError, UnsupportedError
from headgate.gateway.dialects.anthropic import AnthropicDialect
from headgate.gateway.dialects.anthropic.message import Part
from headgate.gateway.dialects.anthropic.schema import narrowed
from headgate.gateway.dialects.anthropic.sealed_thinking import seal, unseal
from headgate.gateway.dialects.anthropic.thinking import thinking_for
from headgate.gateway.endpoints import ENDPOINTS
from headgate.gateway.request import read_request

DIALECT = AnthropicDialect(b"/proxy/v1", default_max_tokens=4096)
USER = {"role": "user", "content": "Hello"}


def chat(*messages: Any, model: str = "claude-opus-5", **fields: Any) -> dict[str, Any]:
    return asked("chat/completions", {"messages": list(messages) or [USER], **fields}, model)


def response(model: str = "claude-opus-5", **fields: Any) -> dict[str, Any]:
    return asked("responses", {"input": "Hello", **fields}, model)


def asked(endpoint: str, fields: dict[str, Any], model: str) -> dict[str, Any]:
    """What Anthropic is asked, which must be what it takes."""
    request = read_request(ENDPOINTS[endpoint], json.dumps({"model": "any", **fields}).encode())
    DIALECT.check(request)
    outgoing = DIALECT.outgoing(request, model)
    assert outgoing.target == b"/proxy/v1/messages"
    body: dict[str, Any] = json.loads(outgoing.body)
    judge(body)
    assert body["model"] == model
    return body


def function(name: str, **more: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}}
    return {"name": name, "parameters": parameters, **more}


def tools(*names: str) -> list[dict[str, Any]]:
    return [{"type": "function", "function": function(name)} for name in names]


def test_a_request_without_a_limit_gets_the_configured_one():
    assert chat()["max_tokens"] == 4096
    assert chat(max_tokens=7)["max_tokens"] == 7
    assert chat(max_tokens=7, max_completion_tokens=9)["max_tokens"] == 9
    assert response(max_output_tokens=16)["max_tokens"] == 16


def test_instructions_stand_before_the_turns_in_their_order():
    body = chat(
        {"role": "system", "content": "One."},
        USER,
        {"role": "developer", "content": [{"type": "text", "text": "Two."}]},
    )
    assert [part["text"] for part in body["system"]] == ["One.", "Two."]
    body = response(
        instructions="One.",
        input=[{"role": "developer", "content": "Two."}, {"role": "user", "content": "Hi"}],
    )
    assert [part["text"] for part in body["system"]] == ["One.", "Two."]


@pytest.mark.parametrize(
    ("url", "source"),
    [
        (
            "data:image/png;base64,iVBORw0KGgo=",
            {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="},
        ),
        ("https://example.com/a.png", {"type": "url", "url": "https://example.com/a.png"}),
    ],
)
def test_pictures_are_carried(url: str, source: dict[str, str]):
    expected = {"type": "image", "source": source}
    part: Any = {"type": "image_url", "image_url": {"url": url, "detail": "low"}}
    assert chat({"role": "user", "content": [part]})["messages"][0]["content"] == [expected]
    part = {"type": "input_image", "image_url": url, "detail": "auto"}
    body = response(input=[{"role": "user", "content": [part]}])
    assert body["messages"][0]["content"] == [expected]


def test_a_picture_that_is_no_picture_is_refused_by_its_place():
    part = {"type": "image_url", "image_url": {"url": "data:image/tiff;base64,AA"}}
    with pytest.raises(InvalidRequestError) as refused:
        chat({"role": "user", "content": [part]})
    assert refused.value.param == "messages[0].content[0].image_url.url"


def test_files_are_carried():
    pdf = "data:application/pdf;base64,JVBERi0="
    part: Any = {"type": "file", "file": {"file_data": pdf, "filename": "a.pdf"}}
    source = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}
    expected = {"type": "document", "source": source, "title": "a.pdf"}
    assert chat({"role": "user", "content": [part]})["messages"][0]["content"] == [expected]
    part = {"type": "input_file", "file_data": pdf, "filename": "a.pdf"}
    body = response(input=[{"role": "user", "content": [part]}])
    assert body["messages"][0]["content"] == [expected]
    with pytest.raises(UnsupportedError):
        chat({"role": "user", "content": [{"type": "file", "file": {"file_id": "file_1"}}]})


def test_the_answers_of_tools_stand_in_one_turn_after_their_calls():
    calls = [
        {"id": name, "type": "function", "function": {"name": "f", "arguments": '{"n": 1}'}}
        for name in ("a", "b")
    ]
    body = chat(
        USER,
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": "a", "content": "1"},
        {"role": "tool", "tool_call_id": "b", "content": [{"type": "text", "text": "2"}]},
        USER,
        tools=tools("f"),
    )
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    kinds = [block["type"] for block in body["messages"][2]["content"]]
    assert kinds == ["tool_result", "tool_result", "text"]


def test_a_conversation_with_calls_has_their_tools_though_none_may_be_called_any_more():
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    body = chat(
        USER,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "a", "content": "1"},
    )
    assert [tool["name"] for tool in body["tools"]] == ["f"]
    assert body["tool_choice"] == {"type": "none"}


@pytest.mark.parametrize("arguments", ["[1]", "{", "1", '"x"'])
def test_arguments_that_are_no_object_are_refused(arguments: str):
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": arguments}}
    with pytest.raises(InvalidRequestError) as refused:
        chat(USER, {"role": "assistant", "tool_calls": [call]})
    assert refused.value.param == "messages[1].tool_calls[0].function.arguments"


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", None),
        ("none", {"type": "none"}),
        ("required", {"type": "any"}),
        ({"type": "function", "function": {"name": "g"}}, {"type": "tool", "name": "g"}),
        ({"type": "function", "name": "g"}, {"type": "tool", "name": "g"}),
    ],
)
def test_the_choice_among_tools_is_carried(choice: Any, expected: Any):
    assert chat(tools=tools("f", "g"), tool_choice=choice).get("tool_choice") == expected
    flat = [{"type": "function", **function("f")}, {"type": "function", **function("g")}]
    assert response(tools=flat, tool_choice=choice).get("tool_choice") == expected
    body = chat(tools=tools("f", "g"), tool_choice=choice, parallel_tool_calls=False)
    said = body.get("tool_choice")
    assert said.get("disable_parallel_tool_use", False) is (choice != "none")


def test_only_allowed_tools_are_offered():
    allowed = {"mode": "required", "tools": [{"type": "function", "function": {"name": "g"}}]}
    choice = {"type": "allowed_tools", "allowed_tools": allowed}
    body = chat(tools=tools("f", "g"), tool_choice=choice)
    assert [tool["name"] for tool in body["tools"]] == ["g"]
    assert body["tool_choice"] == {"type": "any"}


def test_a_strict_tool_is_held_to_its_schema():
    strict = {"type": "function", "function": function("f", strict=True)}
    tool = chat(tools=[strict])["tools"][0]
    assert tool["strict"] is True
    assert tool["input_schema"]["additionalProperties"] is False
    assert chat(tools=tools("f"))["tools"][0] == {
        "name": "f",
        "input_schema": function("f")["parameters"],
    }


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "web_search"},
        {"type": "file_search", "vector_store_ids": ["vs_1"]},
        {"type": "mcp", "server_label": "x"},
        {"type": "custom", "name": "x"},
    ],
)
def test_tools_that_are_no_functions_are_refused(tool: Any):
    with pytest.raises(UnsupportedError) as refused:
        response(tools=[tool])
    assert str(refused.value.param).startswith("tools[0]")


@pytest.mark.parametrize(
    "item",
    [
        {"type": "item_reference", "id": "msg_1"},
        {"type": "web_search_call", "id": "ws_1", "status": "completed"},
        {"type": "message", "role": "user", "content": [{"type": "input_audio"}]},
        {"role": "critic", "content": "Hm"},
    ],
)
def test_items_that_cannot_be_carried_are_refused_by_their_place(item: Any):
    with pytest.raises(UnsupportedError) as refused:
        response(input=[{"role": "user", "content": "Hi"}, item])
    assert str(refused.value.param).startswith("input[1]")


def test_defaults_that_newer_models_refuse_are_left_out():
    body = chat(temperature=1, top_p=1, n=1, logprobs=False, presence_penalty=0, store=False)
    assert set(body) == {"model", "messages", "max_tokens"}
    assert chat(temperature=1.7).get("temperature") is None
    assert chat(temperature=0)["temperature"] == 0
    assert chat(seed=3, metadata={"a": "b"}, verbosity="low") == chat()


def test_a_prompt_that_comes_again_is_cached():
    assert chat(prompt_cache_key="triage-1.2.0")["cache_control"] == {"type": "ephemeral"}
    assert response(prompt_cache_key="triage-1.2.0")["cache_control"] == {"type": "ephemeral"}
    assert "cache_control" not in chat()


def test_the_end_user_is_told():
    assert chat(user="u-1")["metadata"] == {"user_id": "u-1"}
    assert response(safety_identifier="s", user="u")["metadata"] == {"user_id": "s"}


def test_a_conversation_without_a_turn_is_refused():
    with pytest.raises(UnsupportedError, match="at least one turn"):
        chat({"role": "system", "content": "One."})
    with pytest.raises(UnsupportedError, match="at least one turn"):
        response(input=[])


def test_a_schema_holds_the_answer():
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    wanted = {"name": "answer", "schema": schema, "strict": True}
    held = {"type": "json_schema", "schema": {**schema, "additionalProperties": False}}
    body = chat(response_format={"type": "json_schema", "json_schema": wanted})
    assert body["output_config"] == {"format": held}
    body = response(text={"format": {"type": "json_schema", **wanted}}, reasoning={"effort": "low"})
    assert body["output_config"] == {"effort": "low", "format": held}
    assert "output_config" not in chat(response_format={"type": "text"})
    for refused in ({"response_format": {"type": "json_object"}},):
        with pytest.raises(UnsupportedError):
            chat(**refused)
    with pytest.raises(UnsupportedError):
        response(text={"format": {"type": "json_object"}})


@pytest.mark.parametrize(
    ("model", "effort", "config", "sent_effort"),
    [
        ("claude-opus-4-1-20250805", "high", {"type": "enabled", "budget_tokens": 16384}, None),
        ("claude-sonnet-4-5", "minimal", None, None),
        ("claude-haiku-4-5-20251001", "low", {"type": "enabled", "budget_tokens": 1024}, None),
        ("claude-opus-4-6", "xhigh", {"type": "adaptive"}, "high"),
        ("claude-opus-4-7", "xhigh", {"type": "adaptive"}, "xhigh"),
        ("claude-opus-5-5", "none", None, "low"),
        ("a-name-of-ones-own", "medium", {"type": "adaptive"}, "medium"),
    ],
)
def test_an_effort_becomes_what_the_model_knows(
    model: str, effort: str, config: Any, sent_effort: str | None
):
    body = chat(model=model, reasoning_effort=effort)
    assert body.get("thinking") == config
    assert body.get("output_config", {}).get("effort") == sent_effort
    assert response(model=model, reasoning={"effort": effort}).get("thinking") == config


def test_a_budget_is_left_out_where_it_can_not_be():
    old = "claude-sonnet-4-5"
    assert "thinking" not in chat(model=old, reasoning_effort="high", max_tokens=1000)
    forced = chat(model=old, reasoning_effort="high", tools=tools("f"), tool_choice="required")
    assert "thinking" not in forced
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}
    turns = [
        USER,
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "a", "content": "1"},
    ]
    assert "thinking" not in chat(*turns, model=old, reasoning_effort="high", tools=tools("f"))
    assert "temperature" not in chat(model=old, reasoning_effort="low", temperature=0.1)
    assert "temperature" not in chat(reasoning_effort="low", temperature=0.1)


@given(
    st.sampled_from(["claude-sonnet-4-5", "claude-opus-5"]),
    st.sampled_from(["none", "minimal", "low", "medium", "high", "xhigh", "max", None]),
    st.none() | st.integers(1, 100_000),
    st.integers(1, 100_000),
    st.booleans(),
)
def test_thinking_always_leaves_room_for_an_answer(
    model: str, effort: str | None, limit: int | None, default: int, may_budget: bool
):
    found = thinking_for(
        model, effort, max_tokens=limit, default_max_tokens=default, may_budget=may_budget
    )
    assert found.max_tokens >= 1
    if limit is not None:
        assert found.max_tokens == limit
    if found.config is not None and found.config["type"] == "enabled":
        assert 1024 <= found.config["budget_tokens"] <= found.max_tokens - 256


def test_what_was_thought_comes_back_unchanged():
    thought = thinking('Which "city"?', "sig+/=")
    part = Part("thinking", thought["thinking"], signature=thought["signature"])
    assert unseal(seal(part)) == thought
    redacted = Part("thinking", redacted="abc=")
    assert unseal(seal(redacted)) == {"type": "redacted_thinking", "data": "abc="}
    for other in ("", "gAAAA", "anthropic:", "anthropic:!!", "anthropic:e30="):
        assert unseal(other) is None


def test_what_the_api_does_not_know_is_told_in_words_and_objects_are_closed():
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {"e": {"type": "string", "format": "color", "pattern": "^(?!x)"}},
        "properties": {
            "n": {"type": "integer", "minimum": 1, "description": "How many"},
            "e": {"$ref": "#/$defs/e"},
            "o": {"oneOf": [{"type": "object", "properties": {}}, {"type": "null"}]},
            "minimum": {"type": "array", "items": {"type": "number", "maximum": 2}, "minItems": 2},
            "maybe": {"type": ["string", "null"], "format": "date"},
            "one": {"type": ["string", "null"], "enum": ["a", None]},
        },
        "required": ["n"],
        "additionalProperties": {"type": "string"},
    }
    kept = narrowed(schema)
    assert set(kept) == {"type", "$defs", "properties", "required", "additionalProperties"}
    assert kept["additionalProperties"] is False
    fields = kept["properties"]
    assert fields["n"] == {"type": "integer", "description": "How many (minimum: 1)"}
    said = '(format: "color", pattern: "^(?!x)")'
    assert kept["$defs"]["e"] == {"type": "string", "description": said}
    closed = {"type": "object", "properties": {}, "additionalProperties": False}
    assert fields["o"] == {"anyOf": [closed, {"type": "null"}]}
    assert fields["minimum"]["items"] == {"type": "number", "description": "(maximum: 2)"}
    assert fields["minimum"]["description"] == "(minItems: 2)"
    assert fields["maybe"] == {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]}
    assert fields["one"] == {"enum": ["a", None]}


@pytest.mark.parametrize("loose", [{}, True, {"description": "Anything"}, {"type": "any"}])
def test_a_schema_that_holds_nothing_is_refused_by_its_place(loose: Any):
    with pytest.raises(UnsupportedError) as refused:
        narrowed({"type": "object", "properties": {"x": loose}}, "response_format")
    assert refused.value.param == "response_format.properties.x"


def test_a_schema_that_is_nested_too_deep_is_refused():
    deep: Any = {"type": "string"}
    for _ in range(200):
        deep = {"type": "array", "items": deep}
    with pytest.raises(InvalidRequestError, match="nested too deep"):
        narrowed(deep)


@pytest.mark.parametrize("name", ["ticket-triage", "report-summary"])
def test_the_examples_answers_can_be_held(name: str):
    folder = Path(headgate.examples.__file__).parent / "project" / "workflows" / name
    schema = json.loads((folder / "output.schema.json").read_text())
    kept = narrowed(schema)
    assert set(kept["properties"]) == set(schema["properties"])


def test_thinking_that_nothing_follows_is_left_out():
    sealed = seal(Part("thinking", "Hm", signature="s"))
    item = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": sealed}
    turn = {"role": "user", "content": "Hi"}
    assert len(response(input=[turn, item, turn])["messages"]) == 1
    said = {"type": "message", "role": "assistant", "content": "Hello"}
    assert len(response(input=[turn, item, said, turn])["messages"]) == 3
    foreign = {**item, "encrypted_content": "gAAAAAB"}
    assert response(input=[turn, foreign]) == response(input=[turn])


def test_a_summary_is_asked_for_where_the_model_thinks_by_itself():
    asked_for = {"reasoning": {"summary": "auto"}}
    assert response(**asked_for)["thinking"] == {"type": "adaptive", "display": "summarized"}
    assert "thinking" not in response(model="claude-sonnet-4-5", **asked_for)


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (529, {"error": {"type": "overloaded_error", "message": "x"}}, "overloaded"),
        (400, {"error": {"type": "brand_new_error", "message": "x"}}, "brand_new_error"),
        (
            400,
            {"error": {"type": "invalid_request_error", "message": "exceeds the context size"}},
            "context_length_exceeded",
        ),
        (
            400,
            {"error": {"type": "invalid_request_error", "message": "Your credit balance is low"}},
            "insufficient_quota",
        ),
        (403, {"message": "Forbidden by a proxy"}, "server_error"),
        (500, {"error": "text"}, "server_error"),
    ],
)
def test_an_errors_code_is_openais(status: int, body: Any, code: str):
    request = read_request(ENDPOINTS["chat/completions"], b'{"model":"m"}')
    error = json.loads(DIALECT.answer(request, status, json.dumps(body).encode()))["error"]
    assert error["code"] == code
    assert set(error) == {"message", "type", "param", "code"}
    assert DIALECT.answer(request, 502, b"<html>") == b"<html>"


words = st.text("ab \n", max_size=4)
ids = st.sampled_from(["call_a", "call_b"])


@st.composite
def conversations(draw: st.DrawFn) -> list[Any]:
    """Turns as applications write them, tool calls always answered."""
    turns: list[Any] = []
    for _ in range(draw(st.integers(0, 6))):
        kind = draw(st.sampled_from(["system", "user", "assistant", "tool"]))
        if kind == "tool":
            calls = draw(st.lists(ids, min_size=1, max_size=2, unique=True))
            turns.append(
                {
                    "role": "assistant",
                    "content": draw(st.none() | words),
                    "tool_calls": [
                        {"id": i, "type": "function", "function": {"name": "f", "arguments": ""}}
                        for i in calls
                    ],
                }
            )
            turns += [{"role": "tool", "tool_call_id": i, "content": draw(words)} for i in calls]
        else:
            parts = st.lists(words.map(lambda text: {"type": "text", "text": text}), max_size=2)
            turns.append({"role": kind, "content": draw(words | parts)})
    return turns


@settings(max_examples=150, deadline=None)
@given(conversations())
def test_every_conversation_is_one_that_the_api_takes(turns: list[Any]):
    fields = {"messages": turns, "tools": tools("f")}
    try:
        asked("chat/completions", fields, "claude-opus-5")
    except UnsupportedError as error:
        assert "at least one turn" in str(error)  # noqa: PT017


foreign = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["auto", "text", "user", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "role", "content", "text", "name", "tools", "function", "format"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(["chat/completions", "responses"]),
    st.sampled_from(
        ["messages", "input", "tools", "tool_choice", "response_format", "text", "reasoning",
         "stop", "include", "temperature", "max_tokens", "max_output_tokens", "service_tier"]
    ),
    foreign,
)  # fmt: skip
def test_nonsense_is_refused_and_never_a_fault(endpoint: str, field: str, value: Any):
    fields = {"messages": [USER]} if endpoint == "chat/completions" else {"input": "Hello"}
    try:
        asked(endpoint, {**fields, field: value}, "claude-opus-5")
    except HeadgateError as error:
        assert error.status == 400  # noqa: PT017
        assert error.param  # noqa: PT017


odd_schemas = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["object", "string", "date"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["type", "properties", "items", "anyOf", "oneOf", "$defs", "$ref", "enum", "format",
             "minItems", "required", "not", "description"]
        ),
        inner,
        max_size=5,
    ),
    max_leaves=10,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(odd_schemas)
def test_a_nonsensical_schema_is_narrowed_or_refused(schema: Any):
    try:
        narrowed(schema)
    except HeadgateError as error:
        assert error.status == 400  # noqa: PT017
