"""What a workflow makes of a model's reply: an output that passes its checks, or problems."""

from __future__ import annotations

from typing import Any

import msgspec

from headgate.checks.bounded_thread import NoThreadFreeError, call_bounded
from headgate.checks.problem import Problem
from headgate.checks.rules import RulesError
from headgate.checks.ruling import PASSED, Hold, Ruling
from headgate.workflows.folder import Workflow
from headgate.workflows.model import ModelReply
from headgate.workflows.reply import Reading, read_reply
from headgate.workflows.steps import Trail


def parsed(workflow: Workflow, reply: ModelReply, trail: Trail) -> Reading:
    """The reply read as JSON, or why it can't be."""
    with trail.step("parse") as step:
        reading = read_reply(reply.body, workflow.settings.max_output_tokens)
        if reading.problem is not None:
            step.verdict = "failed"
            step.code = reading.problem.check
            step.problems = (reading.problem,)
    return reading


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """An output, put right by the rules where they do that, and what they say of it."""

    output: dict[str, Any]
    problems: tuple[Problem, ...] = ()
    """What is still wrong with it; it may go on where this is empty."""
    hold: Hold | None = None
    """Why a person must see it first."""


async def checked(
    workflow: Workflow,
    value: dict[str, Any],
    given: dict[str, Any],
    trail: Trail,
    context: dict[str, Any] | None = None,
) -> Checked:
    """`value` against its schema and all rules; before anything is stored or done with it."""
    with trail.step("schema") as step:
        if problems := workflow.output_schema.problems(value):
            step.verdict, step.problems = "failed", problems
            return Checked(output=value, problems=problems)
    if workflow.rules is None and not workflow.declared_rules:
        return Checked(output=value)
    with trail.step("rules") as step:
        output, ruling = await _amended(workflow, value, given, context)
        if ruling.problems:
            step.verdict, step.problems = "failed", ruling.problems
        elif ruling.holds:
            step.verdict, step.problems = "held", ruling.holds
        elif output != value:
            step.verdict = "amended"
    return Checked(output=output, problems=ruling.problems, hold=ruling.hold)


async def _amended(
    workflow: Workflow,
    value: dict[str, Any],
    given: dict[str, Any],
    context: dict[str, Any] | None,
) -> tuple[dict[str, Any], Ruling]:
    """The output that the rules make of `value`, and what they say of that."""
    output, rules = value, workflow.rules
    if rules is not None:
        try:
            output = await rules.amend(value, given, context)
        except RulesError as error:
            return value, Ruling(problems=(Problem("", "rules", str(error)),))
        if problems := workflow.output_schema.problems(output):
            return output, Ruling(problems=problems)
    return output, await ruled(workflow, output, given, context)


async def ruled(
    workflow: Workflow,
    output: dict[str, Any],
    given: dict[str, Any],
    context: dict[str, Any] | None = None,
) -> Ruling:
    """What all rules say of `output`, as it is, for the input `given` and what was gathered."""
    ruling = PASSED
    if workflow.declared_rules:
        ruling = await _declared(workflow, output, given, context)
    if workflow.rules is not None:
        # All at once: a model that is asked again mends all in one go.
        ruling = ruling.joined(await workflow.rules.check(output, given, context))
    return ruling


async def _declared(
    workflow: Workflow,
    output: dict[str, Any],
    given: dict[str, Any],
    context: dict[str, Any] | None,
) -> Ruling:
    """What workflow.yaml's rules say, in the time that rules have."""
    timeout_s = workflow.settings.checks.rules_timeout_s
    try:
        return await call_bounded(
            lambda: workflow.declared_rules.check(output, given, context), timeout_s
        )
    except TimeoutError:
        told = f"the rules of workflow.yaml took longer than {timeout_s:g} s"
    except NoThreadFreeError:
        told = "the rules of workflow.yaml could not be run: earlier rules never returned"
    return Ruling(problems=(Problem("", "rules", told),))
