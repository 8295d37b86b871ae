"""The input of a response, read into turns, and as the items that the API lists."""

from __future__ import annotations

from typing import Any

import msgspec

from headgate.simulator.conversation import Call, Role, Turn
from headgate.simulator.endpoints.identifier import new_id
from headgate.simulator.endpoints.message_content import read_content
from headgate.simulator.wire.api_error import (
    ApiError,
    invalid_type,
    invalid_value,
    missing_parameter,
)

_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}
_ID_PREFIXES = {"message": "msg_", "function_call": "fc_", "function_call_output": "fco_"}


def read_input(given: Any, before: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """The turns of `input`; `ApiError` 400 naming the item that is wrong.

    `before` is the conversation so far: a function's result may answer a call in it.
    """
    if isinstance(given, str):
        return (Turn(role="user", text=given),)
    if not isinstance(given, list):
        raise invalid_type("input", "one of a string or array of objects", given)
    turns: list[Turn] = []
    for at, item in enumerate(given):
        if not isinstance(item, dict):
            raise invalid_type(f"input[{at}]", "an object", item)
        turn = _turn(item, f"input[{at}]")
        if turn is not None:
            turns.append(turn)
    _check_results(turns, before)
    return tuple(turns)


def listed_items(given: Any) -> list[dict[str, Any]]:
    """`input` as the items that GET /v1/responses/{id}/input_items lists, each with an id."""
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    return [_listed(item) for item in given if item.get("type") != "item_reference"]


def _turn(item: dict[str, Any], param: str) -> Turn | None:
    kind = item.get("type", "message" if "role" in item else None)
    match kind:
        case "message":
            return _message(item, param)
        case "function_call":
            for field in ("call_id", "name", "arguments"):
                if not isinstance(item.get(field), str):
                    raise missing_parameter(f"{param}.{field}")
            call = Call(item["call_id"], item["name"], item["arguments"])
            return Turn(role="assistant", calls=(call,))
        case "function_call_output":
            if not isinstance(item.get("call_id"), str):
                raise missing_parameter(f"{param}.call_id")
            if "output" not in item:
                raise missing_parameter(f"{param}.output")
            text, images = read_content(item["output"], f"{param}.output")
            return Turn(role="tool", text=text, images=images, answers_call=item["call_id"])
        case str():
            # Reasoning, references and the traces of hosted tools say nothing to this model.
            return None
        case _:
            raise missing_parameter(f"{param}.type")


def _message(item: dict[str, Any], param: str) -> Turn:
    role = item.get("role")
    if role is None:
        raise missing_parameter(f"{param}.role")
    if not isinstance(role, str) or role not in _ROLES:
        raise invalid_value(f"{param}.role", role, tuple(_ROLES))
    if "content" not in item:
        raise missing_parameter(f"{param}.content")
    text, images = read_content(item["content"], f"{param}.content")
    return Turn(role=_ROLES[role], text=text, images=images)


def _check_results(turns: list[Turn], before: tuple[Turn, ...]) -> None:
    known = {call.id for turn in (*before, *turns) for call in turn.calls}
    for turn in turns:
        if turn.answers_call is not None and turn.answers_call not in known:
            raise ApiError(
                400,
                f"No tool call found for function call output with call_id {turn.answers_call}.",
                param="input",
            )


def _listed(item: dict[str, Any]) -> dict[str, Any]:
    kind = item.get("type", "message")
    listed: dict[str, Any] = {"id": new_id(_ID_PREFIXES.get(kind, "item_")), **item, "type": kind}
    if kind in _ID_PREFIXES:
        listed.setdefault("status", "completed")
    if kind == "message":
        listed["content"] = _parts(item.get("content"), str(item.get("role")))
    return listed


def _parts(content: Any, role: str) -> list[dict[str, Any]]:
    if not isinstance(content, str):
        return msgspec.convert(content or [], list[dict[str, Any]])
    if role == "assistant":
        return [{"type": "output_text", "text": content, "annotations": []}]
    return [{"type": "input_text", "text": content}]
