"""Whether what a `workflow.yaml` declares as `context` can be gathered: at its connectors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from headgate.checks.field_path import EACH
from headgate.checks.schema import Schema
from headgate.checks.schema_path import said_of
from headgate.config.checks.connectors import parameters_of
from headgate.config.connectors import ConnectorSettings, OperationSettings
from headgate.config.context import ContextPartSettings
from headgate.context.arguments import input_field

Steps = tuple[str, ...]
_NO_ARGUMENTS = frozenset({"array", "object"})


def context_problems(
    parts: Mapping[str, ContextPartSettings],
    connectors: Mapping[str, ConnectorSettings],
    given: Schema,
) -> Iterator[tuple[Steps, str]]:
    """What keeps the parts from being gathered for inputs that fit `given`: where, and what."""
    for name, part in parts.items():
        connector_name, _, operation_name = part.source.partition(".")
        connector = connectors.get(connector_name)
        if connector is None:
            known = ", ".join(connectors) or "none"
            yield (
                (name, "from"),
                f"there is no connector `{connector_name}` in headgate.yaml; there is {known}",
            )
            continue
        operation = connector.kind.operations.get(operation_name)
        if operation is None:
            known = ", ".join(connector.kind.operations)
            yield (
                (name, "from"),
                f"`{connector_name}` has no operation `{operation_name}`; it has {known}",
            )
            continue
        for steps, message in _part(part, operation, given):
            yield (name, *steps), message


def _part(
    part: ContextPartSettings, operation: OperationSettings, given: Schema
) -> Iterator[tuple[Steps, str]]:
    for field in part.fields or ():
        if field not in operation.fields:
            known = ", ".join(operation.fields)
            yield ("fields",), f"is no approved field: `{field}`; `{part.source}` has {known}"
    needed = parameters_of(operation)
    for name in needed:
        if name not in part.arguments:
            yield ("arguments",), f"`{part.source}` needs `{name}`"
    for name, written in part.arguments.items():
        if name not in needed:
            told = ", ".join(needed) or "none"
            yield ("arguments", name), f"`{part.source}` takes no such argument; it takes {told}"
        if (path := input_field(written)) is None:
            continue
        if EACH in path:
            yield ("arguments", name), "must be one field, not one of every item"
            continue
        said = said_of(given.document, path, "input.schema.json")
        if said.problem is not None:
            yield ("arguments", name), said.problem
        elif said.types and not said.types - _NO_ARGUMENTS:
            yield ("arguments", name), f"`{path}` is a list or an object; it must be one value"


def unlike(workflow: str) -> str:
    """Why a workflow's runs may not be answered with answers to others like them."""
    return (
        f"the workflow `{workflow}` gathers a context, and one account's facts are much like"
        " another's; leave it out"
    )
