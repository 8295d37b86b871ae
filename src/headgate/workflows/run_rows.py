"""A run as the database has it: one row for what happened, beside one for what was said."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy.engine import RowMapping

from headgate.checks.problem import Problem
from headgate.storage.schema import runs
from headgate.workflows.run import Run, RunError
from headgate.workflows.steps import Step

_METADATA = [column for column in runs.columns if column.name not in ("steps", "error")]
_steps = msgspec.json.Decoder(tuple[Step, ...])
_error = msgspec.json.Decoder(RunError)
_problems = msgspec.json.Decoder(tuple[tuple[Problem, ...], ...])
_object = msgspec.json.Decoder(dict[str, Any])


def row_of(run: Run) -> dict[str, Any]:
    """The row of `runs` for `run`; it holds no contents."""
    row: dict[str, Any] = {column.name: getattr(run, column.name) for column in _METADATA}
    row["steps"] = json_of([step.without_texts() for step in run.steps])
    row["error"] = None if run.error is None else json_of(run.error)
    return row


def run_of(row: RowMapping) -> Run:
    """A row of `runs`, with those of `run_contents` where they were asked for."""
    columns: dict[str, Any] = {str(name): value for name, value in row.items()}
    steps = _steps.decode(columns.pop("steps"))
    error = columns.pop("error")
    given, output = columns.pop("input", None), columns.pop("output", None)
    context = columns.pop("context", None)
    if texts := columns.pop("problems", None):
        # A run that goes on after a wait has more steps than it had then.
        told = _problems.decode(texts)
        steps = (
            *(
                msgspec.structs.replace(step, problems=problems)
                for step, problems in zip(steps, told, strict=False)
            ),
            *steps[len(told) :],
        )
    return Run(
        **columns,
        steps=steps,
        error=None if error is None else _error.decode(error),
        input=None if given is None else _object.decode(given),
        output=None if output is None else _object.decode(output),
        context=None if context is None else _object.decode(context),
    )


def json_of(value: Any) -> str:
    """`value` as a column of JSON holds it."""
    return msgspec.json.encode(value).decode()
