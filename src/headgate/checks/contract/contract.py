"""What the answer to a request must be: its text by a schema, its tool calls by their tools'.

On chat completions and on responses. Tools that the provider carries out itself, and tools whose
input is a free text, have no schema to be checked against and are left alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from headgate.checks.contract.caller_schema import (
    CallerSchema,
    CallerSchemas,
    Fault,
    UncheckableError,
)
from headgate.checks.contract.finished import Finished

_ANY_OBJECT = {"type": "object"}


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """What one request asks its answer to be."""

    text: CallerSchema | None = None
    """None: any text will do."""
    tools: dict[str, CallerSchema] = {}
    """By the tool's name."""
    offers_tools: bool = False
    uncheckable: str | None = None
    """Why a schema of it can't be checked against, with where it stands; None: all can."""

    @classmethod
    def of(cls, fields: dict[str, Any], schemas: CallerSchemas, *, text: bool = True) -> Contract:
        """What a decoded request asks; without `text`, only of tool calls."""
        asked: CallerSchema | None = None
        tools: dict[str, CallerSchema] = {}
        uncheckable = None
        wanted = _text_schema(fields) if text else None
        try:
            if wanted is not None:
                where, document = wanted
                asked = schemas.compiled(document)
            for name, where, document in _tools(fields):  # noqa: B007 - told below
                tools[name] = schemas.compiled(document)
        except UncheckableError as error:
            uncheckable = f"`{where}` {error}"
        return cls(
            text=asked, tools=tools, offers_tools=_offers_tools(fields), uncheckable=uncheckable
        )

    @property
    def asks_nothing(self) -> bool:
        """Whether any answer fits."""
        return self.text is None and not self.offers_tools and self.uncheckable is None

    def fault(self, one: Finished) -> Fault | None:
        """In what `one` is not what was asked; None where it is. Raises `UncheckableError`."""
        schema: CallerSchema | None
        if one.kind == "text":
            schema = self.text
            if schema is None:
                return None
        else:
            schema = self.tools.get(one.tool or "")
            if schema is None:
                return Fault("", "unknown tool")
        return schema.fault_in(one.text)


def _text_schema(fields: dict[str, Any]) -> tuple[str, Any] | None:
    """Where the schema of the text stands, and it; None where any text will do."""
    told: Any = fields.get("response_format")
    where = "response_format.json_schema.schema"
    if told is None and isinstance(text := fields.get("text"), dict):
        told, where = text.get("format"), "text.format.schema"
    if not isinstance(told, dict):
        return None
    if told.get("type") == "json_object":
        return where, _ANY_OBJECT
    if told.get("type") != "json_schema":
        return None
    holder = told.get("json_schema", told)
    document = holder.get("schema") if isinstance(holder, dict) else None
    # Without a schema it is to be JSON all the same.
    return where, True if document is None else document


def _tools(fields: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """The name of each tool that has arguments, where their schema stands, and it."""
    yield from _listed(fields.get("tools"), "tools")
    yield from _listed(fields.get("functions"), "functions")
    asked = fields.get("input")
    for number, item in enumerate(asked if isinstance(asked, list) else ()):
        # Tools that a model found by searching come with the conversation.
        if isinstance(item, dict) and "tools" in item:
            yield from _listed(item["tools"], f"input[{number}].tools")


def _listed(tools: Any, path: str) -> Iterator[tuple[str, str, Any]]:
    for number, tool in enumerate(tools if isinstance(tools, list) else ()):
        if not isinstance(tool, dict):
            continue
        where = f"{path}[{number}]"
        if isinstance(tool.get("tools"), list):
            yield from _listed(tool["tools"], f"{where}.tools")
        function = tool.get("function")
        if isinstance(function, dict):
            where = f"{where}.function"
        elif tool.get("type", "function") == "function":
            function = tool
        else:
            continue
        name, document = function.get("name"), function.get("parameters")
        if isinstance(name, str):
            yield name, f"{where}.parameters", _ANY_OBJECT if document is None else document


def _offers_tools(fields: dict[str, Any]) -> bool:
    """Whether the model may call tools: also those of a prompt that the provider keeps."""
    return any(fields.get(name) for name in ("tools", "functions", "prompt")) or any(
        isinstance(item, dict) and "tools" in item
        for item in (fields["input"] if isinstance(fields.get("input"), list) else ())
    )
