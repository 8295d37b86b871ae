"""/v1/vector_stores, their files, and a search that is by words."""

from __future__ import annotations

import time
from typing import Any

from headgate.simulator.endpoints.identifier import new_id
from headgate.simulator.endpoints.object_store import Shape, StoredObject, page
from headgate.simulator.exchange import Exchange
from headgate.simulator.text.vectors import vector_of
from headgate.simulator.wire.api_error import missing_parameter
from headgate.simulator.wire.parameters import check_metadata
from headgate.simulator.wire.reply import JsonReply, Reply, json_reply

_CHUNKS = {
    "type": "static",
    "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400},
}
_CHUNK_CHARACTERS = 3_200
_DIMENSIONS = 256
_DAY_S = 86_400


def create_store(exchange: Exchange, _: str) -> Reply:
    """Make a vector store, with files where they are named."""
    body = exchange.request.json_object() if exchange.request.body else {}
    check_metadata(body)
    now = int(time.time())
    expires: Any = body.get("expires_after")
    shape: Shape = {
        "id": new_id("vs_"),
        "object": "vector_store",
        "created_at": now,
        "name": body.get("name") or "",
        "usage_bytes": 0,
        "file_counts": {},
        "status": "completed",
        "expires_after": expires,
        "expires_at": now + expires["days"] * _DAY_S if expires else None,
        "last_active_at": now,
        "metadata": body.get("metadata") or {},
    }
    stored = exchange.memory.objects.add("vector_store", shape)
    for file_id in body.get("file_ids") or []:
        _attach(exchange, stored, file_id, {})
    return _shown(stored)


def list_stores(exchange: Exchange, _: str) -> Reply:
    """The vector stores."""
    return page(exchange.request, exchange.memory.objects.all("vector_store"))


def get_store(exchange: Exchange, store_id: str) -> Reply:
    """A vector store."""
    return _shown(_store(exchange, store_id))


def update_store(exchange: Exchange, store_id: str) -> Reply:
    """Change a vector store's name and metadata."""
    stored = _store(exchange, store_id)
    body = exchange.request.json_object()
    check_metadata(body)
    stored.body |= {name: body[name] for name in ("name", "metadata") if name in body}
    return _shown(stored)


def delete_store(exchange: Exchange, store_id: str) -> Reply:
    """Forget a vector store."""
    exchange.memory.objects.remove("vector_store", store_id)
    return json_reply({"id": store_id, "object": "vector_store.deleted", "deleted": True})


def search_store(exchange: Exchange, store_id: str) -> Reply:
    """The pieces of files that are nearest to a query."""
    stored = _store(exchange, store_id)
    body = exchange.request.json_object()
    query: Any = body.get("query")
    if not query:
        raise missing_parameter("query")
    queries = query if isinstance(query, list) else [query]
    wanted = vector_of(" ".join(queries), _DIMENSIONS)
    found: list[Shape] = []
    for file in stored.below.get("file", []):
        kept = exchange.memory.objects.get("file", file["id"])
        text = kept.content.decode("utf-8", "replace")
        for start in range(0, max(1, len(text)), _CHUNK_CHARACTERS):
            piece = text[start : start + _CHUNK_CHARACTERS]
            near = sum(a * b for a, b in zip(wanted, vector_of(piece, _DIMENSIONS), strict=True))
            found.append(
                {
                    "file_id": file["id"],
                    "filename": kept.body["filename"],
                    "score": round(max(0.0, min(1.0, near)), 4),
                    "attributes": file["attributes"],
                    "content": [{"type": "text", "text": piece}],
                }
            )
    found.sort(key=lambda hit: -hit["score"])
    return json_reply(
        {
            "object": "vector_store.search_results.page",
            "search_query": queries,
            "data": found[: int(body.get("max_num_results") or 10)],
            "has_more": False,
            "next_page": None,
        }
    )


def add_store_file(exchange: Exchange, store_id: str) -> Reply:
    """Add a file to a vector store."""
    body = exchange.request.json_object()
    if "file_id" not in body:
        raise missing_parameter("file_id")
    attributes = body.get("attributes") or {}
    return json_reply(_attach(exchange, _store(exchange, store_id), body["file_id"], attributes))


