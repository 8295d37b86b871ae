"""The functions in a request and the choice among them, in chat's shape and in Responses'."""

from __future__ import annotations

from typing import Any

from headgate.simulator.conversation import Tool, ToolChoice
from headgate.simulator.endpoints.structured_output import check_function
from headgate.simulator.wire.api_error import (
    ApiError,
    invalid_type,
    invalid_value,
    missing_parameter,
)
from headgate.simulator.wire.request import JsonObject

MAX_TOOLS = 128
"""How many tools a request may have."""


def read_tools(body: JsonObject, *, nested: bool) -> tuple[Tool, ...]:
    """The functions among `body`'s tools; tools of other kinds are passed over.

    Chat nests a function in `function`, Responses don't. Raises `ApiError` 400 for one that can't
    be used.
    """
    given = body.get("tools") or []
    if len(given) > MAX_TOOLS:
        raise ApiError(
            400,
            f"Invalid 'tools': array too long. Expected an array with maximum length {MAX_TOOLS},"
            f" but got an array with length {len(given)} instead.",
            param="tools",
            code="array_above_max_length",
        )
    found = []
    for at, tool in enumerate(given):
        where = f"tools[{at}]"
        if not isinstance(tool, dict):
            raise invalid_type(where, "an object", tool)
        if tool.get("type") is None:
            raise missing_parameter(f"{where}.type")
        if tool["type"] != "function":
            continue
        function = tool.get("function") if nested else tool
        if not isinstance(function, dict):
            raise missing_parameter(f"{where}.function")
        found.append(
            check_function(
                function.get("name"),
                function.get("parameters"),
                strict=function.get("strict") is True,
                param=f"{where}.function" if nested else where,
                description=function.get("description"),
            )
        )
    return tuple(found)


def read_tool_choice(body: JsonObject, tools: tuple[Tool, ...], *, nested: bool) -> ToolChoice:
    """What `body` says of calling functions; `ApiError` 400 where it names none of them."""
    choice = body.get("tool_choice")
    if choice is None:
        return ToolChoice()
    if not body.get("tools"):
        # Responses clients send "auto" beside no tools, since their replies carry it so.
        if choice == "none" or (choice == "auto" and not nested):
            return ToolChoice("none")
        raise ApiError(
            400,
            "'tool_choice' is only allowed when 'tools' are specified.",
            param="tool_choice",
        )
    match choice:
        case "none" | "auto" | "required":
            return ToolChoice(choice)
        case str():
            raise invalid_value("tool_choice", choice, ("none", "auto", "required"))
        case {"type": "function"}:
            name = (choice.get("function") or {}).get("name") if nested else choice.get("name")
            return ToolChoice("required", frozenset((_known(name, tools),)))
        case {"type": "allowed_tools"}:
            allowed = choice.get("allowed_tools") if nested else choice
            if not isinstance(allowed, dict):
                raise missing_parameter("tool_choice.allowed_tools")
            names = frozenset(_names(allowed.get("tools") or (), nested=nested))
            return ToolChoice("required" if allowed.get("mode") == "required" else "auto", names)
        case {"type": str()}:
            # A hosted tool was chosen; there is none here to call.
            return ToolChoice("none")
        case _:
            raise invalid_type("tool_choice", "one of a string or object", choice)


def _names(tools: Any, *, nested: bool) -> list[str]:
    found = []
    for tool in tools:
        if isinstance(tool, dict) and tool.get("type") == "function":
            function = tool.get("function") or {} if nested else tool
            found.append(str(function.get("name")))
    return found


def _known(name: Any, tools: tuple[Tool, ...]) -> str:
    if not any(tool.name == name for tool in tools):
        raise ApiError(
            400,
            f"Tool choice '{name}' not found in 'tools' parameter.",
            param="tool_choice",
        )
    return str(name)
