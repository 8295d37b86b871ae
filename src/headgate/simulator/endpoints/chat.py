"""POST /v1/chat/completions."""

from __future__ import annotations

import hashlib
import time
from typing import Any

from headgate.simulator.answer import Answer, Usage
from headgate.simulator.catalogue import Model, find_model
from headgate.simulator.conversation import Task
from headgate.simulator.endpoints.chat_messages import read_messages
from headgate.simulator.endpoints.chat_stream import stream_pieces
from headgate.simulator.endpoints.identifier import new_id
from headgate.simulator.endpoints.logprobs import token_logprobs
from headgate.simulator.endpoints.sampling import check_sampling, service_tier
from headgate.simulator.endpoints.stored_chat import keep_completion
from headgate.simulator.endpoints.structured_output import read_format
from headgate.simulator.endpoints.tools import read_tool_choice, read_tools
from headgate.simulator.exchange import Exchange
from headgate.simulator.generation import generate
from headgate.simulator.reasoning import effort_of
from headgate.simulator.wire.api_error import ApiError, invalid_type, unsupported_parameter
from headgate.simulator.wire.parameters import Parameter, check_metadata, check_parameters
from headgate.simulator.wire.reply import Reply, StreamReply, json_reply
from headgate.simulator.wire.request import JsonObject

_PARAMETERS = (
    Parameter("model", "string", required=True),
    Parameter("messages", "array", required=True),
    Parameter("audio", "object"),
    Parameter("frequency_penalty", "number", minimum=-2, maximum=2),
    Parameter("function_call", "any"),
    Parameter("functions", "array"),
    Parameter("logit_bias", "object"),
    Parameter("logprobs", "boolean"),
    Parameter("max_completion_tokens", "integer", minimum=1),
    Parameter("max_tokens", "integer", minimum=1),
    Parameter("metadata", "object"),
    Parameter("modalities", "array"),
    Parameter("moderation", "object"),
    Parameter("n", "integer", minimum=1, maximum=128),
    Parameter("parallel_tool_calls", "boolean"),
    Parameter("prediction", "object"),
    Parameter("presence_penalty", "number", minimum=-2, maximum=2),
    Parameter("prompt_cache_key", "string"),
    Parameter("prompt_cache_options", "object"),
    Parameter("prompt_cache_retention", "string"),
    Parameter("reasoning_effort", "string"),
    Parameter("response_format", "object"),
    Parameter("safety_identifier", "string"),
    Parameter("seed", "integer"),
    Parameter(
        "service_tier",
        "string",
        choices=("auto", "default", "flex", "scale", "priority", "fast"),
    ),
    Parameter("stop", "any"),
    Parameter("store", "boolean"),
    Parameter("stream", "boolean"),
    Parameter("stream_options", "object"),
    Parameter("temperature", "number", minimum=0, maximum=2),
    Parameter("tool_choice", "any"),
    Parameter("tools", "array"),
    Parameter("top_logprobs", "integer", minimum=0, maximum=20),
    Parameter("top_p", "number", minimum=0, maximum=1),
    Parameter("user", "string"),
    Parameter("verbosity", "string", choices=("low", "medium", "high")),
    Parameter("web_search_options", "object"),
)