def list_store_files(exchange: Exchange, store_id: str) -> Reply:
    """A vector store's files."""
    return page(exchange.request, _store(exchange, store_id).below.get("file", [])[::-1])


def get_store_file(exchange: Exchange, ids: str) -> Reply:
    """One of a vector store's files."""
    store_id, file_id = ids.split("/")
    return json_reply(_store(exchange, store_id).find_below("file", file_id))


def update_store_file(exchange: Exchange, ids: str) -> Reply:
    """Change the attributes of one of a vector store's files."""
    store_id, file_id = ids.split("/")
    file = _store(exchange, store_id).find_below("file", file_id)
    file["attributes"] = exchange.request.json_object().get("attributes") or {}
    return json_reply(file)


def remove_store_file(exchange: Exchange, ids: str) -> Reply:
    """Take a file out of a vector store."""
    store_id, file_id = ids.split("/")
    stored = _store(exchange, store_id)
    stored.below["file"].remove(stored.find_below("file", file_id))
    return json_reply({"id": file_id, "object": "vector_store.file.deleted", "deleted": True})


def get_store_file_content(exchange: Exchange, ids: str) -> Reply:
    """What was read from one of a vector store's files."""
    store_id, file_id = ids.split("/")
    _store(exchange, store_id).find_below("file", file_id)
    text = exchange.memory.objects.get("file", file_id).content.decode("utf-8", "replace")
    return json_reply(
        {
            "object": "vector_store.file_content.page",
            "data": [{"type": "text", "text": text}],
            "has_more": False,
            "next_page": None,
        }
    )


def add_file_batch(exchange: Exchange, store_id: str) -> Reply:
    """Add several files at once."""
    stored = _store(exchange, store_id)
    body = exchange.request.json_object()
    files = body.get("files") or [{"file_id": one} for one in body.get("file_ids") or []]
    if not files:
        raise missing_parameter("file_ids")
    made = [_attach(exchange, stored, f["file_id"], f.get("attributes") or {}) for f in files]
    batch: Shape = {
        "id": new_id("vsfb_"),
        "object": "vector_store.file_batch",
        "created_at": int(time.time()),
        "vector_store_id": store_id,
        "status": "completed",
        "file_counts": _counts(len(made)),
    }
    stored.below.setdefault("file_batch", []).append({**batch, "files": made})
    return json_reply(batch)


def get_file_batch(exchange: Exchange, ids: str) -> Reply:
    """How far several files are; `cancel` answers the same, since they are done at once."""
    store_id, batch_id = ids.split("/")
    batch = dict(_store(exchange, store_id).find_below("file_batch", batch_id))
    del batch["files"]
    return json_reply(batch)


def list_file_batch(exchange: Exchange, ids: str) -> Reply:
    """The files that were added at once."""
    store_id, batch_id = ids.split("/")
    batch = _store(exchange, store_id).find_below("file_batch", batch_id)
    return page(exchange.request, batch["files"][::-1])


def _store(exchange: Exchange, store_id: str) -> StoredObject:
    return exchange.memory.objects.get("vector_store", store_id)


def _shown(stored: StoredObject) -> JsonReply:
    files = stored.below.get("file", [])
    stored.body["file_counts"] = _counts(len(files))
    stored.body["usage_bytes"] = sum(file["usage_bytes"] for file in files)
    return json_reply(stored.body)


def _counts(completed: int) -> Shape:
    return {
        "in_progress": 0, "completed": completed, "failed": 0, "cancelled": 0, "total": completed,
    }  # fmt: skip


def _attach(exchange: Exchange, stored: StoredObject, file_id: str, attributes: Shape) -> Shape:
    content = exchange.memory.objects.get("file", file_id).content
    file: Shape = {
        "id": file_id,
        "object": "vector_store.file",
        "created_at": int(time.time()),
        "usage_bytes": len(content),
        "vector_store_id": stored.body["id"],
        "status": "completed",
        "last_error": None,
        "chunking_strategy": _CHUNKS,
        "attributes": attributes,
    }
    stored.below.setdefault("file", []).append(file)
    return file
