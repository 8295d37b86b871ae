"""How a small model is asked for a verdict in JSON. Pure."""

from __future__ import annotations

from typing import Any

from headgate.config.asked_model import AskedModelSettings


def common_fields(settings: AskedModelSettings, name: str, field: dict[str, Any]) -> dict[str, Any]:
    """A chat completions request but for its messages.

    The answer is an object with one field, called `name`, of which `field` is the schema.
    """
    asked: dict[str, Any] = {
        "temperature": 0,
        "max_completion_tokens": settings.max_output_tokens,
        "store": False,
        **settings.parameters,
    }
    schema = {
        "type": "object",
        "properties": {name: field},
        "required": [name],
        "additionalProperties": False,
    }
    return {key: value for key, value in asked.items() if value is not None} | {
        "model": settings.model,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": name, "strict": True, "schema": schema},
        },
    }
