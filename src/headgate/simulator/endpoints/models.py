"""GET /v1/models and GET and DELETE /v1/models/{id}: which models there are."""

from __future__ import annotations

from typing import Any

from headgate.simulator.catalogue import MODELS, Model
from headgate.simulator.exchange import Exchange
from headgate.simulator.wire.api_error import ApiError
from headgate.simulator.wire.reply import Reply, json_reply

FINE_TUNED = "fine_tuned_model"
"""What the store of objects calls the models that were made here; they are shown, not spoken to."""


def list_models(exchange: Exchange, _: str) -> Reply:
    """Every model."""
    made = exchange.memory.objects.all(FINE_TUNED)
    return json_reply({"object": "list", "data": [*map(_shape, MODELS.values()), *made]})


def get_model(exchange: Exchange, name: str) -> Reply:
    """The model `name`; `ApiError` 404 where there is none."""
    model = MODELS.get(name)
    return json_reply(_fine_tuned(exchange, name) if model is None else _shape(model))


def delete_model(exchange: Exchange, name: str) -> Reply:
    """Forget a fine-tuned model; `ApiError` 403 for one that is everybody's."""
    if name in MODELS:
        raise ApiError(403, "You have insufficient permissions for this operation.", param="model")
    _fine_tuned(exchange, name)
    exchange.memory.objects.remove(FINE_TUNED, name)
    return json_reply({"id": name, "object": "model", "deleted": True})


def _fine_tuned(exchange: Exchange, name: str) -> dict[str, Any]:
    for model in exchange.memory.objects.all(FINE_TUNED):
        if model["id"] == name:
            return model
    raise ApiError(
        404,
        f"The model '{name}' does not exist",
        param="model",
        code="model_not_found",
    )


def _shape(model: Model) -> dict[str, Any]:
    return {"id": model.id, "object": "model", "created": model.created, "owned_by": "system"}
