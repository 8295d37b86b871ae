"""Whether an answer's texts are to be JSON, by what was asked."""

from __future__ import annotations

from typing import Any


def asks_for_json(body: dict[str, Any]) -> bool:
    """Whether `body` asks for JSON: a decoded request, or a response, which repeats its own."""
    text = body.get("text")
    told = body.get("response_format", text.get("format") if isinstance(text, dict) else None)
    kind = told.get("type") if isinstance(told, dict) else None
    return isinstance(kind, str) and kind.startswith("json")
