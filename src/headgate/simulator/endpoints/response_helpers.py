"""POST /v1/responses/compact and /v1/responses/input_tokens."""

from __future__ import annotations

import base64
import time

from msgspec.structs import replace

from headgate.simulator import tokens
from headgate.simulator.catalogue import find_model
from headgate.simulator.conversation import Task, prompt_tokens
from headgate.simulator.endpoints.identifier import new_id
from headgate.simulator.endpoints.response_items import read_input
from headgate.simulator.endpoints.responses import previous_turns, task_of
from headgate.simulator.exchange import Exchange
from headgate.simulator.wire.api_error import missing_parameter
from headgate.simulator.wire.reply import Reply, json_reply

_KEPT_CHARACTERS = 400
_COUNTING_MODEL = "gpt-4.1-mini"
"""Whose tokens are counted where a request names none."""


def compact_response(exchange: Exchange, _: str) -> Reply:
    """What was said so far, made short."""
    if exchange.request.json_object().get("model") is None:
        raise missing_parameter("model")
    task = _asked(exchange)
    said = task.everything_said.encode()[:_KEPT_CHARACTERS]
    taken, given = len(prompt_tokens(task)), tokens.counted(said.decode("utf-8", "replace"))
    usage = {
        "input_tokens": taken,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": given,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": taken + given,
    }
    item = {
        "id": new_id("cmp_"),
        "type": "compaction",
        "encrypted_content": base64.b64encode(said).decode(),
    }
    return json_reply(
        {
            "id": new_id("resp_"),
            "object": "response.compaction",
            "created_at": int(time.time()),
            "output": [item],
            "usage": usage,
        },
        used_tokens=taken + given,
    )


def count_input_tokens(exchange: Exchange, _: str) -> Reply:
    """How many tokens the input has."""
    count = len(prompt_tokens(_asked(exchange)))
    return json_reply({"object": "response.input_tokens", "input_tokens": count})


def _asked(exchange: Exchange) -> Task:
    body = exchange.request.json_object()
    exchange = replace(exchange, body=body)
    model = find_model(body.get("model") or _COUNTING_MODEL, "text")
    before = previous_turns(exchange)
    given = body.get("input")
    turns = (*before, *read_input([] if given is None else given, before))
    return task_of(body, model, turns)
