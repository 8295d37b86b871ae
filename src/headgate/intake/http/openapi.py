"""The OpenAPI 3.1 document of this server, made from the endpoints themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from headgate import __version__
from headgate.intake.http.endpoint import Endpoint
from headgate.intake.http.errors import ErrorBody

_REFERENCE = "#/components/schemas/{name}"
_PATH_PARAMETER = re.compile(r"\{(?P<name>[^}:]+)(?::[^}]+)?\}")


def openapi_document(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """The document, ready for JSON."""
    listed = list(endpoints)
    types = {
        kind
        for endpoint in listed
        for kind in (endpoint.request, endpoint.response)
        if kind is not None and issubclass(kind, msgspec.Struct)
    }
    ordered = [ErrorBody, *sorted(types, key=lambda kind: kind.__name__)]
    schemas, components = msgspec.json.schema_components(ordered, ref_template=_REFERENCE)
    references = dict(zip(ordered, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in listed:
        path = _PATH_PARAMETER.sub(r"{\g<name>}", endpoint.path)
        paths.setdefault(path, {})[endpoint.method.lower()] = _operation(endpoint, references)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Headgate",
            "version": __version__,
            "description": "One self-hosted server between a business's applications and the"
            " OpenAI API. What stands under /v1 takes and answers what OpenAI's own API does.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A Headgate key, `Authorization: Bearer hg_…`.",
                }
            },
        },
    }


def _operation(endpoint: Endpoint, references: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    failed = {
        "description": "What went wrong and what to do, in OpenAI's error shape.",
        "content": {"application/json": {"schema": references[ErrorBody]}},
    }
    operation: dict[str, Any] = {
        "operationId": _operation_id(endpoint),
        "summary": endpoint.summary,
        "tags": [endpoint.tag],
        "parameters": [*_path_parameters(endpoint), *_query_parameters(endpoint)]
        + [
            {
                "name": header.name,
                "in": "header",
                "description": header.description,
                "schema": {"type": "string"},
            }
            for header in endpoint.request_headers
        ],
        "responses": {
            str(endpoint.status): {
                "description": "Done.",
                **_content(references.get(endpoint.response)),
            },
            "4XX": failed,
            "5XX": failed,
        },
    }
    if endpoint.request is not None:
        operation["requestBody"] = {
            "required": True,
            **_content(references.get(endpoint.request, {"type": "object"})),
        }
    if endpoint.permission is None:
        operation["security"] = []
    else:
        operation["security"] = [{"key": []}]
        operation["x-headgate-permission"] = endpoint.permission
    return operation


def _operation_id(endpoint: Endpoint) -> str:
    words = re.findall(r"[A-Za-z0-9]+", _PATH_PARAMETER.sub(r"by_\g<name>", endpoint.path))
    return "_".join([endpoint.method.lower(), *words])


def _content(schema: dict[str, Any] | None) -> dict[str, Any]:
    return {} if schema is None else {"content": {"application/json": {"schema": schema}}}


def _path_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {"name": found["name"], "in": "path", "required": True, "schema": {"type": "string"}}
        for found in _PATH_PARAMETER.finditer(endpoint.path)
    ]


def _query_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    if endpoint.query is None:
        return []
    schema = msgspec.json.schema(endpoint.query)
    described = schema["$defs"][endpoint.query.__name__]
    required = described.get("required", [])
    parameters = []
    for name, value in described["properties"].items():
        parameter = {"name": name, "in": "query", "required": name in required, "schema": value}
        if "description" in value:
            parameter["description"] = value["description"]
        parameters.append(parameter)
    return parameters
