"""An answer held to a schema, by the API's own means (see docs/decisions/0018)."""

from __future__ import annotations

from typing import Any

import msgspec

from headgate.errors import InvalidRequestError
from headgate.gateway.dialects.anthropic.schema import narrowed

Json = dict[str, Any]


class JsonSchema(msgspec.Struct):
    """A schema as both endpoints give it."""

    name: str = ""
    schema: Json | None = None
    strict: bool | None = None
    description: str | None = None


def put_format(body: Json, wanted: JsonSchema, place: str) -> None:
    """Hold the answer to the schema; it comes as plain JSON text."""
    if not wanted.schema:
        raise InvalidRequestError(f"`{place}` is missing.", param=place)
    schema = narrowed(wanted.schema, place)
    if wanted.description and "description" not in schema:
        schema["description"] = wanted.description
    body.setdefault("output_config", {})["format"] = {"type": "json_schema", "schema": schema}
