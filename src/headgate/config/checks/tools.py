"""Whether what is written of tools makes sense: addresses, headers, and where arguments go.

Whether a JSON Schema is one, and what stands in an OpenAPI document, is looked at where tools are
built.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from headgate.config.checks.mcp import check_mcp
from headgate.config.services import HttpServiceSettings, can_be_set, check_service
from headgate.config.tools import (
    HttpToolSettings,
    HttpToolSource,
    McpToolSource,
    OpenApiToolSource,
    ToolSource,
)
from headgate.config.yaml_file import YamlFile

_IN_PATH = re.compile(r"\{([^{}]*)\}")
_ONE_VALUE = frozenset({"string", "integer", "number", "boolean"})


def check_tool_sources(document: YamlFile, sources: Mapping[str, ToolSource]) -> None:
    """`ConfigError` with file, line and field for what makes no sense."""
    for name, source in sources.items():
        match source:
            case HttpToolSource():
                check_service(document, source, "tools", name)
                for tool, settings in source.tools.items():
                    _check_tool(document, source, settings, "tools", name, "tools", tool)
            case OpenApiToolSource():
                check_service(document, source, "tools", name)
                _check_idempotency(document, source, source.idempotency_header, "tools", name)
            case McpToolSource():
                check_mcp(document, source, "tools", name)


def _check_tool(
    document: YamlFile, source: HttpToolSource, tool: HttpToolSettings, *steps: str
) -> None:
    _check_idempotency(document, source, tool.idempotency_header, *steps)
    properties = tool.parameters.get("properties", {})
    if not isinstance(properties, dict):
        raise document.error("must be an object", *steps, "parameters", "properties")
    if "?" in tool.path or "#" in tool.path:
        raise document.error(
            "leave out `?` and `#`; `query` names the arguments that go there", *steps, "path"
        )
    if {".", ".."} & set(tool.path.split("/")):
        raise document.error("leave out `.` and `..`", *steps, "path")
    in_path = _IN_PATH.findall(tool.path)
    if re.search(r"[{}]", _IN_PATH.sub("", tool.path)):
        raise document.error("an argument is written `{name}`", *steps, "path")
    required = tool.parameters.get("required", ())
    for name in in_path:
        _check_named(document, properties, name, *steps, "path")
        if not isinstance(required, list) or name not in required:
            raise document.error(
                f"`{name}` stands in the path: list it in `required`", *steps, "parameters"
            )
        if not _types(properties[name]) <= _ONE_VALUE:
            raise document.error(
                f"stands in the path: its type must be one of {', '.join(sorted(_ONE_VALUE))}",
                *steps, "parameters", "properties", name,
            )  # fmt: skip
    for index, name in enumerate(tool.query):
        _check_named(document, properties, name, *steps, "query", index)
        if name in in_path:
            raise document.error("stands in the path already", *steps, "query", index)
    query = tool.query if tool.method not in ("GET", "DELETE") else tuple(properties)
    for name in query:
        if "object" in _types(properties[name]):
            raise document.error(
                "goes into the query, which takes texts, numbers, booleans and lists of them",
                *steps, "parameters", "properties", name,
            )  # fmt: skip


def _check_named(
    document: YamlFile, properties: dict[str, Any], name: str, *steps: str | int
) -> None:
    if name not in properties:
        known = ", ".join(map(str, properties)) or "none"
        raise document.error(f"`parameters` has no property `{name}`; it has {known}", *steps)


def _check_idempotency(
    document: YamlFile, source: HttpServiceSettings, header: str, *steps: str
) -> None:
    taken = {name.lower() for name in source.headers}
    if not can_be_set(header) or header.lower() in taken:
        raise document.error(
            "is another header's name; take one of its own", *steps, "idempotency_header"
        )


def _types(schema: Any) -> frozenset[str]:
    """What a property says of its type; nothing, where it doesn't say it there."""
    said = schema.get("type", []) if isinstance(schema, dict) else []
    return frozenset([said] if isinstance(said, str) else [str(one) for one in said])
