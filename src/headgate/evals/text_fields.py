"""Where in a workflow's input somebody else's text may stand, and what else must be in it.

A field counts if any sentence may stand in it and the prompt shows it to the model: the schema and
the prompt themselves are asked, by trying.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any, Final

from headgate.checks.schema import Schema
from headgate.errors import HeadgateError
from headgate.workflows.folder import Workflow
from headgate.workflows.sample import sample_of

Path = tuple[str | int, ...]
"""Where a value stands: names of fields and places in lists."""

MAX_FIELDS: Final = 200
"""How many fields of an input are told apart; the rest are left alone."""

_PROBE: Final = "Probe 7h3q: does any text fit (here)?"


class NoInputError(HeadgateError):
    """There is no valid input to put a text into."""

    status = 400
    type = "invalid_request_error"
    code = "no_valid_input"


def sample_input(workflow: Workflow) -> dict[str, Any]:
    """A valid input with every field that can be had. Raises `NoInputError`."""
    schema = workflow.input_schema
    problem = None
    for optional in (True, False):
        made = sample_of(schema.document, optional=optional)
        problems = schema.problems(made)
        if not problems:
            return made
        problem = problem or problems[0]
    raise NoInputError(
        f"No valid input could be made from input.schema.json of {workflow.name} ({problem}); give"
        " `examples` to the field in the schema, or name a file with --input."
    )


def text_fields(workflow: Workflow, given: dict[str, Any]) -> tuple[Path, ...]:
    """The fields of the valid input `given` that take any text and are shown to the model."""
    found = []
    for path, text in _strings(given, ()):
        placed = with_text(given, path, _PROBE)
        if _fits(workflow.input_schema, placed, path, text) and _shown(workflow, placed):
            found.append(path)
        if len(found) == MAX_FIELDS:
            break
    return tuple(found)


def with_text(given: dict[str, Any], path: Path, text: str) -> dict[str, Any]:
    """A copy of `given` in which `text` stands at `path`."""
    whole = copy.deepcopy(given)
    holder: Any = whole
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = text
    return whole


def named(path: Path) -> str:
    """`path` as people write it: `messages[0].text`."""
    told = ""
    for step in path:
        told += f"[{step}]" if isinstance(step, int) else f".{step}" if told else step
    return told


def _strings(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    items: Sequence[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        items = tuple(value.items())
    elif isinstance(value, list):
        items = tuple(enumerate(value))
    elif isinstance(value, str) and path:
        yield path, value
    for step, inner in items:
        yield from _strings(inner, (*path, step))


def _fits(schema: Schema, placed: dict[str, Any], path: Path, text: str) -> bool:
    """Whether the probe fits, or is only too long, as where a field takes forty letters."""
    problems = schema.problems(placed)
    if all(problem.check == "maxLength" for problem in problems):
        return not schema.problems(with_text(placed, path, f"{text[:1]}?"[: max(len(text), 1)]))
    return False


def _shown(workflow: Workflow, placed: dict[str, Any]) -> bool:
    messages = workflow.prompt.render(
        placed, None if workflow.context is None else workflow.context.example
    )
    return any(_PROBE in message.content for message in messages)
