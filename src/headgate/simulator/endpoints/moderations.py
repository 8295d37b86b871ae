"""POST /v1/moderations."""

from __future__ import annotations

from typing import Any

from headgate.simulator.catalogue import find_model
from headgate.simulator.endpoints.identifier import new_id
from headgate.simulator.exchange import Exchange
from headgate.simulator.text.harm import CATEGORIES, FLAGGED_FROM, harm_scores
from headgate.simulator.tokens import counted
from headgate.simulator.wire.api_error import (
    ApiError,
    invalid_type,
    invalid_value,
    missing_parameter,
)
from headgate.simulator.wire.parameters import Parameter, check_parameters
from headgate.simulator.wire.reply import Reply, json_reply

_PARAMETERS = (Parameter("input", "any", required=True), Parameter("model", "string"))
_IMAGE_CATEGORIES = frozenset(
    (
        "self-harm",
        "self-harm/instructions",
        "self-harm/intent",
        "sexual",
        "violence",
        "violence/graphic",
    )
)


def create_moderation(exchange: Exchange, _: str) -> Reply:
    """Scores for each input; `ApiError` for a bad request.

    A list of texts gives a result each; a list of parts, texts and pictures, one for all.
    """
    body = exchange.body
    check_parameters(body, _PARAMETERS, refuse_unknown=exchange.refuse_unknown)
    model = find_model(body.get("model") or "omni-moderation-latest", "moderation")
    inputs = _inputs(body["input"])
    return json_reply(
        {
            "id": new_id("modr-"),
            "model": model.snapshot,
            "results": [_result(text, has_image=has_image) for text, has_image in inputs],
        },
        used_tokens=sum(counted(text) for text, _ in inputs),
    )


def _inputs(given: Any) -> list[tuple[str, bool]]:
    """Texts, and whether a picture is beside each."""
    if isinstance(given, str):
        return [(given, False)]
    if not isinstance(given, list):
        raise invalid_type("input", "one of a string, array of strings or array of objects", given)
    if not given:
        raise ApiError(
            400,
            "Invalid 'input': empty array. Expected an array with minimum length 1, but got an"
            " empty array instead.",
            param="input",
            code="empty_array",
        )
    if all(isinstance(part, str) for part in given):
        return [(part, False) for part in given]
    texts: list[str] = []
    has_image = False
    for at, part in enumerate(given):
        where = f"input[{at}]"
        if not isinstance(part, dict):
            raise invalid_type(where, "an object", part)
        match part.get("type"):
            case "text":
                if not isinstance(part.get("text"), str):
                    raise missing_parameter(f"{where}.text")
                texts.append(part["text"])
            case "image_url":
                url = (part.get("image_url") or {}).get("url")
                if not isinstance(url, str):
                    raise missing_parameter(f"{where}.image_url.url")
                has_image = True
            case other:
                raise invalid_value(f"{where}.type", other, ("text", "image_url"))
    return [("\n".join(texts), has_image)]


def _result(text: str, *, has_image: bool) -> dict[str, Any]:
    scores = harm_scores(text)
    flags = {category: scores[category] >= FLAGGED_FROM for category in CATEGORIES}
    kinds: dict[str, list[str]] = {}
    for category in CATEGORIES:
        kinds[category] = ["text"] if text or not has_image else []
        if has_image and category in _IMAGE_CATEGORIES:
            kinds[category].append("image")
    return {
        "flagged": any(flags.values()),
        "categories": flags,
        "category_scores": scores,
        "category_applied_input_types": kinds,
    }
