"""Whether a run's input may go on: its form, its size and its schema, before anything is stored."""

from __future__ import annotations

from typing import Any

import msgspec

from headgate.checks.problem import Problem
from headgate.checks.schema_work import extent
from headgate.errors import InvalidRequestError, PayloadTooLargeError
from headgate.workflows.folder import Workflow
from headgate.workflows.steps import Trail

_INPUT_DEPTH_AT_MOST = 64
_PROBLEMS_TOLD = 5


def check_input(workflow: Workflow, given: Any, trail: Trail) -> None:
    """Raise the error that says what must change in `given`; return where it fits."""
    with trail.step("input"):
        if not isinstance(given, dict):
            raise InvalidRequestError(
                "`input` must be a JSON object that fits the workflow's input schema;"
                f" see GET /api/workflows/{workflow.name}.",
                param="input",
                code="invalid_input",
            )
        _, depth = extent(given)
        if depth >= _INPUT_DEPTH_AT_MOST:
            raise InvalidRequestError(
                f"`input` is nested more than {_INPUT_DEPTH_AT_MOST} levels deep.",
                param="input",
                code="invalid_input",
            )
        limit_bytes = workflow.settings.limits.input_max_bytes
        if (size_bytes := len(msgspec.json.encode(given))) > limit_bytes:
            raise PayloadTooLargeError(
                f"`input` has {size_bytes} bytes; this workflow takes {limit_bytes}. Send less,"
                " or raise limits.input_max_bytes in workflow.yaml.",
                param="input",
                code="input_too_large",
            )
        if problems := workflow.input_schema.problems(given):
            told = "; ".join(
                f"`{_field(problem)}` {problem.message}" for problem in problems[:_PROBLEMS_TOLD]
            )
            more = len(problems) - _PROBLEMS_TOLD
            raise InvalidRequestError(
                f"The input does not fit the workflow's schema: {told}"
                + (f"; and {more} more." if more > 0 else "."),
                param=_field(problems[0]),
                code="invalid_input",
            )


def _field(problem: Problem) -> str:
    return f"input.{problem.path}" if problem.path else "input"
