"""What can't be meant in `tools` of `headgate.yaml` is refused with file, line and field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from headgate.cli.check import check_project
from headgate.config.load import load_settings
from headgate.config.policy import effective_policy
from headgate.errors import ConfigError
from headgate.workflows.tools.shelf import build_tools

TOOL = {
    "description": "Cancel an order.",
    "path": "/orders/{order}/cancel",
    "parameters": {
        "type": "object",
        "required": ["order"],
        "properties": {"order": {"type": "string"}, "why": {"type": "string"}},
    },
}


def write(folder: Path, tool: dict[str, Any] | None = None, **source: Any) -> None:
    tools = {"cancel": TOOL | (tool or {})}
    shop = {"kind": "http", "base_url": "http://shop.example", "tools": tools} | source
    (folder / "headgate.yaml").write_text(yaml.dump({"tools": {"shop": shop}}, sort_keys=False))


def parameters(**said: Any) -> dict[str, Any]:
    return {"parameters": TOOL["parameters"] | said}


@pytest.mark.parametrize(
    ("tool", "source", "says"),
    [
        ({}, {"kind": "smtp"}, "tools.shop.kind: invalid value 'smtp'"),
        ({}, {"url": "x"}, "tools.shop.url: unknown field"),
        ({}, {"base_url": "ftp://x"}, "tools.shop.base_url: write an http:// or https://"),
        ({}, {"base_url": "http://a%b"}, "tools.shop.base_url: "),
        ({}, {"headers": {"Host": "x"}}, "tools.shop.headers.Host: is no header"),
        ({}, {"headers": {"A": "s3cret\n"}}, "tools.shop.headers.A: has characters"),
        ({}, {"tools": {}}, "tools.shop.tools: "),
        ({}, {"tools": {"a b": TOOL}}, "tools.shop.tools"),
        ({"method": "HEAD"}, {}, "tools.shop.tools.cancel.method: invalid enum value"),
        ({"path": "orders"}, {}, "tools.shop.tools.cancel.path: "),
        ({"path": "/a?b={order}"}, {}, "tools.shop.tools.cancel.path: leave out"),
        ({"path": "/a/../{order}"}, {}, "tools.shop.tools.cancel.path: leave out"),
        ({"path": "/a/{order"}, {}, "path: an argument is written `{name}`"),
        ({"path": "/a/{id}"}, {}, "path: `parameters` has no property `id`; it has order, why"),
        ({"path": "/a/{why}"}, {}, "parameters: `why` stands in the path: list it in"),
        ({"query": ["x"]}, {}, "query[0]: `parameters` has no property `x`"),
        ({"query": ["order"]}, {}, "query[0]: stands in the path already"),
        ({"idempotency_header": "Host"}, {}, "idempotency_header: is another header's name"),
        (
            {"idempotency_header": "X-Key"},
            {"headers": {"x-key": "a"}},
            "idempotency_header: is another header's name",
        ),
        (parameters(properties=[]), {}, "parameters.properties: must be an object"),
        (
            parameters(properties={"order": {"type": ["string", "null"]}}),
            {},
            "parameters.properties.order: stands in the path: its type must be one of",
        ),
        (
            {"query": ["why"]} | parameters(properties={"order": {}, "why": {"type": "object"}}),
            {},
            "parameters.properties.why: goes into the query, which takes",
        ),
        (
            {"method": "GET"} | parameters(properties={"order": {}, "why": {"type": "object"}}),
            {},
            "parameters.properties.why: goes into the query, which takes",
        ),
        (parameters(type="array"), {}, 'parameters.type: the root must have "type": "object"'),
        (
            parameters(properties={"order": {}, "why": {"type": "strnig"}}),
            {},
            "parameters.properties.why.type: ",
        ),
        (
            parameters(properties={"order": {"pattern": "["}}),
            {},
            "parameters.properties.order.pattern: ",
        ),
        (
            parameters(properties={"order": {"$ref": "http://evil.example/x"}}),
            {},
            "tools.shop.tools.cancel.parameters",
        ),
        (parameters(default={1: 2}), {}, "parameters: holds a field whose name is not text"),
    ],
)
def test_a_source_that_cannot_be_meant_is_refused(tmp_path, tool, source, says):
    write(tmp_path, tool, **source)
    with pytest.raises(ConfigError) as told:
        build_tools(load_settings(tmp_path, {}).tools, tmp_path)
    file, line, what = told.value.message.split(":", 2)
    assert file == str(tmp_path / "headgate.yaml")
    assert int(line) > 2
    assert says in what
    assert "s3cret" not in what


def test_headgate_check_finds_what_keeps_tools_from_being_built(tmp_path):
    write(tmp_path, parameters(properties={"order": {"pattern": "["}}))
    (problem,) = check_project(tmp_path).problems
    assert "tools.shop.tools.cancel.parameters.properties.order.pattern" in problem
    write(tmp_path)
    assert check_project(tmp_path).problems == ()


def test_each_source_tells_a_problem(tmp_path):
    sources = {
        name: {"kind": "openapi", "base_url": "http://x", "document": "no.yaml", "tools": {"a": {}}}
        for name in ("one", "two")
    }
    (tmp_path / "headgate.yaml").write_text(yaml.dump({"tools": sources}))
    with pytest.raises(ConfigError) as told:
        build_tools(load_settings(tmp_path, {}).tools, tmp_path)
    assert [problem.split(": ")[1] for problem in told.value.problems] == [
        "tools.one.document",
        "tools.two.document",
    ]


async def test_arguments_that_are_not_named_are_refused_unless_the_schema_lets_them(tmp_path):
    write(tmp_path)
    spec = await build_tools(load_settings(tmp_path, {}).tools, tmp_path).get("shop/cancel").spec()
    assert spec.parameters["additionalProperties"] is False
    write(tmp_path, parameters(additionalProperties={"type": "string"}))
    spec = await build_tools(load_settings(tmp_path, {}).tools, tmp_path).get("shop/cancel").spec()
    assert spec.parameters["additionalProperties"] == {"type": "string"}
    write(tmp_path, {"path": "/all", "parameters": {"type": "object"}})
    spec = await build_tools(load_settings(tmp_path, {}).tools, tmp_path).get("shop/cancel").spec()
    assert spec.parameters["properties"] == {}


def test_secrets_of_sources_are_not_shown(tmp_path):
    write(tmp_path, headers={"Authorization": "Bearer s3cret"})
    text = (tmp_path / "headgate.yaml").read_text()
    text += (
        "  files:\n    kind: mcp\n    command: [serve]\n    tools: {read: {effect: read}}\n"
        "    environment: {TOKEN: '${FILES_TOKEN}'}\n"
    )
    (tmp_path / "headgate.yaml").write_text(text)
    settings = load_settings(tmp_path, {"FILES_TOKEN": "s3cret-too"})
    policy = effective_policy(settings, providers={}, simulated=(), database_url="sqlite:///x")
    assert b"s3cret" not in msgspec.json.encode(policy)
    assert policy["tools"]["shop"]["kind"] == "http"
    assert policy["tools"]["shop"]["headers"] == {"Authorization": "set"}
    assert policy["tools"]["files"]["environment"] == {"TOKEN": "set"}


def test_a_server_without_tools_has_an_empty_shelf():
    shelf = build_tools({}, None)
    assert shelf.names() == ()
    with pytest.raises(KeyError):
        shelf.get("shop/cancel")
