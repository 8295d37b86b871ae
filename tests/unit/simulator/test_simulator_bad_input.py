"""Whatever is wrong with a request, the answer is OpenAI's error and never a 500."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plain_http import KEY, Answer, ask

from headgate.simulator import SimulatorConfig, SimulatorHandle, serve_in_thread

USER = {"role": "user", "content": "x"}


def refused(
    simulator: SimulatorHandle, path: str, body: Any, **more: Any
) -> tuple[int, dict[str, Any]]:
    reply = ask(f"{simulator.base_url}{path}", body, **more)
    error = reply.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"]
    return reply.status, error


@pytest.mark.parametrize(
    ("path", "body", "param", "code"),
    [
        ("/chat/completions", {}, "model", "missing_required_parameter"),
        ("/chat/completions", {"model": "gpt-4.1"}, "messages", "missing_required_parameter"),
        ("/chat/completions", {"messages": "x"}, "model", "missing_required_parameter"),
        ("/chat/completions", {"model": "gpt-4.1", "messages": "x"}, "messages", "invalid_type"),
        ("/chat/completions", {"model": 5, "messages": [USER]}, "model", "invalid_type"),
        ("/chat/completions", {"model": "gpt-4.1", "messages": []}, "messages", "empty_array"),
        ("/responses", {"model": "gpt-4.1"}, "input", "missing_required_parameter"),
        ("/responses", {"model": "gpt-4.1", "input": 5}, "input", "invalid_type"),
        (
            "/responses",
            {"model": "gpt-4.1", "input": "x", "max_output_tokens": 1},
            "max_output_tokens",
            "integer_below_min_value",
        ),
        (
            "/responses",
            {"model": "gpt-4.1", "input": [{"role": "king", "content": "x"}]},
            "input[0].role",
            "invalid_value",
        ),
        (
            "/responses",
            {
                "model": "gpt-4.1",
                "input": [{"type": "function_call_output", "call_id": "c", "output": "x"}],
            },
            "input",
            None,
        ),
        ("/embeddings", {"model": "text-embedding-3-small"}, "input", "missing_required_parameter"),
        ("/embeddings", {"model": "text-embedding-3-small", "input": ""}, "input", None),
        (
            "/embeddings",
            {"model": "text-embedding-3-small", "input": "x", "dimensions": 5_000},
            "dimensions",
            None,
        ),
        (
            "/embeddings",
            {"model": "text-embedding-3-small", "input": "x", "encoding_format": "hex"},
            "encoding_format",
            "invalid_value",
        ),
        ("/moderations", {}, "input", "missing_required_parameter"),
        ("/moderations", {"input": [{"type": "video"}]}, "input[0].type", "invalid_value"),
    ],
)
def test_a_wrong_body_is_a_400_that_names_the_field(
    simulator: SimulatorHandle, path: str, body: Any, param: str, code: str | None
):
    status, error = refused(simulator, path, body)
    assert (status, error["param"], error["code"]) == (400, param, code)
    assert error["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("change", "param", "code"),
    [
        ({"temperature": 3}, "temperature", "decimal_above_max_value"),
        ({"temperature": "hot"}, "temperature", "invalid_type"),
        ({"n": 0}, "n", "integer_below_min_value"),
        ({"n": True}, "n", "invalid_type"),
        ({"top_logprobs": 2}, "top_logprobs", None),
        ({"stop": 5}, "stop", "invalid_type"),
        ({"stop": ["a"] * 5}, "stop", "array_above_max_length"),
        ({"service_tier": "gold"}, "service_tier", "invalid_value"),
        ({"metadata": {str(n): "x" for n in range(17)}}, "metadata", "object_above_max_properties"),
        ({"metadata": {"a": 1}}, "metadata.a", "invalid_type"),
        ({"messages": [{"role": "king", "content": "x"}]}, "messages[0].role", "invalid_value"),
        ({"messages": ["x"]}, "messages[0]", "invalid_type"),
        ({"messages": [{"role": "user"}]}, "messages[0].content", "missing_required_parameter"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content", "invalid_type"),
        (
            {"messages": [{"role": "user", "content": [{"type": "smell"}]}]},
            "messages[0].content[0].type",
            "invalid_value",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            "messages[0].content[0].image_url",
            "invalid_type",
        ),
        ({"messages": [{"role": "tool", "content": "x", "tool_call_id": "c"}]}, None, None),
        ({"response_format": {"type": "xml"}}, "response_format.type", "invalid_value"),
        ({"response_format": {"type": "json_object"}}, "messages", None),
        (
            {"response_format": {"type": "json_schema"}},
            "response_format.json_schema",
            "missing_required_parameter",
        ),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "n"}}},
            "response_format.json_schema.schema",
            "missing_required_parameter",
        ),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {
                        "name": "n",
                        "strict": True,
                        "schema": {"type": "object", "properties": {"a": {"type": "string"}}},
                    },
                }
            },
            "response_format",
            None,
        ),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {
                        "name": "n",
                        "schema": {
                            "type": "object",
                            "properties": {"a": {"type": "integer", "minimum": 2, "maximum": 1}},
                            "required": ["a"],
                        },
                    },
                }
            },
            "response_format",
            None,
        ),
        ({"tools": [{}]}, "tools[0].type", "missing_required_parameter"),
        ({"tools": "x"}, "tools", "invalid_type"),
    ],
)
def test_a_wrong_field_of_a_chat_is_named(
    simulator: SimulatorHandle, change: dict[str, Any], param: str | None, code: str | None
):
    body = {"model": "gpt-4.1", "messages": [USER], **change}
    status, error = refused(simulator, "/chat/completions", body)
    assert status == 400
    assert error["code"] == code
    if param is not None:
        assert error["param"] == param


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/chat/completions", {"model": "gpt-99", "messages": [USER]}),
        ("/chat/completions", {"model": "text-embedding-3-small", "messages": [USER]}),
        ("/responses", {"model": "gpt-99", "input": "x"}),
        ("/embeddings", {"model": "gpt-4.1", "input": "x"}),
        ("/moderations", {"model": "gpt-4.1", "input": "x"}),
    ],
)
def test_an_unknown_model_is_a_404(simulator: SimulatorHandle, path: str, body: Any):
    status, error = refused(simulator, path, body)
    assert (status, error["code"]) == (404, "model_not_found")
    assert body["model"] in error["message"]


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b'"x"', b"\xff\xfe", b"null"])
def test_a_body_that_is_no_json_object_is_a_400(simulator: SimulatorHandle, body: bytes):
    status, _ = refused(simulator, "/chat/completions", body, method="POST")
    assert status == 400


def test_an_unknown_path_is_a_404_and_a_wrong_method_a_405(simulator: SimulatorHandle):
    status, error = refused(simulator, "/nothing", None)
    assert (status, error["message"]) == (404, "Invalid URL (GET /v1/nothing)")
    status, error = refused(simulator, "/models", {"a": 1})
    assert (status, error["code"]) == (405, "method_not_supported")


def test_an_unknown_field_is_refused_only_where_it_is_wished(simulator: SimulatorHandle):
    body = {"model": "gpt-4.1", "messages": [USER], "surprise": 1}
    assert ask(f"{simulator.base_url}/chat/completions", body).status == 200
    with serve_in_thread(SimulatorConfig(refuse_unknown_parameters=True)) as strict:
        status, error = refused(strict, "/chat/completions", body)
        assert (status, error["param"], error["code"]) == (400, "surprise", "unknown_parameter")


def test_a_large_body_is_a_413():
    with serve_in_thread(SimulatorConfig(max_body_bytes=2_000)) as small:
        long = {"model": "gpt-4.1", "messages": [{"role": "user", "content": "x" * 3_000}]}
        assert refused(small, "/chat/completions", long)[0] == 413
        packed = gzip.compress(json.dumps(long).encode())
        assert len(packed) < 2_000
        headers = {**KEY, "content-encoding": "gzip"}
        assert refused(small, "/chat/completions", packed, headers=headers)[0] == 413


def test_a_compressed_body_is_read(simulator: SimulatorHandle):
    packed = gzip.compress(json.dumps({"model": "gpt-4.1", "messages": [USER]}).encode())
    headers = {**KEY, "content-encoding": "gzip"}
    url = f"{simulator.base_url}/chat/completions"
    assert ask(url, packed, headers=headers).status == 200
    assert ask(url, b"no gzip", headers=headers).status == 400
    assert ask(url, packed, headers={**KEY, "content-encoding": "br"}).status == 415


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-5, 5) | st.text(max_size=8),
    lambda parts: (
        st.lists(parts, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["role", "content", "type", "text", "function", "name", "schema", "id"]
            ),
            parts,
            max_size=4,
        )
    ),
    max_leaves=8,
)
CHAT_FIELDS = st.sampled_from(
    [
        "messages",
        "tools",
        "tool_choice",
        "response_format",
        "stop",
        "n",
        "stream",
        "metadata",
        "stream_options",
        "logprobs",
        "temperature",
        "max_completion_tokens",
        "reasoning_effort",
    ]
)
RESPONSE_FIELDS = st.sampled_from(
    [
        "input",
        "tools",
        "tool_choice",
        "text",
        "reasoning",
        "instructions",
        "metadata",
        "stream",
        "include",
        "conversation",
        "max_output_tokens",
        "previous_response_id",
        "prompt",
    ]
)


@given(st.dictionaries(CHAT_FIELDS, JSON, max_size=3))
@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_chat_body_makes_it_fail(simulator: SimulatorHandle, change: dict[str, Any]):
    body = {"model": "gpt-4.1", "messages": [USER], **change}
    reply = ask(f"{simulator.base_url}/chat/completions", body)
    assert_named(reply)


@given(st.dictionaries(RESPONSE_FIELDS, JSON, max_size=3))
@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_response_body_makes_it_fail(simulator: SimulatorHandle, change: dict[str, Any]):
    reply = ask(f"{simulator.base_url}/responses", {"model": "gpt-4.1", "input": "x", **change})
    assert_named(reply)


SCHEMA_KEYS = st.sampled_from(
    [
        "type",
        "properties",
        "required",
        "items",
        "anyOf",
        "$ref",
        "enum",
        "const",
        "minimum",
        "minItems",
        "maxItems",
        "pattern",
        "format",
        "additionalProperties",
        "$defs",
        "allOf",
        "multipleOf",
        "maxLength",
        "prefixItems",
        "not",
        "description",
        "$schema",
        "uniqueItems",
    ]
)
SCHEMA_WORDS = st.sampled_from(["object", "string", "array", "integer", "#", "#/$defs/a", "a", "("])
SCHEMAS = st.recursive(
    SCHEMA_WORDS | st.none() | st.booleans() | st.integers(-3, 12) | st.floats(-1, 2),
    lambda parts: (
        st.lists(parts, max_size=3) | st.dictionaries(SCHEMA_KEYS | st.just("a"), parts, max_size=4)
    ),
    max_leaves=12,
)


@given(SCHEMAS, st.booleans())
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_schema_makes_it_fail(simulator: SimulatorHandle, part: Any, strict: bool):
    schema = part if isinstance(part, dict) else {"type": "object", "properties": {"a": part}}
    described = {"name": "n", "strict": strict, "schema": schema}
    body = {
        "model": "gpt-4.1",
        "messages": [USER],
        "response_format": {"type": "json_schema", "json_schema": described},
    }
    assert_named(ask(f"{simulator.base_url}/chat/completions", body))
    function = {"name": "n", "strict": strict, "parameters": schema}
    body = {
        "model": "gpt-4.1",
        "input": "x",
        "tools": [{"type": "function", **function}],
        "tool_choice": "required",
    }
    assert_named(ask(f"{simulator.base_url}/responses", body))


@given(JSON)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_embedding_or_moderation_input_makes_it_fail(simulator: SimulatorHandle, given_: Any):
    model = "text-embedding-3-small"
    assert_named(ask(f"{simulator.base_url}/embeddings", {"model": model, "input": given_}))
    assert_named(ask(f"{simulator.base_url}/moderations", {"input": given_}))


def assert_named(reply: Answer) -> None:
    if reply.status != 200:
        assert 400 <= reply.status < 500, reply.body
        assert reply.json()["error"]["message"]
