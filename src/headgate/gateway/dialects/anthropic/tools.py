"""The tools of a request and the choice among them, as Anthropic takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from headgate.errors import InvalidRequestError
from headgate.gateway.dialects.anthropic.reading import refuse
from headgate.gateway.dialects.anthropic.schema import narrowed

Json = dict[str, Any]


class Function(msgspec.Struct):
    """A function that the model may call, as both endpoints describe it."""

    name: str
    description: str | None = None
    parameters: Json | None = None
    strict: bool | None = None

    def as_tool(self) -> Json:
        """The tool; `strict` holds its arguments to the schema, as OpenAI does."""
        schema: Json = {"type": "object", "properties": {}}
        if self.parameters:
            schema = {"type": "object", **self.parameters}
        tool: Json = {"name": self.name}
        if self.description:
            tool["description"] = self.description
        tool["input_schema"] = (
            narrowed(schema, f"tools.{self.name[:64]}.parameters") if self.strict else schema
        )
        if self.strict:
            tool["strict"] = True
        return tool


class Choice(msgspec.Struct, frozen=True):
    """How the model is to choose among tools."""

    mode: str = "auto"
    """`auto`, `none`, `required`, or `named`."""
    name: str = ""
    """The tool, where `mode` is `named`."""
    allowed: tuple[str, ...] | None = None
    """The only tools that it may choose, where not all."""

    @property
    def forces(self) -> bool:
        """Whether the model must call a tool."""
        return self.mode in ("required", "named")


def choice_of(value: Any) -> Choice:
    """The choice that the field `tool_choice` makes, in the shape of either endpoint."""
    if value is None:
        return Choice()
    if isinstance(value, str):
        if value in ("auto", "none", "required"):
            return Choice(value)
    elif isinstance(value, dict):
        kind = value.get("type")
        if kind == "function":
            name = value.get("name") or _inner(value, "function").get("name")
            if isinstance(name, str) and name:
                return Choice("named", name)
        elif kind == "allowed_tools":
            inner = value if "tools" in value else _inner(value, "allowed_tools")
            mode, tools = inner.get("mode", "auto"), inner.get("tools")
            if mode in ("auto", "required") and isinstance(tools, list):
                return Choice(mode, allowed=tuple(map(_allowed_name, tools)))
        else:
            raise refuse("tool_choice", "it takes functions only")
    raise InvalidRequestError(
        '`tool_choice` must be "auto", "none", "required" or name a function.', param="tool_choice"
    )


def put_tools(body: Json, functions: Sequence[Function], choice: Choice, *, parallel: bool) -> None:
    """Write the tools and the choice among them into a request's body."""
    if choice.allowed is not None:
        functions = [each for each in functions if each.name in choice.allowed]
    if not functions:
        # The API refuses a conversation that holds calls of tools, and a request without any.
        functions, choice = [Function(name) for name in _used(body["messages"])], Choice("none")
    if not functions:
        return
    if choice.mode == "named" and all(each.name != choice.name for each in functions):
        raise InvalidRequestError(
            f"`tool_choice` names `{choice.name[:64]}`, which is not among `tools`.",
            param="tool_choice",
        )
    body["tools"] = [each.as_tool() for each in functions]
    said: Json = {"type": {"required": "any", "named": "tool"}.get(choice.mode, choice.mode)}
    if choice.mode == "named":
        said["name"] = choice.name
    if not parallel and choice.mode != "none":
        said["disable_parallel_tool_use"] = True
    if said != {"type": "auto"}:
        body["tool_choice"] = said


def _used(messages: Sequence[Json]) -> dict[str, None]:
    """The tools that were called in a conversation."""
    blocks = (block for turn in messages for block in turn["content"])
    return dict.fromkeys(block["name"] for block in blocks if block["type"] == "tool_use")


def _inner(value: Json, name: str) -> Json:
    inner = value.get(name)
    return inner if isinstance(inner, dict) else {}


def _allowed_name(tool: Any) -> str:
    if isinstance(tool, dict) and tool.get("type") == "function":
        return str(tool.get("name") or _inner(tool, "function").get("name") or "")
    raise refuse("tool_choice", "it takes functions only")
