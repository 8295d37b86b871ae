"""What functions returned, as far as an answer in JSON has a place for it."""

from __future__ import annotations

from typing import Any

import msgspec

_KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


def with_results(answer: Any, schema: dict[str, Any], results: list[tuple[str, str]]) -> Any:
    """`answer` with what `results`, pairs of name and text, say of its fields.

    A field is a result's where it has its name, or, as `ticket_id`, is the `id` of what the
    function's name speaks of.
    """
    if not isinstance(answer, dict):
        return answer
    told = dict(answer)
    properties = schema.get("properties") or {}
    for function, text in results:
        result = _object(text)
        for key, part in properties.items():
            value = result.get(key, result.get("id") if _is_id_of(key, function) else None)
            if value is not None and isinstance(part, dict) and _fits(value, part):
                told[key] = value
    return told


def _object(text: str) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _is_id_of(key: str, function: str) -> bool:
    thing = key.removesuffix("_id")
    return thing != key and thing in function.split("_")


def _fits(value: Any, part: dict[str, Any]) -> bool:
    if (options := part.get("enum")) is not None:
        return value in options
    wanted = part.get("type")
    kinds = wanted if isinstance(wanted, list) else [wanted]
    if isinstance(value, bool):
        return "boolean" in kinds
    return any(isinstance(value, _KINDS.get(str(kind), ())) for kind in kinds)
