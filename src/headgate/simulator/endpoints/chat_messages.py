"""The messages of a chat completion, read into turns."""

from __future__ import annotations

from typing import Any

from headgate.simulator.conversation import Call, Role, Turn
from headgate.simulator.endpoints.message_content import read_content
from headgate.simulator.wire.api_error import (
    ApiError,
    invalid_type,
    invalid_value,
    missing_parameter,
)
from headgate.simulator.wire.request import JsonObject

_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}


def read_messages(body: JsonObject) -> tuple[Turn, ...]:
    """The turns of `body`'s messages; `ApiError` 400 naming the message that is wrong."""
    messages = body["messages"]
    if not messages:
        raise ApiError(
            400,
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an"
            " empty array instead.",
            param="messages",
            code="empty_array",
        )
    turns = tuple(_turn(message, f"messages[{at}]") for at, message in enumerate(messages))
    _check_calls(turns)
    return turns


def _turn(message: Any, param: str) -> Turn:
    if not isinstance(message, dict):
        raise invalid_type(param, "an object", message)
    role = message.get("role")
    if role is None:
        raise missing_parameter(f"{param}.role")
    if not isinstance(role, str) or role not in _ROLES:
        raise invalid_value(f"{param}.role", role, tuple(_ROLES))
    calls = _calls(message, param) if role == "assistant" else ()
    content = message.get("content")
    may_be_empty = calls or message.get("refusal") or message.get("function_call")
    if content is None and not may_be_empty:
        if "content" not in message:
            raise missing_parameter(f"{param}.content")
        raise invalid_type(f"{param}.content", "one of a string or array of objects", content)
    text, images = read_content(content, f"{param}.content")
    answers_call = message.get("tool_call_id")
    if role == "tool" and answers_call is None:
        raise missing_parameter(f"{param}.tool_call_id")
    return Turn(
        role=_ROLES[role],
        text=text or str(message.get("refusal") or ""),
        images=images,
        calls=calls,
        answers_call=str(answers_call) if role == "tool" else None,
    )


def _calls(message: dict[str, Any], param: str) -> tuple[Call, ...]:
    given = message.get("tool_calls")
    if given is None:
        return ()
    if not isinstance(given, list):
        raise invalid_type(f"{param}.tool_calls", "an array of objects", given)
    calls = []
    for at, call in enumerate(given):
        where = f"{param}.tool_calls[{at}]"
        if not isinstance(call, dict):
            raise invalid_type(where, "an object", call)
        if not isinstance(call.get("id"), str):
            raise missing_parameter(f"{where}.id")
        function = call.get("function") or call.get("custom")
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise missing_parameter(f"{where}.function")
        written = function.get("arguments", function.get("input", ""))
        calls.append(Call(call["id"], function["name"], str(written)))
    return tuple(calls)


def _check_calls(turns: tuple[Turn, ...]) -> None:
    """Each result follows its call, and each call has its result before anybody else speaks."""
    waiting: list[str] = []
    for at, turn in enumerate(turns):
        if turn.role == "tool" and turn.answers_call is not None:
            if turn.answers_call not in waiting:
                raise ApiError(
                    400,
                    "Invalid parameter: messages with role 'tool' must be a response to a"
                    " preceding message with 'tool_calls'.",
                    param=f"messages[{at}].role",
                )
            waiting = [call for call in waiting if call != turn.answers_call]
            continue
        if waiting:
            break
        waiting = [call.id for call in turn.calls]
    if waiting:
        raise ApiError(
            400,
            "An assistant message with 'tool_calls' must be followed by tool messages responding"
            " to each 'tool_call_id'. The following tool_call_ids did not have response messages: "
            + ", ".join(waiting),
            param="messages",
        )
