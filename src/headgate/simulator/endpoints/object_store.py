"""The objects of this process: files, batches, vector stores and their like, by kind and id."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import msgspec

from headgate.simulator.wire.api_error import ApiError, invalid_value
from headgate.simulator.wire.parameters import Parameter
from headgate.simulator.wire.reply import JsonReply, json_reply
from headgate.simulator.wire.request import Request

MAX_OBJECTS = 5_000
"""How many objects of one kind are kept; beyond it the oldest is forgotten."""

MAX_CONTENT_BYTES = 256 * 1024 * 1024
"""How much the contents of files may have in all; beyond it the oldest lose theirs."""

Shape = dict[str, Any]

_LIMIT = Parameter("limit", "integer", minimum=1)


class StoredObject(msgspec.Struct):
    """One object."""

    body: Shape
    """As it is shown."""
    content: bytes = b""
    below: dict[str, list[Shape]] = msgspec.field(default_factory=dict)
    """What stands below it: an upload's parts, a conversation's items, a store's files."""

    def find_below(self, name: str, item_id: str) -> Shape:
        """One thing that stands below; `ApiError` 404 where it doesn't."""
        for item in self.below.get(name, []):
            if item["id"] == item_id:
                return item
        raise no_such(name, item_id)


class ObjectStore:
    """All objects."""

    def __init__(self) -> None:
        self._objects: dict[str, OrderedDict[str, StoredObject]] = {}
        self._content_bytes = 0

    def add(self, kind: str, body: Shape, content: bytes = b"") -> StoredObject:
        """Keep an object."""
        stored = StoredObject(body, content)
        kept = self._objects.setdefault(kind, OrderedDict())
        kept[body["id"]] = stored
        self._content_bytes += len(content)
        if len(kept) > MAX_OBJECTS:
            self._content_bytes -= len(kept.popitem(last=False)[1].content)
        for other in self._objects.get("file", OrderedDict()).values():
            if self._content_bytes <= MAX_CONTENT_BYTES:
                break
            self._content_bytes -= len(other.content)
            other.content = b""
        return stored

    def get(self, kind: str, object_id: str) -> StoredObject:
        """The object of this id; `ApiError` 404 where there is none."""
        stored = self._objects.get(kind, OrderedDict()).get(object_id)
        if stored is None:
            raise no_such(kind, object_id)
        return stored

    def remove(self, kind: str, object_id: str) -> None:
        """Forget an object; `ApiError` 404 where there is none."""
        self._content_bytes -= len(self.get(kind, object_id).content)
        del self._objects[kind][object_id]

    def all(self, kind: str) -> list[Shape]:
        """The objects of one kind as they are shown, newest first."""
        return [stored.body for stored in reversed(self._objects.get(kind, OrderedDict()).values())]


def no_such(kind: str, object_id: str) -> ApiError:
    """404: there is no object of this id."""
    return ApiError(
        404, f"No such {kind.replace('_', ' ').capitalize()} object: {object_id}", param="id"
    )


def page(request: Request, newest_first: list[Shape], *, order: str = "desc") -> JsonReply:
    """One page of a list, as `limit`, `order`, `after` and `before` ask for.

    `order` is what holds where the request doesn't say. `ApiError` 400 for a limit below 1.
    """
    order = request.query_value("order") or order
    if order not in ("asc", "desc"):
        raise invalid_value("order", order, ("asc", "desc"))
    items = newest_first if order == "desc" else newest_first[::-1]
    ids = [item["id"] for item in items]
    limit = int(request.query_value("limit") or 20)
    _LIMIT.check({"limit": limit})
    start, end = 0, len(items)
    after, before = request.query_value("after"), request.query_value("before")
    if after in ids:
        start = ids.index(after) + 1
    if before in ids:
        end = ids.index(before)
        shown = items[max(start, end - limit) : end]
        has_more = end - start > limit
    else:
        shown = items[start : start + limit]
        has_more = end - start > limit
    return json_reply(
        {
            "object": "list",
            "data": shown,
            "first_id": shown[0]["id"] if shown else None,
            "last_id": shown[-1]["id"] if shown else None,
            "has_more": has_more,
        }
    )
