"""GET /v1/chat/completions, and a stored completion: shown, changed, deleted, what it was asked."""

from __future__ import annotations

from typing import Any

from headgate.simulator.endpoints.object_store import Shape, page
from headgate.simulator.exchange import Exchange
from headgate.simulator.wire.api_error import missing_parameter
from headgate.simulator.wire.parameters import check_metadata
from headgate.simulator.wire.reply import Reply, json_reply
from headgate.simulator.wire.request import JsonObject

_KIND = "chat_completion"


def keep_completion(exchange: Exchange, body: JsonObject, completion: Shape) -> None:
    """Keep `completion`, the answer to `body`, if it says so."""
    if body.get("store") is not True:
        return
    shape = {**completion, "metadata": body.get("metadata") or {}}
    stored = exchange.memory.objects.add(_KIND, shape)
    stored.below["message"] = [
        _asked(message, f"{completion['id']}-{at}") for at, message in enumerate(body["messages"])
    ]


def list_completions(exchange: Exchange, _: str) -> Reply:
    """The stored completions, oldest first, of the model and with the metadata asked for."""
    request = exchange.request
    model = request.query_value("model")
    wanted = {
        name.removeprefix("metadata[").removesuffix("]"): values[-1]
        for name, values in request.query.items()
        if name.startswith("metadata[")
    }
    found = [
        one
        for one in exchange.memory.objects.all(_KIND)
        if model in (None, one["model"]) and wanted.items() <= one["metadata"].items()
    ]
    return page(request, found, order="asc")


def get_completion(exchange: Exchange, completion_id: str) -> Reply:
    """A stored completion."""
    return json_reply(exchange.memory.objects.get(_KIND, completion_id).body)


def update_completion(exchange: Exchange, completion_id: str) -> Reply:
    """Give a stored completion other metadata."""
    body = exchange.request.json_object()
    if "metadata" not in body:
        raise missing_parameter("metadata")
    check_metadata(body)
    stored = exchange.memory.objects.get(_KIND, completion_id)
    stored.body["metadata"] = body["metadata"] or {}
    return json_reply(stored.body)


def delete_completion(exchange: Exchange, completion_id: str) -> Reply:
    """Forget a stored completion."""
    exchange.memory.objects.remove(_KIND, completion_id)
    return json_reply({"id": completion_id, "object": "chat.completion.deleted", "deleted": True})


def list_messages(exchange: Exchange, completion_id: str) -> Reply:
    """What a stored completion was asked."""
    stored = exchange.memory.objects.get(_KIND, completion_id)
    return page(exchange.request, stored.below["message"][::-1], order="asc")


def _asked(message: dict[str, Any], message_id: str) -> Shape:
    content = message.get("content")
    parts = content if isinstance(content, list) else None
    return {
        **message,
        "id": message_id,
        "content": None if parts is not None else content,
        "content_parts": parts,
        "refusal": None,
    }
