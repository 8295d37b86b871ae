"""All tools of the sources in `headgate.yaml`, built once for a process: `SOURCE/TOOL`.

The only place that knows every kind of source. Another kind is a Struct in `config/tools.py`, a
file beside this one, and a case here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import msgspec

from headgate.config.json_file import dotted
from headgate.config.load import FILE_NAME
from headgate.config.services import HttpServiceSettings
from headgate.config.tools import (
    HttpToolSource,
    McpToolSource,
    OpenApiToolSource,
    ToolSource,
    ToolTerms,
)
from headgate.config.yaml_file import YamlFile
from headgate.errors import ConfigError
from headgate.workflows.tools.http_tools import http_tools
from headgate.workflows.tools.load_checks import approval_problems
from headgate.workflows.tools.openapi_tools import openapi_tools
from headgate.workflows.tools.tool import Tool


class ToolShelf:
    """The tools, each with the terms that the operator wrote."""

    def __init__(self, tools: Mapping[str, tuple[Tool, ToolTerms]]) -> None:
        self._tools = dict(tools)

    def __contains__(self, name: str) -> bool:
        return name in self._tools

    def names(self) -> tuple[str, ...]:
        """Every `SOURCE/TOOL`, in the order of the file."""
        return tuple(self._tools)

    def get(self, name: str) -> Tool:
        """The tool `SOURCE/TOOL`; `KeyError` where there is none."""
        return self._tools[name][0]

    def terms(self, name: str) -> ToolTerms:
        """Its terms; `KeyError` where there is none. Where it says no time, its service's holds."""
        return self._tools[name][1]

    async def close(self) -> None:
        """Close every tool; tools of one source share what they close."""
        await asyncio.gather(*(tool.close() for tool, _ in self._tools.values()))


def build_tools(sources: Mapping[str, ToolSource], folder: Path | None) -> ToolShelf:
    """The tools of `sources`, which have been checked. No connection is opened.

    Raises `ConfigError`; its problems are the first of each source.
    """
    shelf: dict[str, tuple[Tool, ToolTerms]] = {}
    problems: list[str] = []
    for name, source in sources.items():
        try:
            tools = _tools(name, source, folder or Path())
        except ConfigError as error:
            problems += error.problems
            continue
        for tool in tools:
            problems += _approval(name, tool, tools[tool], source, folder)
            shelf[f"{name}/{tool}"] = (tools[tool], _terms(source, tool))
    if problems:
        raise ConfigError(problems[0], problems=tuple(problems))
    return ToolShelf(shelf)


def _tools(name: str, source: ToolSource, folder: Path) -> Mapping[str, Tool]:
    def refused(message: str, *steps: str | int) -> ConfigError:
        return _refused(folder, message, "tools", name, *steps)

    match source:
        case HttpToolSource():
            return http_tools(source, refused)
        case OpenApiToolSource():
            return openapi_tools(source, folder, refused)
        case McpToolSource():
            # Here, because most projects have none, and an idle server stays small.
            from headgate.workflows.tools.mcp_tools import mcp_tools  # noqa: PLC0415

            return mcp_tools(name, source)


def _refused(folder: Path, message: str, *steps: str | int) -> ConfigError:
    path = folder / FILE_NAME
    if path.is_file():
        return YamlFile.read(path).error(message, *steps)
    return ConfigError(f"{dotted(steps)}: {message}")


def _approval(
    name: str, tool_name: str, tool: Tool, source: ToolSource, folder: Path | None
) -> list[str]:
    """What is wrong with the operator's own rules on when a person approves."""
    approval = source.tools[tool_name].approval
    at = ("tools", name, "tools", tool_name, "approval")
    return [
        _refused(folder or Path(), problem, *at, *steps).message
        for steps, problem in approval_problems(approval, tool.known)
    ]


def _terms(source: ToolSource, tool: str) -> ToolTerms:
    terms: ToolTerms = source.tools[tool]
    if terms.timeout_s is None and isinstance(source, HttpServiceSettings):
        return msgspec.structs.replace(terms, timeout_s=source.timeout_s)
    return terms
