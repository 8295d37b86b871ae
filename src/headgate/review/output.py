"""Whether an output that a person wrote may go out: the same schema and rules as for a model's."""

from __future__ import annotations

from typing import Any

from headgate.checks.problem import Problem
from headgate.checks.schema import Schema
from headgate.errors import InvalidRequestError, NotFoundError
from headgate.review.review import Contents
from headgate.workflows.catalogue import Catalogue
from headgate.workflows.output_check import ruled
from headgate.workflows.run import Run

_TOLD_AT_MOST = 5


class EditRefusedError(InvalidRequestError):
    """The edited output does not pass the workflow's checks."""

    code = "edited_output_refused"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        told = "; ".join(str(problem) for problem in problems[:_TOLD_AT_MOST])
        more = len(problems) - _TOLD_AT_MOST
        super().__init__(
            f"The edited output does not pass the workflow's checks: {told}"
            + (f"; and {more} more." if more > 0 else "."),
            param=f"output.{problems[0].path}".rstrip("."),
        )
        self.problems = problems


async def edit_problems(
    contents: Contents, run: Run | None, catalogue: Catalogue, output: dict[str, Any]
) -> tuple[Problem, ...]:
    """What keeps `output` from going out; empty where nothing does.

    The schema is the one that the run's caller was promised, kept with the review. The rules are
    those of the workflow as it is loaded now, for code is not kept: where it is gone, or its
    output has another schema by now, there are none that could be asked.
    """
    if contents.output_schema is None or run is None:
        return (Problem("", "schema", "its schema was erased; reject this run instead"),)
    if problems := Schema(contents.output_schema).problems(output):
        return problems
    try:
        workflow = catalogue.get(run.workflow)
    except NotFoundError:
        return ()
    same_schema = workflow.output_schema.document == contents.output_schema
    if not same_schema:
        return ()
    # What rules would hold for a person, a person has before them.
    return (await ruled(workflow, output, run.input or {}, run.context)).problems
