"""How a model may be asked to choose its words, and in which service tier."""

from __future__ import annotations

from headgate.simulator.catalogue import Effort, Model
from headgate.simulator.wire.api_error import ApiError, unsupported_parameter
from headgate.simulator.wire.request import JsonObject

_FIXED = ("temperature", "top_p", "presence_penalty", "frequency_penalty")
_DEFAULTS = {"temperature": 1, "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0}
_PROBABILITIES = ("logprobs", "top_logprobs", "logit_bias")


def check_sampling(body: JsonObject, model: Model, effort: Effort | None) -> None:
    """Raise `ApiError` 400 for a temperature and the like while the model reasons."""
    if effort is None or effort == "none":
        return
    for name in _FIXED:
        value = body.get(name)
        if value is not None and value != _DEFAULTS[name]:
            raise ApiError(
                400,
                f"Unsupported value: '{name}' does not support {value} with this model. Only the"
                f" default ({_DEFAULTS[name]}) value is supported.",
                param=name,
                code="unsupported_value",
            )
    for name in _PROBABILITIES:
        if body.get(name):
            raise unsupported_parameter(
                name, f"Unsupported parameter: '{name}' is not supported with model '{model.id}'."
            )


def service_tier(body: JsonObject) -> str:
    """The tier that answers: `auto` becomes `default`, and `fast` is served as `priority`."""
    asked = str(body.get("service_tier") or "auto")
    return {"auto": "default", "fast": "priority"}.get(asked, asked)
