"""GET /v1/models and GET /v1/models/{id}: which models there are."""

from __future__ import annotations

from typing import Any

from headgate.simulator.catalogue import MODELS, Model
from headgate.simulator.exchange import Exchange
from headgate.simulator.wire.api_error import ApiError
from headgate.simulator.wire.reply import Reply, json_reply


def list_models(_: Exchange, __: str) -> Reply:
    """Every model."""
    return json_reply({"object": "list", "data": [_shape(model) for model in MODELS.values()]})


def get_model(_: Exchange, name: str) -> Reply:
    """The model `name`; `ApiError` 404 where there is none."""
    model = MODELS.get(name)
    if model is None:
        raise ApiError(
            404,
            f"The model '{name}' does not exist",
            param="model",
            code="model_not_found",
        )
    return json_reply(_shape(model))


def _shape(model: Model) -> dict[str, Any]:
    return {"id": model.id, "object": "model", "created": model.created, "owned_by": "system"}