def create_chat_completion(exchange: Exchange, _: str) -> Reply:
    """The completion of the request's messages, streamed or not; `ApiError` for a bad request."""
    body = exchange.body
    check_parameters(body, _PARAMETERS, refuse_unknown=exchange.refuse_unknown)
    check_metadata(body)
    model = find_model(body["model"], "text")
    effort = effort_of(model, body.get("reasoning_effort"), "reasoning_effort")
    check_sampling(body, model, effort)
    generation = generate(
        exchange,
        _task(body, model),
        model=model,
        effort=effort,
        choices=body.get("n") or 1,
        max_tokens=_max_tokens(body, model),
        messages_param="messages",
    )
    frame = {
        "id": new_id("chatcmpl-"),
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model.snapshot,
        "service_tier": service_tier(body),
        "system_fingerprint": "fp_" + _digest(model.snapshot),
    }
    usage = _usage(generation.usage)
    top = _top_logprobs(body)
    total = generation.usage.total_tokens
    choices = [
        {
            "index": index,
            "message": _message(answer),
            "logprobs": _logprobs(answer, top),
            "finish_reason": answer.finish,
        }
        for index, answer in enumerate(generation.answers)
    ]
    completion = {
        "id": frame["id"],
        "object": frame["object"],
        "created": frame["created"],
        "model": frame["model"],
        "choices": choices,
        "usage": usage,
        "service_tier": frame["service_tier"],
        "system_fingerprint": frame["system_fingerprint"],
    }
    keep_completion(exchange, body, completion)
    if body.get("stream"):
        include_usage = (body.get("stream_options") or {}).get("include_usage") is True
        pieces = stream_pieces(
            frame, generation.answers, usage if include_usage else None, top_logprobs=top
        )
        return StreamReply(pieces=pieces, used_tokens=total)
    if body.get("store") and "metadata" in body:
        completion["metadata"] = body["metadata"]
    return json_reply(completion, used_tokens=total)


def _task(body: JsonObject, model: Model) -> Task:
    turns = read_messages(body)
    said = "\n".join(turn.text for turn in turns)
    tools = read_tools(body, nested=True)
    return Task(
        model=model.snapshot,
        turns=turns,
        tools=tools,
        tool_choice=read_tool_choice(body, tools, nested=True),
        parallel_calls=body.get("parallel_tool_calls") is not False,
        output=read_format(body.get("response_format"), "response_format", said, nested=True),
        stop=_stop(body, model),
    )


def _stop(body: JsonObject, model: Model) -> tuple[str, ...]:
    stop = body.get("stop")
    if stop is None:
        return ()
    if model.always_reasons:
        raise unsupported_parameter(
            "stop", "Unsupported parameter: 'stop' is not supported with this model."
        )
    sequences = (stop,) if isinstance(stop, str) else stop
    if not isinstance(sequences, tuple | list) or not all(isinstance(s, str) for s in sequences):
        raise invalid_type("stop", "one of a string or array of strings", stop)
    if len(sequences) > 4:
        raise ApiError(
            400,
            "Invalid 'stop': array too long. Expected an array with maximum length 4, but got an"
            f" array with length {len(sequences)} instead.",
            param="stop",
            code="array_above_max_length",
        )
    return tuple(sequences)


def _max_tokens(body: JsonObject, model: Model) -> int | None:
    asked = body.get("max_completion_tokens")
    older = body.get("max_tokens")
    if older is not None:
        if model.reasons:
            raise unsupported_parameter(
                "max_tokens",
                "Unsupported parameter: 'max_tokens' is not supported with this model. Use"
                " 'max_completion_tokens' instead.",
            )
        if asked is not None:
            raise ApiError(
                400,
                "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not"
                " supported.",
                param="max_tokens",
                code="invalid_parameter_combination",
            )
    limit: int | None = asked if asked is not None else older
    return limit


def _top_logprobs(body: JsonObject) -> int | None:
    """How many alternatives each token is told with; None where no probabilities are asked for."""
    if body.get("top_logprobs") is not None and not body.get("logprobs"):
        raise ApiError(
            400,
            "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.",
            param="top_logprobs",
        )
    return int(body.get("top_logprobs") or 0) if body.get("logprobs") else None


def _message(answer: Answer) -> dict[str, Any]:
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None if answer.refusal is not None or answer.tool_calls else answer.text,
        "refusal": answer.refusal,
        "annotations": [],
    }
    if answer.tool_calls:
        message["tool_calls"] = [
            {
                "id": new_id("call_"),
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in answer.tool_calls
        ]
    return message


def _logprobs(answer: Answer, top: int | None) -> dict[str, Any] | None:
    if top is None:
        return None
    refused = None if answer.refusal is None else token_logprobs(answer.refusal, top)
    return {"content": token_logprobs(answer.text, top), "refusal": refused}


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=5).hexdigest()
