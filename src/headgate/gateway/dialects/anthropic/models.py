"""Anthropic's list of models as OpenAI's model objects."""

from __future__ import annotations

from datetime import datetime

import msgspec

from headgate.gateway.dialects.dialect import Model


class _Info(msgspec.Struct):
    id: str
    created_at: datetime | None = None
    display_name: str | None = None
    max_input_tokens: int | None = None


class _List(msgspec.Struct):
    data: list[_Info] = []


def openai_models(body: bytes) -> list[Model]:
    """The models that `body` lists. Raises `UNREADABLE`."""
    return [_model(info) for info in msgspec.json.decode(body, type=_List).data]


def _model(info: _Info) -> Model:
    model: Model = {
        "id": info.id,
        "object": "model",
        "created": int(info.created_at.timestamp()) if info.created_at else 0,
        "owned_by": "anthropic",
    }
    if info.display_name:
        model["display_name"] = info.display_name
    if info.max_input_tokens:
        model["context_window"] = info.max_input_tokens
    return model
