"""/v1/batches: each line of the input file is answered as the endpoint itself would answer it."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from headgate.simulator.endpoints.chat import create_chat_completion
from headgate.simulator.endpoints.embeddings import create_embeddings
from headgate.simulator.endpoints.files import add_file
from headgate.simulator.endpoints.identifier import new_id
from headgate.simulator.endpoints.moderations import create_moderation
from headgate.simulator.endpoints.object_store import Shape, page
from headgate.simulator.endpoints.responses import create_response
from headgate.simulator.exchange import Exchange
from headgate.simulator.wire.api_error import ApiError
from headgate.simulator.wire.parameters import Parameter, check_metadata, check_parameters
from headgate.simulator.wire.reply import JsonReply, Reply, json_reply

MAX_LINES = 50_000

_HANDLERS = {
    "/v1/chat/completions": create_chat_completion,
    "/v1/responses": create_response,
    "/v1/embeddings": create_embeddings,
    "/v1/moderations": create_moderation,
}
_PARAMETERS = (
    Parameter("input_file_id", "string", required=True),
    Parameter("endpoint", "string", required=True, choices=tuple(_HANDLERS)),
    Parameter("completion_window", "string", required=True, choices=("24h",)),
    Parameter("metadata", "object"),
    Parameter("output_expires_after", "object"),
)
_WINDOW_S = 86_400


def create_batch(exchange: Exchange, _: str) -> Reply:
    """Begin a batch; it is done when it is looked at next."""
    body = exchange.request.json_object()
    check_parameters(body, _PARAMETERS, refuse_unknown=exchange.refuse_unknown)
    check_metadata(body)
    exchange.memory.objects.get("file", body["input_file_id"])
    now = int(time.time())
    shape: Shape = {
        "id": new_id("batch_"),
        "object": "batch",
        "endpoint": body["endpoint"],
        "model": None,
        "errors": None,
        "input_file_id": body["input_file_id"],
        "completion_window": body["completion_window"],
        "status": "validating",
        "output_file_id": None,
        "error_file_id": None,
        "created_at": now,
        "in_progress_at": None,
        "expires_at": now + _WINDOW_S,
        "finalizing_at": None,
        "completed_at": None,
        "failed_at": None,
        "expired_at": None,
        "cancelling_at": None,
        "cancelled_at": None,
        "request_counts": {"total": 0, "completed": 0, "failed": 0},
        "usage": _usage(0, 0, 0, 0),
        "metadata": body.get("metadata"),
    }
    exchange.memory.objects.add("batch", dict(shape))
    return json_reply(shape)


def get_batch(exchange: Exchange, batch_id: str) -> Reply:
    """A batch, by now done."""
    batch = exchange.memory.objects.get("batch", batch_id).body
    _work(exchange, batch)
    return json_reply(batch)


def list_batches(exchange: Exchange, _: str) -> Reply:
    """The batches, newest first."""
    found = exchange.memory.objects.all("batch")
    for batch in found:
        _work(exchange, batch)
    return page(exchange.request, found)


def cancel_batch(exchange: Exchange, batch_id: str) -> Reply:
    """Stop a batch that nobody has looked at yet."""
    batch = exchange.memory.objects.get("batch", batch_id).body
    if batch["status"] != "validating":
        raise ApiError(400, f"Cannot cancel a batch with status '{batch['status']}'.")
    now = int(time.time())
    batch |= {"status": "cancelled", "cancelling_at": now, "cancelled_at": now}
    return json_reply(batch | {"status": "cancelling", "cancelled_at": None})


def _work(exchange: Exchange, batch: Shape) -> None:
    """Answer every line, once."""
    if batch["status"] != "validating":
        return
    now = int(time.time())
    content = exchange.memory.objects.get("file", batch["input_file_id"]).content
    lines = [line for line in content.split(b"\n") if line.strip()]
    try:
        asked = [msgspec.json.decode(line, type=dict[str, Any]) for line in lines[:MAX_LINES]]
    except (msgspec.DecodeError, UnicodeDecodeError):
        asked = []
    if not asked:
        error = {
            "code": "invalid_json_line",
            "line": 1,
            "message": "This line is not parseable as valid JSON.",
            "param": None,
        }
        batch |= {"status": "failed", "failed_at": now}
        batch["errors"] = {"object": "list", "data": [error]}
        return
    answered: list[bytes] = []
    failed: list[bytes] = []
    used = [0, 0, 0, 0]
    for line in asked:
        status, body = _answer(exchange, batch["endpoint"], line.get("body"))
        response = {"status_code": status, "request_id": new_id("req_"), "body": body}
        shown = {
            "id": new_id("batch_req_"),
            "custom_id": line.get("custom_id"),
            "response": response,
            "error": None,
        }
        (answered if status == 200 else failed).append(msgspec.json.encode(shown) + b"\n")
        if status == 200:
            batch["model"] = body.get("model")
            used = [a + b for a, b in zip(used, _used(body), strict=True)]
    counts = {"total": len(asked), "completed": len(answered), "failed": len(failed)}
    batch |= {
        "status": "completed",
        "in_progress_at": now,
        "finalizing_at": now,
        "completed_at": now,
        "request_counts": counts,
        "usage": _usage(*used),
    }
    for field, written in (("output_file_id", answered), ("error_file_id", failed)):
        if written:
            name = f"{batch['id']}_{field.removesuffix('_file_id')}.jsonl"
            batch[field] = add_file(exchange, name, "batch_output", b"".join(written))["id"]


def _answer(exchange: Exchange, endpoint: str, body: Any) -> tuple[int, Shape]:
    try:
        if not isinstance(body, dict):
            raise ApiError(400, "The line has no body.", param="body")
        line = msgspec.structs.replace(exchange, body=body | {"stream": False})
        reply = _HANDLERS[endpoint](line, "")
    except ApiError as error:
        return error.status, error.as_json()
    if not isinstance(reply, JsonReply):
        return 400, ApiError(400, "A batch can't stream.").as_json()
    shown: Shape = msgspec.json.decode(reply.body)
    return 200, shown


def _used(body: Shape) -> list[int]:
    usage = body.get("usage") or {}
    taken = usage.get("input_tokens_details") or usage.get("prompt_tokens_details") or {}
    given = usage.get("output_tokens_details") or usage.get("completion_tokens_details") or {}
    return [
        usage.get("input_tokens", usage.get("prompt_tokens", 0)),
        taken.get("cached_tokens", 0),
        usage.get("output_tokens", usage.get("completion_tokens", 0)),
        given.get("reasoning_tokens", 0),
    ]


def _usage(taken: int, cached: int, given: int, reasoned: int) -> Shape:
    return {
        "input_tokens": taken,
        "input_tokens_details": {"cached_tokens": cached},
        "output_tokens": given,
        "output_tokens_details": {"reasoning_tokens": reasoned},
        "total_tokens": taken + given,
    }
