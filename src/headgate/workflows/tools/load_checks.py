"""What is wrong with what was written of a tool's arguments, told when files are loaded. Pure.

A run would find it out as well: as a call that is refused, or, for an approval's rule on a field
that is not there, as a call that nobody approves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from headgate.checks.schema import Schema
from headgate.checks.schema_path import Said, said_of
from headgate.config.tools import Approval
from headgate.workflows.field_rule_checks import field_rule_problems
from headgate.workflows.tools.arguments import reference_of, reference_problem
from headgate.workflows.tools.tool import ToolSpec

Steps = tuple[str | int, ...]
Found = Iterator[tuple[Steps, str]]
"""The place below what is looked at, and what is wrong there."""

_NUMBERS = frozenset({"number", "integer"})


def reference_problems(bound: Mapping[str, Any], given: Schema, output: Schema | None) -> Found:
    """The arguments that are taken from where there is nothing; `output` is None before it."""
    for name, written in bound.items():
        problem = reference_problem(written, output=output is not None)
        if problem is None:
            problem = _said(written, given, output).problem
        if problem is not None:
            yield (name,), problem


def bound_problems(
    bound: Mapping[str, Any], spec: ToolSpec, given: Schema, output: Schema | None
) -> Found:
    """The arguments that the tool doesn't have, or whose value it would refuse."""
    known = tuple(spec.parameters.get("properties") or ())
    is_closed = (
        spec.parameters.get("additionalProperties") is False
        and "patternProperties" not in spec.parameters
    )
    constants: dict[str, Any] = {}
    for name, written in bound.items():
        if name not in known:
            if is_closed:
                yield (name,), f"the tool has no such argument; it has {_listed(known)}"
        elif reference_of(written) is None:
            constants[name] = written
        else:
            types = _said(written, given, output).types
            takes = said_of(spec.parameters, name, "").types
            if types and takes and not _widened(types) & _widened(takes):
                told = " or ".join(sorted(takes))
                yield (name,), f"`{written}` is {' or '.join(sorted(types))}; the tool takes {told}"
    if constants:
        for problem in Schema(spec.parameters).problems(constants):
            name, rest = _split(problem.path)
            if name in constants:
                yield (name,), f"{rest}{problem.message}"


def missing_problems(bound: Iterable[str], spec: ToolSpec) -> Found:
    """The arguments that the tool needs and nobody gives."""
    given = frozenset(bound)
    for name in spec.parameters.get("required", ()):
        if name not in given:
            yield (), f"the tool needs `{name}`; give it a value, `output.FIELD` or `input.FIELD`"


def approval_problems(approval: Approval | None, spec: ToolSpec | None) -> Found:
    """What keeps the rules of `approval` from ever being met; `spec` is None where unknown."""
    if approval is None or isinstance(approval, str):
        return
    schema = None if spec is None else spec.parameters
    for index, rule in enumerate(approval.when):
        for steps, problem in field_rule_problems(rule, schema, "the tool's schema"):
            yield ("when", index, *steps), problem


def _said(written: Any, given: Schema, output: Schema | None) -> Said:
    """What the schemas say of where an argument is taken from."""
    reference = reference_of(written)
    if reference is None:
        return Said()
    root, path = reference
    schema = given if root == "input" else output
    if schema is None:
        return Said()
    if not path:
        return Said(({"type": "object"},))
    for end in range(1, len(path)):
        before = ".".join(path[:end])
        if said_of(schema.document, before, "").types == {"array"}:
            return Said(problem=f"`{root}.{before}` is a list; take all of it, or another field")
    return said_of(schema.document, ".".join(path), f"{root}.schema.json")


def _widened(types: frozenset[str]) -> frozenset[str]:
    """A whole number may be a number, and the other way round."""
    return types | _NUMBERS if types & _NUMBERS else types


def _split(path: str) -> tuple[str, str]:
    """`tags[0]` as `tags` and `[0]: `."""
    ends = [at for mark in ".[" if (at := path.find(mark)) > 0]
    end = min(ends, default=len(path))
    return path[:end], f"{path[end:].removeprefix('.')}: " if path[end:] else ""


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
