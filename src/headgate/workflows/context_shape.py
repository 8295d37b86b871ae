"""What the context of a workflow's runs looks like, as its connectors declare it. Pure.

It is a JSON Schema, so that prompts are held to it as they are to the input's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headgate.config.connectors import (
    ConnectorSettings,
    FieldType,
    OperationSettings,
    field_settings,
    operation_of,
)
from headgate.config.context import ContextPartSettings
from headgate.workflows.sample import sample_of

_TYPES: dict[FieldType, dict[str, Any]] = {
    "text": {"type": ["string", "null"]},
    "integer": {"type": ["integer", "null"]},
    "number": {"type": ["number", "null"]},
    "boolean": {"type": ["boolean", "null"]},
    "date": {"type": ["string", "null"], "format": "date"},
    "datetime": {"type": ["string", "null"], "format": "date-time"},
}


class ContextShape:
    """The parts of a workflow's context."""

    def __init__(
        self,
        parts: Mapping[str, ContextPartSettings],
        connectors: Mapping[str, ConnectorSettings],
    ) -> None:
        """Parts whose operation is not there are left out; that is told elsewhere."""
        self.parts = dict(parts)
        self.schema: dict[str, Any] = {
            "type": "object",
            "properties": {},
            "required": [],
            "additionalProperties": False,
        }
        for name, part in parts.items():
            operation = operation_of(dict(connectors), part.source)
            if operation is None:
                continue
            self.schema["properties"][name] = _part(operation, part)
            # One that this caller may not see is never there for it, but a required one is refused.
            if part.required:
                self.schema["required"].append(name)

    @property
    def untrusted(self) -> frozenset[str]:
        """The parts that people outside wrote."""
        return frozenset(name for name, part in self.parts.items() if part.trust == "untrusted")

    def fields(self, name: str) -> frozenset[str]:
        """The fields of a part."""
        part = self.schema["properties"].get(name, {})
        return frozenset(part.get("items", part).get("properties", ()))

    @property
    def example(self) -> dict[str, Any]:
        """A context with every part, to try a prompt out with."""
        return sample_of(self.schema, optional=True)

    def samples(self) -> list[tuple[dict[str, Any], str]]:
        """Contexts that a run may have, and what to call them."""
        least, most = (sample_of(self.schema, optional=all_) for all_ in (False, True))
        return [
            (least, "only the required parts of the context"),
            (most, "every part of the context"),
            (_emptied(most), "every field of the context null"),
        ]


def _part(operation: OperationSettings, part: ContextPartSettings) -> dict[str, Any]:
    names = operation.fields if part.fields is None else part.fields
    known = [name for name in names if name in operation.fields]
    record = {
        "type": "object",
        "properties": {name: _TYPES[field_settings(operation.fields[name]).type] for name in known},
        "required": known,
        "additionalProperties": False,
    }
    return record if operation.many is None else {"type": "array", "items": record}


def _emptied(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _emptied(inner) if isinstance(inner, dict | list) else None
            for name, inner in value.items()
        }
    return [_emptied(inner) for inner in value] if isinstance(value, list) else value
