"""What a server lists, checked, bounded and cleaned; and the digest that it can be pinned by."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from typing import Any

import msgspec

from headgate.checks.schema import refusals
from headgate.workflows.prompts.untrusted import made_visible
from headgate.workflows.tools.mcp.wire import LostError
from headgate.workflows.tools.tool import ToolSpec

PAGES_AT_MOST = 100
TOOLS_AT_MOST = 1000
NAMES_SHOWN = 50
SCHEMA_BYTES_AT_MOST = 64 * 1024
_PLACE_CHARACTERS = 100
DESCRIPTION_CHARACTERS = 4096
"""A longer description is cut: it is for a model's prompt, which is paid for each time."""


class Listing(msgspec.Struct, frozen=True):
    """The tools of a server that somebody gave away, and the names of others."""

    specs: dict[str, ToolSpec]
    problems: dict[str, str]
    """Of tools that are given but can't be used: why."""
    others: tuple[str, ...]
    """Names of some that it has beside them."""


def digest_of(name: str, spec: ToolSpec) -> str:
    """SHA-256 of all that a model is told of a tool, as canonical JSON."""
    told = {"name": name, "description": spec.description, "parameters": spec.parameters}
    canonical = json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


class ListingReader:
    """Gathers the pages of one `tools/list`."""

    def __init__(self, given: Collection[str]) -> None:
        self._given = given
        self._specs: dict[str, ToolSpec] = {}
        self._problems: dict[str, str] = {}
        self._others: list[str] = []
        self._count = 0
        self._pages = 0

    def take(self, page: Any) -> str | None:
        """The cursor of the next page, or None. Raises `LostError` where it is no listing."""
        tools = page.get("tools") if isinstance(page, dict) else None
        if not isinstance(tools, list):
            raise LostError("the server's list of tools is not MCP", "bad_list", **_ARRIVED)
        self._pages += 1
        self._count += len(tools)
        cursor = page.get("nextCursor")
        if self._count > TOOLS_AT_MOST or (cursor is not None and self._pages >= PAGES_AT_MOST):
            raise LostError(
                f"the server lists more than {TOOLS_AT_MOST} tools or {PAGES_AT_MOST} pages",
                "bad_list",
                **_ARRIVED,
            )
        for tool in tools:
            if isinstance(tool, dict) and isinstance(name := tool.get("name"), str):
                self._one(name, tool)
        return cursor if isinstance(cursor, str) and cursor else None

    def listing(self) -> Listing:
        """All that was taken."""
        return Listing(self._specs, self._problems, tuple(self._others))

    def _one(self, name: str, tool: dict[str, Any]) -> None:
        if name not in self._given:
            if len(self._others) < NAMES_SHOWN:
                self._others.append(made_visible(name)[:64])
            return
        if name in self._specs:
            # Which of the two a call would reach is the server's secret.
            self._problems[name] = "the server lists two tools of this name"
            return
        description = tool.get("description")
        try:
            schema, problem = _schema(tool.get("inputSchema"))
        except RecursionError:
            problem = "is too deep"
        if problem is not None:
            self._problems[name] = f"its inputSchema {problem}"
            return
        self._specs[name] = ToolSpec(
            _described(description if isinstance(description, str) else ""), schema
        )


_ARRIVED = {"may_have_arrived": True}


def _schema(document: Any) -> tuple[dict[str, Any], str | None]:
    """What the model is told of the arguments, and what is wrong with it."""
    if not isinstance(document, dict) or document.get("type") != "object":
        return {}, "is not that of an object"
    if len(msgspec.json.encode(document)) > SCHEMA_BYTES_AT_MOST:
        return {}, f"is over {SCHEMA_BYTES_AT_MOST} bytes"
    # OpenAI's API refuses an object without `properties`. Many servers name an older dialect of
    # JSON Schema, and say nothing that 2020-12 does not: it is held to that one.
    schema: dict[str, Any] = {"properties": {}} | made_visible(document)
    schema.pop("$schema", None)
    for steps, _ in refusals(schema):
        where = ".".join(map(str, steps))[:_PLACE_CHARACTERS]
        return {}, f"is no JSON Schema (2020-12), or refers to others, at `{where}`"
    return schema, None


def _described(text: str) -> str:
    clean: str = made_visible(text).strip()
    if len(clean) <= DESCRIPTION_CHARACTERS:
        return clean
    return clean[: DESCRIPTION_CHARACTERS - 1] + "…"
