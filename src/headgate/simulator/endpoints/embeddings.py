"""POST /v1/embeddings."""

from __future__ import annotations

import array
import base64
import sys
from typing import Any

from headgate.simulator import tokens
from headgate.simulator.catalogue import Model, find_model
from headgate.simulator.exchange import Exchange
from headgate.simulator.text.vectors import normalised, vector_of
from headgate.simulator.wire.api_error import ApiError, invalid_type, unsupported_parameter
from headgate.simulator.wire.parameters import Parameter, check_parameters
from headgate.simulator.wire.reply import Reply, json_reply
from headgate.simulator.wire.request import JsonObject

_PARAMETERS = (
    Parameter("model", "string", required=True),
    Parameter("input", "any", required=True),
    Parameter("dimensions", "integer", minimum=1),
    Parameter("encoding_format", "string", choices=("float", "base64")),
    Parameter("user", "string"),
)
MAX_INPUTS = 2_048
"""How many texts one request may have."""

MAX_TOTAL_TOKENS = 300_000
"""How many tokens the texts of one request may have in all."""


def create_embeddings(exchange: Exchange, _: str) -> Reply:
    """A vector for each input; `ApiError` for a bad request."""
    body = exchange.body
    check_parameters(body, _PARAMETERS, refuse_unknown=exchange.refuse_unknown)
    model = find_model(body["model"], "embedding")
    dimensions = _dimensions(body, model)
    inputs = _inputs(body["input"])
    used = 0
    for written, count in inputs:
        used += count
        if count > model.context_tokens or not written:
            raise _bad_input(count, model)
    if used > MAX_TOTAL_TOKENS:
        raise ApiError(
            400,
            f"Requested {used} tokens, max {MAX_TOTAL_TOKENS} tokens per request",
            kind="max_tokens_per_request",
            code="max_tokens_per_request",
        )
    as_base64 = body.get("encoding_format") == "base64"
    data = []
    for place, (written, _count) in enumerate(inputs):
        # A shorter vector is the beginning of the full one, as with the models themselves.
        vector = vector_of(written, model.dimensions)
        if dimensions != model.dimensions:
            vector = normalised(vector[:dimensions])
        shown: Any = _base64(vector) if as_base64 else vector
        data.append({"object": "embedding", "index": place, "embedding": shown})
    usage = {"prompt_tokens": used, "total_tokens": used}
    return json_reply(
        {"object": "list", "data": data, "model": model.snapshot, "usage": usage},
        used_tokens=used,
    )


def _dimensions(body: JsonObject, model: Model) -> int:
    asked = body.get("dimensions")
    if asked is None:
        return model.dimensions
    if not model.id.startswith("text-embedding-3"):
        raise unsupported_parameter(
            "dimensions", "This model does not support specifying dimensions."
        )
    if asked > model.dimensions:
        raise ApiError(
            400,
            f"Invalid value for 'dimensions' = {asked}. Must be less than or equal to"
            f" {model.dimensions}.",
            param="dimensions",
        )
    return int(asked)


def _inputs(given: Any) -> list[tuple[str, int]]:
    """The texts to embed and their tokens' count: one text, several, or either as tokens."""
    if isinstance(given, str):
        return [(given, len(tokens.embedding_encoded(given)))]
    if not isinstance(given, list) or not given:
        raise invalid_type("input", "a string or a non-empty array", given)
    if len(given) > MAX_INPUTS and not isinstance(given[0], int):
        raise ApiError(
            400,
            f"Invalid 'input': array too long. Expected an array with maximum length {MAX_INPUTS},"
            f" but got an array with length {len(given)} instead.",
            param="input",
            code="array_above_max_length",
        )
    if all(isinstance(part, str) for part in given):
        return [(part, len(tokens.embedding_encoded(part))) for part in given]
    if all(isinstance(part, int) for part in given):
        return [_from_tokens(given, "input")]
    return [_from_tokens(part, f"input[{at}]") for at, part in enumerate(given)]


def _from_tokens(given: Any, param: str) -> tuple[str, int]:
    if not isinstance(given, list) or not all(
        isinstance(token, int) and not isinstance(token, bool) for token in given
    ):
        raise invalid_type(param, "an array of integers", given)
    text = tokens.embedding_decoded(given)
    if text is None:
        # Tokens of another tokenizer are no text, but still a text of their own.
        text = " ".join(f"token{token}" for token in given)
    return text, len(given)


def _bad_input(count: int, model: Model) -> ApiError:
    if count == 0:
        return ApiError(400, "Invalid 'input': it must not be empty.", param="input")
    return ApiError(
        400,
        f"This model's maximum context length is {model.context_tokens} tokens, however you"
        f" requested {count} tokens ({count} in your prompt; 0 for the completion). Please reduce"
        " your prompt; or completion length.",
        param="input",
        code="context_length_exceeded",
    )


def _base64(vector: list[float]) -> str:
    floats = array.array("f", vector)
    if sys.byteorder == "big":
        floats.byteswap()
    return base64.b64encode(floats.tobytes()).decode()
