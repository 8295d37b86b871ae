"""Tools of an HTTP service that an OpenAPI document describes, each an operation by its name.

The document says how an operation is called, never where or on what terms: `servers` and `security`
are passed over, since the operator's `base_url`, `headers` and terms hold.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from headgate.checks.schema import refusals
from headgate.checks.schema_path import said_of
from headgate.config.services import can_be_set
from headgate.config.tools import OpenApiToolSource
from headgate.workflows.tools.http_operation import IN_PATH, BodyWay, HttpOperation
from headgate.workflows.tools.http_tool import HttpTool
from headgate.workflows.tools.http_tools import Refused, client_of
from headgate.workflows.tools.openapi_document import OpenApiDocument, Operation, Place, Steps
from headgate.workflows.tools.openapi_schema import SchemaWriter
from headgate.workflows.tools.tool import Tool, ToolSpec

BODY = "body"
"""What the argument is called that is a body as a whole."""

_DESCRIPTION_CHARACTERS_AT_MOST = 1024
_PARAMETERS_AT_MOST = 100
_JSON = re.compile(r"application/([a-z0-9.+-]+\+)?json")
_STYLES = {"path": "simple", "query": "form", "header": "simple"}
_IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})
"""Those that OpenAPI says are no parameters, whatever a document writes."""


def openapi_tools(source: OpenApiToolSource, folder: Path, refused: Refused) -> dict[str, Tool]:
    """The tools of `source`, which has been checked. Raises `ConfigError`."""
    document = _document(source, folder, refused)
    client = client_of(source, refused)
    operations: dict[str, list[Operation]] = {}
    for named, operation in document.operations():
        operations.setdefault(named, []).append(operation)
        if (name := re.sub(r"[^A-Za-z0-9_-]", "_", named)) != named:
            operations.setdefault(name, []).append(operation)
    tools: dict[str, Tool] = {}
    for name in source.tools:
        found = operations.get(name, [])
        if len(found) != 1:
            said = "has several operations" if found else "has no operation"
            raise refused(
                f"{source.document} {said} with this `operationId` (`_` stands for what a tool's"
                " name can't hold)",
                "tools", name,
            )  # fmt: skip
        try:
            one = _Reading(document, source, found[0])
            tools[name] = HttpTool(source, client, one.operation(), one.spec())
        except RecursionError:
            raise document.error("is nested too deeply", found[0].place.steps) from None
    return tools


def _document(source: OpenApiToolSource, folder: Path, refused: Refused) -> OpenApiDocument:
    path = folder / source.document
    if not path.resolve().is_relative_to(folder.resolve()):
        raise refused("must stand in the project's folder", "document")
    if not path.is_file():
        raise refused(f"there is no {path}", "document")
    return OpenApiDocument.read(path)


class _Parameter(msgspec.Struct, frozen=True):
    name: str
    where: str
    schema: Any
    required: bool


class _Reading:
    """Reads one operation."""

    def __init__(
        self, document: OpenApiDocument, source: OpenApiToolSource, operation: Operation
    ) -> None:
        self._document = document
        self._source = source
        self._operation = operation
        self._writer = SchemaWriter(document)
        self._parameters = self._all_parameters()
        self._body_way: BodyWay = "none"
        self._body_needed = False
        self._media_type = "application/json"
        self._properties: dict[str, Any] = {p.name: p.schema for p in self._parameters}
        self._required = [p.name for p in self._parameters if p.required]
        self._more: Any = False
        self._read_body()

    def operation(self) -> HttpOperation:
        """How its arguments become a request."""
        named: dict[str, list[str]] = {"path": [], "query": [], "header": []}
        for parameter in self._parameters:
            named[parameter.where].append(parameter.name)
        path, method = self._operation.path, self._operation.method
        if sorted(set(IN_PATH.findall(path))) != sorted(named["path"]):
            raise self._error("its path's `{names}` must each be a parameter in the path")
        if not re.fullmatch(r"/[!-~]*", path) or re.search(r"[?#]|[{}]", IN_PATH.sub("", path)):
            raise self._error("its path can't be asked for")
        return HttpOperation(
            method=method,
            path=path,
            query=tuple(named["query"]),
            headers=tuple(named["header"]),
            body=self._body_way,
            body_argument=BODY,
            body_needed=self._body_needed,
            media_type=self._media_type,
            idempotency_header=None if method == "GET" else self._source.idempotency_header,
        )

    def spec(self) -> ToolSpec:
        """What the model is told."""
        schema: dict[str, Any] = {
            "type": "object",
            "properties": self._properties,
            "required": self._required,
            "additionalProperties": self._more,
        }
        for steps, message in refusals(schema):
            where = ".".join(map(str, steps))
            raise self._error(f"its arguments make no JSON Schema: {where}: {message}")
        node = self._operation.place.node
        said = [node.get(key) for key in ("summary", "description")]
        told = "\n\n".join(text.strip() for text in said if isinstance(text, str) and text.strip())
        told = told or f"{self._operation.method} {self._operation.path}"
        if len(told) > _DESCRIPTION_CHARACTERS_AT_MOST:
            told = told[: _DESCRIPTION_CHARACTERS_AT_MOST - 1] + "…"
        return ToolSpec(told, schema)

    def _all_parameters(self) -> list[_Parameter]:
        found: dict[tuple[str, str], _Parameter] = {}
        for place in (self._operation.shared, self._operation.place):
            listed = place.node.get("parameters", [])
            if not isinstance(listed, list) or len(listed) > _PARAMETERS_AT_MOST:
                raise self._document.error(
                    f"must be a list of {_PARAMETERS_AT_MOST} at most", (*place.steps, "parameters")
                )
            for index, node in enumerate(listed):
                at = (*place.steps, "parameters", index)
                one = self._parameter(self._document.followed(Place(node, at)))
                if one is not None:
                    found[one.name, one.where] = one
        names = [name for name, _ in found]
        if twice := [name for name in names if names.count(name) > 1]:
            raise self._error(f"has two parameters called `{twice[0]}`")
        return list(found.values())

    def _parameter(self, place: Place) -> _Parameter | None:
        node, steps = place.node, place.steps
        if not isinstance(node, dict) or not isinstance(name := node.get("name"), str) or not name:
            raise self._document.error("must be a parameter with a `name`", steps)
        where, required = node.get("in"), node.get("required") is True
        if where == "cookie" and not required:
            return None
        if not isinstance(where, str) or where not in _STYLES:
            raise self._document.error("only path, query and header can be sent", (*steps, "in"))
        if where == "header":
            given = {header.lower() for header in self._source.headers}
            filled = given | _IGNORED_HEADERS | {self._source.idempotency_header.lower()}
            if name.lower() in filled:
                return None
            if not can_be_set(name):
                raise self._document.error("is no header that can be set", (*steps, "name"))
        if "schema" not in node:
            raise self._document.error("only parameters with a `schema` can be sent", steps)
        schema = self._writer.written(Place(node["schema"], (*steps, "schema")))
        self._check_style(where, schema, node, steps)
        if isinstance(schema, dict) and isinstance(said := node.get("description"), str):
            schema = {"description": said[:_DESCRIPTION_CHARACTERS_AT_MOST]} | schema
        return _Parameter(name, where, schema, required or where == "path")

    def _check_style(self, where: str, schema: Any, node: dict[str, Any], steps: Steps) -> None:
        if node.get("style", _STYLES[where]) != _STYLES[where]:
            raise self._document.error(f"only `{_STYLES[where]}` can be sent", (*steps, "style"))
        whole = {"type": "object", "properties": {"it": schema}}
        if refusals(whole):
            return  # it is told with the operation's other arguments
        types = said_of(whole, "it", "").types
        takes = "texts, numbers and booleans"
        if "object" in types or ("array" in types and where != "query"):
            raise self._document.error(f"a parameter in the {where} takes {takes}", steps)
        if "array" in types and node.get("explode", True) is not True:
            raise self._document.error("a list is sent with `explode: true`", (*steps, "explode"))

    def _read_body(self) -> None:
        node = self._operation.place.node.get("requestBody")
        if node is None or self._operation.method == "GET":
            return
        at = (*self._operation.place.steps, "requestBody")
        place = self._document.followed(Place(node, at))
        content = place.node.get("content") if isinstance(place.node, dict) else None
        kinds = content if isinstance(content, dict) else {}
        found = [str(kind) for kind in kinds if _JSON.match(str(kind))]
        if not found:
            raise self._document.error("only a body of JSON can be sent", place.steps)
        media_type = "application/json" if "application/json" in found else found[0]
        self._media_type = media_type.partition(";")[0].strip()
        needed = place.node.get("required") is True
        at = (*place.steps, "content", media_type, "schema")
        form = kinds[media_type] or {}
        if not isinstance(form, dict):
            raise self._document.error("must be an object", at[:-1])
        described = form.get("schema", {})
        schema = self._writer.written(Place(described, at))
        self._body_needed = needed
        if self._can_be_merged(schema, needed=needed):
            self._body_way = "rest"
            self._properties |= schema.get("properties", {})
            self._required += schema.get("required", [])
            self._more = schema.get("additionalProperties", False)
            return
        if BODY in self._properties:
            raise self._document.error(f"a parameter is called `{BODY}`, too", place.steps)
        self._body_way = "argument"
        self._properties[BODY] = schema
        self._required += [BODY] if needed else []

    def _can_be_merged(self, schema: Any, *, needed: bool) -> bool:
        """Whether the body's fields can be arguments beside the parameters.

        Not where names clash, and not where the body may be left out as a whole but some of its
        fields may not.
        """
        if not isinstance(schema, dict) or schema.get("type") != "object":
            return False
        properties, required = schema.get("properties"), schema.get("required", [])
        if not isinstance(properties, dict) or not isinstance(required, list):
            return False
        if not properties or properties.keys() & self._properties.keys():
            return False
        known = {"type", "properties", "required", "additionalProperties", "title", "description"}
        return schema.keys() <= known and (needed or not required)

    def _error(self, message: str) -> Exception:
        return self._document.error(message, self._operation.place.steps)
