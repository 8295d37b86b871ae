"""Tools of an HTTP service that the operator described one by one in `headgate.yaml`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headgate.checks.schema import plain_json, refusals
from headgate.config.services import HttpServiceSettings
from headgate.config.tools import HttpToolSettings, HttpToolSource
from headgate.context.service import ServiceClient
from headgate.errors import ConfigError
from headgate.workflows.tools.http_operation import HttpOperation
from headgate.workflows.tools.http_tool import HttpTool
from headgate.workflows.tools.tool import Tool, ToolSpec

_CLOSED: dict[str, Any] = {"properties": {}, "additionalProperties": False}

Refused = Callable[..., ConfigError]
"""Called with a message and the steps to a field of the source, makes the error that names both."""


def http_tools(source: HttpToolSource, refused: Refused) -> dict[str, Tool]:
    """The tools of `source`, which has been checked. Raises `ConfigError`."""
    client = client_of(source, refused)
    return {
        name: HttpTool(
            source,
            client,
            _operation(tool),
            ToolSpec(tool.description, _parameters(tool, name, refused)),
        )
        for name, tool in source.tools.items()
    }


def client_of(source: HttpServiceSettings, refused: Refused) -> ServiceClient:
    """The client of a source's service; it opens no connection yet."""
    try:
        return ServiceClient(source)
    except ValueError as error:
        raise refused(str(error), "base_url") from None


def _operation(tool: HttpToolSettings) -> HttpOperation:
    has_body = tool.method not in ("GET", "DELETE")
    return HttpOperation(
        method=tool.method,
        path=tool.path,
        query=tool.query,
        body="rest" if has_body else "none",
        idempotency_header=None if tool.method == "GET" else tool.idempotency_header,
    )


def _parameters(tool: HttpToolSettings, name: str, refused: Refused) -> dict[str, Any]:
    """The schema; no arguments beside those that it names, unless it says so itself.

    OpenAI's API refuses an object without `properties`, even where it has none.
    """
    steps = ("tools", name, "parameters")
    try:
        schema: dict[str, Any] = _CLOSED | plain_json(tool.parameters)
    except ValueError as error:
        raise refused(f"holds {error}, which is no JSON", *steps) from None
    for inner, message in refusals(schema):
        raise refused(message, *steps, *inner)
    return schema
