"""An answer made wrong on purpose: refused, cut or out of its schema."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import msgspec

from headgate.simulator.answer import Answer, ToolCall
from headgate.simulator.conversation import Task
from headgate.simulator.faults.fault import AnswerTwist
from headgate.simulator.tokens import pieces

REFUSAL = "I'm sorry, but I can't help with that request."
"""What the model says when it declines."""


def twisted(answer: Answer, twist: AnswerTwist, task: Task) -> Answer:
    """`answer` with the fault in it; unchanged where the fault has nothing to act on."""
    match twist:
        case "refusal":
            return Answer(refusal=REFUSAL)
        case "content-filter" | "length":
            finish: Any = "content_filter" if twist == "content-filter" else "length"
            cut = pieces(answer.text)
            return Answer(text="".join(cut[: len(cut) // 2]), finish=finish)
        case "wrong-schema":
            schemas = {tool.name: tool.parameters for tool in task.tools}
            calls = tuple(
                ToolCall(call.name, _broken(call.arguments, schemas.get(call.name)))
                for call in answer.tool_calls
            )
            text = answer.text
            if task.output.kind == "json_schema":
                text = _broken(text, task.output.schema)
            return msgspec.structs.replace(answer, text=text, tool_calls=calls)


def _broken(text: str, schema: dict[str, Any] | None) -> str:
    """JSON like `text` that `schema` doesn't allow: a property less, or of another type."""
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
    candidates: list[Any] = []
    if isinstance(value, dict):
        for name in value:
            candidates.append({key: part for key, part in value.items() if key != name})
            candidates.append({**value, name: {"unexpected": True}})
        candidates.append({**value, "unexpected": True})
    candidates += [{"unexpected": True}, [], "unexpected", None]
    validator = jsonschema_rs.validator_for(schema or {})
    for candidate in candidates:
        if not validator.is_valid(candidate):
            return msgspec.json.encode(candidate).decode()
    return text
