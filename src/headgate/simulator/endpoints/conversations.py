"""/v1/conversations and their items."""

from __future__ import annotations

import time
from typing import Any

from headgate.simulator.endpoints.identifier import new_id
from headgate.simulator.endpoints.object_store import Shape, StoredObject, page
from headgate.simulator.exchange import Exchange
from headgate.simulator.wire.api_error import ApiError, invalid_type, missing_parameter
from headgate.simulator.wire.parameters import check_metadata
from headgate.simulator.wire.reply import Reply, json_reply

MAX_ITEMS_AT_ONCE = 20

_PARTS = {"user": "input_text", "system": "input_text", "developer": "input_text"}


def create_conversation(exchange: Exchange, _: str) -> Reply:
    """Begin a conversation, with up to 20 items."""
    body = exchange.request.json_object() if exchange.request.body else {}
    check_metadata(body)
    shape = {
        "id": new_id("conv_"),
        "object": "conversation",
        "created_at": int(time.time()),
        "metadata": body.get("metadata") or {},
    }
    stored = exchange.memory.objects.add("conversation", shape)
    _add(stored, body.get("items") or [])
    return json_reply(shape)


def get_conversation(exchange: Exchange, conversation_id: str) -> Reply:
    """A conversation."""
    return json_reply(exchange.memory.objects.get("conversation", conversation_id).body)


def update_conversation(exchange: Exchange, conversation_id: str) -> Reply:
    """Change a conversation's metadata."""
    stored = exchange.memory.objects.get("conversation", conversation_id)
    body = exchange.request.json_object()
    check_metadata(body)
    stored.body["metadata"] = body.get("metadata") or {}
    return json_reply(stored.body)


def delete_conversation(exchange: Exchange, conversation_id: str) -> Reply:
    """Forget a conversation."""
    exchange.memory.objects.remove("conversation", conversation_id)
    return json_reply({"id": conversation_id, "object": "conversation.deleted", "deleted": True})


def list_items(exchange: Exchange, conversation_id: str) -> Reply:
    """A conversation's items, newest first."""
    stored = exchange.memory.objects.get("conversation", conversation_id)
    return page(exchange.request, stored.below.get("item", [])[::-1])


def create_items(exchange: Exchange, conversation_id: str) -> Reply:
    """Add items."""
    stored = exchange.memory.objects.get("conversation", conversation_id)
    items = exchange.request.json_object().get("items")
    if items is None:
        raise missing_parameter("items")
    made = _add(stored, items)
    return json_reply(
        {
            "object": "list",
            "data": made,
            "first_id": made[0]["id"] if made else None,
            "last_id": made[-1]["id"] if made else None,
            "has_more": False,
        }
    )


def get_item(exchange: Exchange, ids: str) -> Reply:
    """One item."""
    conversation_id, item_id = ids.split("/")
    stored = exchange.memory.objects.get("conversation", conversation_id)
    return json_reply(stored.find_below("item", item_id))


def delete_item(exchange: Exchange, ids: str) -> Reply:
    """Take an item out; answers the conversation."""
    conversation_id, item_id = ids.split("/")
    stored = exchange.memory.objects.get("conversation", conversation_id)
    stored.below["item"].remove(stored.find_below("item", item_id))
    return json_reply(stored.body)


def _add(stored: StoredObject, items: Any) -> list[Shape]:
    if not isinstance(items, list):
        raise invalid_type("items", "an array of objects", items)
    if len(items) > MAX_ITEMS_AT_ONCE:
        raise ApiError(400, f"At most {MAX_ITEMS_AT_ONCE} items can be added.", param="items")
    made = [_item(item) for item in items]
    stored.below.setdefault("item", []).extend(made)
    return made


def _item(given: Any) -> Shape:
    if not isinstance(given, dict):
        raise invalid_type("items", "an object", given)
    item = {"type": "message", **given, "id": new_id("msg_"), "status": "completed"}
    content = item.get("content")
    if isinstance(content, str):
        part: Shape = {"type": _PARTS.get(item.get("role", "user"), "output_text"), "text": content}
        if part["type"] == "output_text":
            part |= {"annotations": [], "logprobs": []}
        item["content"] = [part]
    return item
