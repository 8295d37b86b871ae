"""An OpenAPI document becomes tools: arguments, places, references; or its line says why not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from headgate.checks.schema import Schema
from headgate.config.load import load_settings
from headgate.errors import ConfigError
from headgate.workflows.tools.shelf import build_tools
from headgate.workflows.tools.tool import ToolSpec

PET = {
    "type": "object",
    "required": ["name", "id"],
    "properties": {
        "id": {"type": "string", "readOnly": True},
        "name": {"type": "string", "example": "Rex", "xml": {"name": "n"}},
        "example": {"type": "integer", "minimum": 1, "exclusiveMinimum": True},
        "owner": {"$ref": "#/components/schemas/Owner"},
        "nick": {"type": "string", "nullable": True, "enum": ["a", "b"]},
        "tag": {"nullable": True, "allOf": [{"$ref": "#/components/schemas/Tag"}]},
    },
    "x-internal": True,
}


def document(version: str = "3.0.3", **operation: Any) -> dict[str, Any]:
    return {
        "openapi": version,
        "servers": [{"url": "https://evil.example"}],
        "paths": {
            "/pets/{pet}": {
                "parameters": [{"$ref": "#/components/parameters/pet"}],
                "post": {"operationId": "act", "summary": "Act on a pet."} | operation,
            },
        },
        "components": {
            "parameters": {
                "pet": {
                    "name": "pet",
                    "in": "path",
                    "required": True,
                    "description": "Which.",
                    "schema": {"type": "string"},
                }
            },
            "schemas": {
                "Pet": PET,
                "Owner": {
                    "type": "object",
                    "properties": {"mail": {"type": "string", "format": "email"}},
                },
                "Tag": {"type": "string"},
                "Tree": {
                    "type": "object",
                    "properties": {
                        "below": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}
                    },
                },
                "Loop": {"$ref": "#/components/schemas/Loop"},
            },
        },
    }


def body_of(schema: dict[str, Any], *, required: bool = True, kind: str = "application/json"):
    return {"requestBody": {"required": required, "content": {kind: {"schema": schema}}}}


def parameter(**said: Any) -> dict[str, Any]:
    return {"parameters": [{"name": "q", "in": "query", "schema": {"type": "string"}} | said]}


PET_BODY = body_of({"$ref": "#/components/schemas/Pet"})


def tool_of(
    folder: Path, content: dict[str, Any] | str, name: str = "act", file: str = "pets.yaml"
):
    if not isinstance(content, str):
        content = json.dumps(content, indent=1) if file.endswith("json") else yaml.dump(content)
    (folder / file).write_text(content)
    (folder / "headgate.yaml").write_text(
        "tools:\n  pets:\n    kind: openapi\n    base_url: https://pets.example/v2\n"
        f"    headers: {{X-Api-Key: s3cret}}\n    document: {file}\n    tools: {{ {name}: {{}} }}\n"
    )
    return build_tools(load_settings(folder, {}).tools, folder).get(f"pets/{name}")


async def spec_of(folder: Path, **operation: Any) -> ToolSpec:
    return await tool_of(folder, document(**operation)).spec()


@pytest.mark.parametrize("file", ["pets.yaml", "pets.json"])
async def test_parameters_and_the_bodys_fields_are_the_arguments(tmp_path, file):
    tool = tool_of(tmp_path, document(**parameter(description="Search."), **PET_BODY), file=file)
    spec = await tool.spec()
    assert spec.description == "Act on a pet."
    assert spec.parameters == {
        "type": "object",
        "properties": {
            "pet": {"description": "Which.", "type": "string"},
            "q": {"description": "Search.", "type": "string"},
            "name": {"type": "string"},
            "example": {"type": "integer", "exclusiveMinimum": 1},
            "owner": {
                "type": "object",
                "properties": {"mail": {"type": "string", "format": "email"}},
            },
            "nick": {"type": ["string", "null"], "enum": ["a", "b", None]},
            "tag": {"anyOf": [{"allOf": [{"type": "string"}]}, {"type": "null"}]},
        },
        "required": ["pet", "name"],
        "additionalProperties": False,
    }
    arguments = {"pet": "p/1", "q": "x", "name": "Rex", "nick": None, "tag": None}
    assert Schema(spec.parameters).problems(arguments) == ()
    sent = tool.sent(arguments, "key")
    assert sent.details == {
        "method": "POST",
        "url": "https://pets.example/v2/pets/p%2F1?q=x",
        "headers": {
            "X-Api-Key": "set",
            "Idempotency-Key": "key",
            "Content-Type": "application/json",
        },
        "body": {"name": "Rex", "nick": None, "tag": None},
    }


async def test_version_3_1_is_json_schema_already(tmp_path):
    schema = {
        "type": "object",
        "properties": {
            "pet_name": {"type": ["string", "null"], "examples": ["a"]},
            "owner": {"$ref": "#/components/schemas/Owner", "description": "Whose."},
            "strict": {"$ref": "#/components/schemas/Tag", "maxLength": 3},
        },
    }
    spec = await spec_of(tmp_path, version="3.1.0", **body_of(schema))
    found = spec.parameters["properties"]
    assert found["pet_name"] == {"type": ["string", "null"]}
    assert found["owner"]["description"] == "Whose."
    assert found["strict"] == {"allOf": [{"type": "string"}, {"maxLength": 3}]}


async def test_a_body_that_clashes_or_is_no_plain_object_is_one_argument(tmp_path):
    for schema in (
        {"type": "object", "properties": {"pet": {"type": "string"}}},
        {"type": "array", "items": {"type": "integer"}},
        {"allOf": [{"$ref": "#/components/schemas/Owner"}]},
        {"type": "object"},
    ):
        spec = await spec_of(tmp_path, **body_of(schema))
        assert list(spec.parameters["properties"]) == ["pet", "body"]
        assert spec.parameters["required"] == ["pet", "body"]
    tool = tool_of(tmp_path, document(**body_of({"type": "array", "items": {}})))
    assert tool.sent({"pet": "1", "body": [1]}, "k").details["body"] == [1]


async def test_a_body_that_may_be_left_out_as_a_whole_is_one_argument(tmp_path):
    schema = {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}}
    spec = await spec_of(tmp_path, **body_of(schema, required=False))
    assert spec.parameters["required"] == ["pet"]
    assert spec.parameters["properties"]["body"]["required"] == ["a"]
    tool = tool_of(tmp_path, document(**body_of(schema, required=False)))
    assert "body" not in tool.sent({"pet": "1"}, "k").details


async def test_another_kind_of_json_is_sent_under_its_name(tmp_path):
    operation = body_of({"type": "object", "properties": {}}, kind="application/merge-patch+json")
    sent = tool_of(tmp_path, document(**operation)).sent({"pet": "1", "body": {}}, "k")
    assert sent.details["headers"]["Content-Type"] == "application/merge-patch+json"


async def test_headers_that_headgate_or_the_operator_fills_are_no_arguments(tmp_path):
    headers = ["Idempotency-Key", "X-API-KEY", "Accept", "Authorization", "X-Region"]
    listed = [{"name": n, "in": "header", "schema": {"type": "string"}} for n in headers]
    tool = tool_of(tmp_path, document(parameters=listed))
    assert list((await tool.spec()).parameters["properties"]) == ["pet", "X-Region"]
    sent = tool.sent({"pet": "1", "X-Region": "eu"}, "k")
    assert sent.details["headers"]["X-Region"] == "eu"


async def test_a_cookie_that_is_optional_is_left_out(tmp_path):
    spec = await spec_of(tmp_path, **parameter(**{"in": "cookie"}))
    assert list(spec.parameters["properties"]) == ["pet"]


async def test_an_operations_parameter_goes_before_its_paths(tmp_path):
    own = {"name": "pet", "in": "path", "required": True, "schema": {"type": "integer"}}
    spec = await spec_of(tmp_path, parameters=[own])
    assert spec.parameters["properties"]["pet"] == {"type": "integer"}


async def test_a_get_has_neither_body_nor_key_and_is_a_write_unless_its_terms_say_else(tmp_path):
    content = document()
    content["paths"]["/pets/{pet}"]["get"] = content["paths"]["/pets/{pet}"].pop("post") | PET_BODY
    tool = tool_of(tmp_path, content)
    assert tool.sent({"pet": "1"}, "k").details["headers"] == {"X-Api-Key": "set"}
    shelf = build_tools(load_settings(tmp_path, {}).tools, tmp_path)
    assert shelf.terms("pets/act").effect is None


async def test_an_operation_with_a_name_that_no_tool_can_have_is_found(tmp_path):
    tool = tool_of(tmp_path, document(operationId="pets/act.now"), name="pets_act_now")
    assert (await tool.spec()).description == "Act on a pet."


async def test_descriptions_are_joined_and_bounded_or_made(tmp_path):
    spec = await spec_of(tmp_path, description="More.")
    assert spec.description == "Act on a pet.\n\nMore."
    assert len((await spec_of(tmp_path, description="x" * 5000)).description) == 1024
    assert (await spec_of(tmp_path, summary="")).description == "POST /pets/{pet}"


@pytest.mark.parametrize(
    ("operation", "says"),
    [
        ({"operationId": "other"}, "headgate.yaml:7: tools.pets.tools.act: pets.yaml has no op"),
        (parameter(**{"in": "cookie", "required": True}), "in: only path, query and header"),
        (parameter(style="deepObject"), "style: only `form` can be sent"),
        (parameter(schema={"type": "object"}), "a parameter in the query takes texts"),
        (parameter(schema={"type": "array"}, explode=False), "explode: a list is sent with"),
        (parameter(**{"in": "header", "schema": {"type": "array"}}), "in the header takes texts"),
        (parameter(schema={"allOf": [{"type": "array"}]}, explode=False), "explode: a list is"),
        (parameter(schema={"anyOf": [{"type": "object"}]}), "a parameter in the query takes texts"),
        (parameter(**{"in": ["query"]}), "in: only path, query and header"),
        (parameter(schema={"type": True}), "its arguments make no JSON Schema"),
        ({"requestBody": {"content": {"application/json": "x"}}}, "must be an object"),
        (body_of({"type": "object", "properties": ["x"]}), "its arguments make no JSON Schema"),
        (body_of({"type": "object", "properties": {"x": {}}, "required": "x"}), "no JSON Schema"),
        (body_of({"type": "object", "properties": {}, "required": [{}]}), "no JSON Schema"),
        (parameter(**{"in": "header", "name": "Host"}), "name: is no header that can be set"),
        (parameter(name="pet"), "has two parameters called `pet`"),
        (parameter(name=3), "must be a parameter with a `name`"),
        (parameter(schema={"pattern": "["}), "its arguments make no JSON Schema"),
        (parameter(schema={"type": "strnig"}), "its arguments make no JSON Schema"),
        ({"parameters": [{"name": "q", "in": "query", "content": {}}]}, "only parameters with a"),
        ({"parameters": [{"$ref": "#/components/parameters/no"}]}, r"\$ref: there is no #/comp"),
        ({"parameters": [{"$ref": "other.yaml#/x"}]}, "refers to another document"),
        ({"parameters": {}}, "parameters: must be a list"),
        (body_of({}, kind="multipart/form-data"), "only a body of JSON can be sent"),
        (body_of({"$ref": "#/components/schemas/Tree"}), "refers to itself, in a circle"),
        (body_of({"$ref": "#/components/schemas/Loop"}), "refers to itself, in a circle"),
        (body_of({"$ref": "https://evil.example/x.json"}), "refers to another document"),
        (body_of({"$dynamicRef": "#x"}), "is not followed"),
        (body_of({"default": float("nan")}), "a number that is not finite"),
        (body_of({"type": "array", "items": 3}), "items: must be a schema"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_its_line(tmp_path, operation, says):
    with pytest.raises(ConfigError, match=says) as told:
        tool_of(tmp_path, document(**operation))
    if "operationId" not in operation:
        file, line, _ = told.value.message.split(":", 2)
        assert file == str(tmp_path / "pets.yaml")
        assert int(line) > 1


def test_a_path_and_its_parameters_must_agree(tmp_path):
    content = document()
    content["paths"]["/pets/{pet}/{other}"] = content["paths"].pop("/pets/{pet}")
    with pytest.raises(ConfigError, match="must each be a parameter in the path"):
        tool_of(tmp_path, content)


def test_references_that_unfold_to_too_much_are_refused(tmp_path):
    content = document(**body_of({"$ref": "#/components/schemas/L0"}))
    for level in range(20):
        below = {"$ref": f"#/components/schemas/L{level + 1}"} if level < 19 else {}
        content["components"]["schemas"][f"L{level}"] = {"anyOf": [below, below]}
    with pytest.raises(ConfigError, match="more than 2000 parts"):
        tool_of(tmp_path, content)


@pytest.mark.parametrize("levels", [250, 900, 50_000])
@pytest.mark.parametrize("file", ["pets.yaml", "pets.json"])
def test_a_document_that_is_nested_too_deeply_is_refused(tmp_path, file, levels):
    text = json.dumps(document(**body_of({"not": {}})))
    deep = text.replace('{"not": {}}', '{"not":' * levels + "{}" + "}" * levels)
    with pytest.raises(ConfigError, match="nested too deeply"):
        tool_of(tmp_path, deep, file=file)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("swagger: '2.0'\n", "must be a document of OpenAPI 3.0 or 3.1"),
        ("[]", "must be a document of OpenAPI"),
        ("openapi: 3.1.0\npaths: []\n", "paths: must be an object"),
        ("a: [", "not valid YAML"),
        ("openapi: 3.1.0\n", "has no operation"),
    ],
)
def test_what_is_no_document_is_refused(tmp_path, text, says):
    with pytest.raises(ConfigError, match=says):
        tool_of(tmp_path, text)


def test_aliases_that_stand_for_billions_of_values_are_refused(tmp_path):
    bomb = "x-0: &b0 [1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
        f"x-{level}: &b{level} [{', '.join([f'*b{level - 1}'] * 9)}]\n" for level in range(1, 15)
    )
    text = bomb + yaml.dump(document(**body_of({"default": "BOMB"}))).replace("BOMB", "*b14")
    with pytest.raises(ConfigError, match="hold more than 20,000 values"):
        tool_of(tmp_path, text)
    circle = "x-0: &a [*a]\n" + yaml.dump(document(**body_of({"default": "BOMB"})))
    with pytest.raises(ConfigError, match="an anchor holds itself"):
        tool_of(tmp_path, circle.replace("BOMB", "*a"))


def test_two_operations_of_one_name_are_refused(tmp_path):
    content = document()
    content["paths"]["/two/{pet}"] = content["paths"]["/pets/{pet}"]
    with pytest.raises(ConfigError, match="has several operations"):
        tool_of(tmp_path, content)


def test_the_document_stands_in_the_projects_folder(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    (tmp_path / "outside.yaml").write_text(yaml.dump(document()))
    (folder / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    tool_of(folder, document())
    text = (folder / "headgate.yaml").read_text()
    for name, says in (
        ("../outside.yaml", "must stand in the project's folder"),
        (str(tmp_path / "outside.yaml"), "must stand in the project's folder"),
        ("link.yaml", "must stand in the project's folder"),
        ("missing.yaml", "there is no "),
    ):
        (folder / "headgate.yaml").write_text(text.replace("pets.yaml", name))
        with pytest.raises(ConfigError, match=f"headgate.yaml:6: tools.pets.document: {says}"):
            build_tools(load_settings(folder, {}).tools, folder)
