"""What a `workflow.yaml` says that the rest of its folder does not bear out, told when it is read.

What context, rules and tools say of themselves is checked in files of their own; what is said here
is the place in `workflow.yaml`, and what is wrong there.
"""

from __future__ import annotations

from collections.abc import Iterator

from headgate.checks.rules import Rules
from headgate.checks.schema import Schema
from headgate.config.checks.reviews import deadline_problems
from headgate.config.workflow import WorkflowSettings
from headgate.workflows.context_shape import ContextShape
from headgate.workflows.field_rule_checks import field_rule_problems
from headgate.workflows.rule_checks import rule_problems
from headgate.workflows.tools.arguments import ASK_CALLER
from headgate.workflows.tools.load_checks import reference_problems

Found = Iterator[tuple[tuple[str | int, ...], str]]


def fallback_problems(
    settings: WorkflowSettings, output_schema: Schema | None, rules: Rules | None, *, broken: bool
) -> Found:
    """Why the declared answer can't be had; `broken`: there is a rules.py that can't be read."""
    fallback = settings.fallback
    if fallback is None or fallback == "review":
        return
    if (fallback.output is None) is not fallback.from_rules:
        yield ("fallback",), "write either `output` or `from_rules: true`"
    elif fallback.output is None:
        if not broken and not (rules and rules.has("fallback")):
            yield ("fallback", "from_rules"), "rules.py defines no fallback(input)"
    elif output_schema:
        for problem in output_schema.problems(fallback.output):
            yield ("fallback", "output"), f"does not fit output.schema.json: {problem}"


def schedule_problems(settings: WorkflowSettings, input_schema: Schema | None) -> Found:
    """What keeps it from beginning runs by the clock."""
    if (schedule := settings.schedule) is None:
        return
    # Half a second that other projects need not wait for.
    from headgate.workflows.durable.schedule import Schedule  # noqa: PLC0415 - so

    try:
        Schedule(schedule)
    except ValueError as error:
        yield ("schedule",), str(error)
    if input_schema:
        for problem in input_schema.problems(schedule.input):
            yield ("schedule", "input"), f"does not fit input.schema.json: {problem}"


def held_problems(settings: WorkflowSettings, output_schema: Schema | None) -> Found:
    """What is wrong with when people look at its outputs."""
    if settings.review is None or output_schema is None:
        return
    for index, rule in enumerate(settings.review.fields):
        for steps, problem in field_rule_problems(
            rule, output_schema.document, "output.schema.json"
        ):
            yield ("review", "fields", index, *steps), problem
    if settings.review.deadline is not None:
        can_fall_back = settings.fallback not in (None, "review")
        for steps, problem in deadline_problems(
            settings.review.deadline, can_fall_back=can_fall_back
        ):
            yield ("review", *steps), problem


def tool_problems(
    settings: WorkflowSettings, input_schema: Schema | None, output_schema: Schema | None
) -> Found:
    """Apart from what the tools themselves say, which is not known here: see `tools/box.py`."""
    if ASK_CALLER in settings.tools:
        yield ("tools", ASK_CALLER), "is Headgate's own; take another name"
    if input_schema:
        for name, tool in settings.tools.items():
            for steps, problem in reference_problems(tool.arguments, input_schema, None):
                yield ("tools", name, "arguments", *steps), problem
    delivery = settings.deliver
    if delivery is None:
        return
    if delivery.tool not in settings.tools:
        yield ("deliver", "tool"), f"there is no tool `{delivery.tool}` in `tools`"
    if input_schema and output_schema:
        for steps, problem in reference_problems(delivery.arguments, input_schema, output_schema):
            yield ("deliver", "arguments", *steps), problem


def declared_problems(
    settings: WorkflowSettings,
    output_schema: Schema | None,
    input_schema: Schema | None,
    context: ContextShape | None,
) -> Found:
    """Why its rules can't be judged."""
    if output_schema is None or input_schema is None:
        return
    parts = () if context is None else tuple(context.parts)
    for number, rule in enumerate(settings.checks.rules):
        for steps, problem in rule_problems(rule, output_schema, input_schema, parts):
            yield ("checks", "rules", number, *steps), problem
