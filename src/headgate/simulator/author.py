"""What the simulated model answers to a task.

In order: calls of functions where they are asked for or fit, JSON where a shape is asked for, else
plain text. Then the stop sequences and the limit of tokens cut it.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from headgate.simulator import tokens
from headgate.simulator.answer import Answer
from headgate.simulator.conversation import Task
from headgate.simulator.schema.instance import UnsatisfiableError, instance_for
from headgate.simulator.text import prose
from headgate.simulator.text.source import Source
from headgate.simulator.tool_calls import calls_for
from headgate.simulator.tool_results import with_results
from headgate.simulator.wire.api_error import ApiError

_QUOTED_KEY = re.compile(r"[\"'`]([A-Za-z_][A-Za-z0-9_]{0,40})[\"'`]")
_LISTED_KEYS = re.compile(
    r"\b(?:keys?|fields?|properties)\b[^:\n]{0,40}:\s*([A-Za-z_][\w ,]{1,200})", re.IGNORECASE
)
MAX_JSON_KEYS = 20
"""How many keys a JSON object without a schema has at most."""


def write_answer(task: Task, index: int = 0) -> Answer:
    """The answer to `task`; another `index` words it otherwise, as for the second of n choices.

    Raises `ApiError` 400 where no value satisfies the schema that is asked for.
    """
    calls = calls_for(task)
    if calls:
        return limited(Answer(tool_calls=calls, finish="tool_calls"), task.max_tokens)
    source = task.source()
    match task.output.kind:
        case "json_schema":
            schema = task.output.schema or {}
            text = _json(with_results(_instance(schema, source, index), schema, task.results))
        case "json_object":
            text = _json(_free_object(task, source, index))
        case "text":
            results = task.results
            told = [(name, readable(result)) for name, result in results]
            text = prose.from_results(told) if told else prose.answer(source, variant=index)
    return limited(Answer(text=_stopped(text, task.stop)), task.max_tokens)


def limited(answer: Answer, max_tokens: int | None) -> Answer:
    """`answer` within `max_tokens`; where it had to be cut, its finish says `length`."""
    if max_tokens is None:
        return answer
    if answer.tool_calls:
        return _limited_calls(answer, max_tokens)
    if answer.refusal is not None:
        refusal = tokens.shortened(answer.refusal, max_tokens)
        if refusal == answer.refusal:
            return answer
        return msgspec.structs.replace(answer, refusal=refusal, finish="length")
    text = tokens.shortened(answer.text, max_tokens)
    if text == answer.text:
        return answer
    return msgspec.structs.replace(answer, text=text, finish="length")


def readable(result: str) -> str:
    """A function's result as it reads in a sentence: JSON as `name: value` pairs."""
    try:
        value = msgspec.json.decode(result)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return result.strip()
    return _flat(value)


def _limited_calls(answer: Answer, max_tokens: int) -> Answer:
    left = max_tokens
    kept = []
    for call in answer.tool_calls:
        left -= tokens.counted(call.name)
        if left <= 0:
            break
        arguments = tokens.shortened(call.arguments, left)
        kept.append(msgspec.structs.replace(call, arguments=arguments))
        if arguments != call.arguments:
            break
        left -= tokens.counted(arguments)
    if tuple(kept) == answer.tool_calls:
        return answer
    return msgspec.structs.replace(answer, tool_calls=tuple(kept), finish="length")


def _flat(value: Any) -> str:
    match value:
        case dict():
            return ", ".join(
                f"{key.replace('_', ' ')} {_flat(part)}" for key, part in value.items()
            )
        case list():
            return "; ".join(_flat(part) for part in value)
        case str():
            return value
        case _:
            return msgspec.json.encode(value).decode()


def _instance(schema: dict[str, Any], source: Source, index: int) -> Any:
    try:
        return instance_for(schema, source, index=index)
    except UnsatisfiableError as error:
        raise ApiError(
            400,
            f"Invalid schema for response_format: no value could be made for it, since {error}.",
            param="response_format",
        ) from None


def _free_object(task: Task, source: Source, index: int) -> Any:
    """An object with the keys that the messages name, or with an `answer`."""
    asked = f"{task.instructions}\n{task.asked}"
    keys = list(dict.fromkeys(_QUOTED_KEY.findall(asked)))
    if not keys and (listed := _LISTED_KEYS.search(asked)):
        keys = [key for key in re.split(r"[\s,]+|\band\b", listed[1]) if key]
    if not keys:
        return {"answer": prose.answer(source, variant=index)}
    properties = {key: {"type": "string"} for key in keys[:MAX_JSON_KEYS]}
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return _instance(schema, source, index)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _stopped(text: str, stop: tuple[str, ...]) -> str:
    ends = [at for sequence in stop if sequence and (at := text.find(sequence)) >= 0]
    return text[: min(ends)] if ends else text
