"""/v1/containers and their files."""

from __future__ import annotations

import time

from headgate.simulator.endpoints.identifier import new_id
from headgate.simulator.endpoints.object_store import Shape, page
from headgate.simulator.exchange import Exchange
from headgate.simulator.wire.api_error import missing_parameter
from headgate.simulator.wire.form import is_form, read_form
from headgate.simulator.wire.reply import JsonReply, Reply, json_reply


def create_container(exchange: Exchange, _: str) -> Reply:
    """Make a container, with files where they are named."""
    body = exchange.request.json_object()
    if not body.get("name"):
        raise missing_parameter("name")
    now = int(time.time())
    shape: Shape = {
        "id": new_id("cntr_"),
        "object": "container",
        "created_at": now,
        "status": "running",
        "expires_after": body.get("expires_after") or {"anchor": "last_active_at", "minutes": 20},
        "last_active_at": now,
        "memory_limit": body.get("memory_limit") or "1g",
        "name": body["name"],
    }
    exchange.memory.objects.add("container", shape)
    for file_id in body.get("file_ids") or []:
        file = exchange.memory.objects.get("file", file_id)
        _put(exchange, shape["id"], file.body["filename"], file.content)
    return json_reply(shape)


def list_containers(exchange: Exchange, _: str) -> Reply:
    """The containers."""
    return page(exchange.request, exchange.memory.objects.all("container"))


def get_container(exchange: Exchange, container_id: str) -> Reply:
    """A container."""
    return json_reply(exchange.memory.objects.get("container", container_id).body)


def delete_container(exchange: Exchange, container_id: str) -> Reply:
    """Forget a container."""
    exchange.memory.objects.remove("container", container_id)
    return json_reply({"id": container_id, "object": "container.deleted", "deleted": True})


def create_container_file(exchange: Exchange, container_id: str) -> Reply:
    """Put a file into a container: one that is sent, or one that was uploaded before."""
    if is_form(exchange.request):
        form = read_form(exchange.request)
        file_id = form.text("file_id")
        if file_id is None:
            sent = form.required_file("file")
            return json_reply(_put(exchange, container_id, sent.name, sent.content))
    else:
        file_id = exchange.request.json_object().get("file_id")
    if file_id is None:
        raise missing_parameter("file_id")
    file = exchange.memory.objects.get("file", file_id)
    return json_reply(_put(exchange, container_id, file.body["filename"], file.content))


def list_container_files(exchange: Exchange, container_id: str) -> Reply:
    """A container's files."""
    stored = exchange.memory.objects.get("container", container_id)
    return page(exchange.request, stored.below.get("file", [])[::-1])


def get_container_file(exchange: Exchange, ids: str) -> Reply:
    """A container's file."""
    return json_reply(_file(exchange, ids))


def get_container_file_content(exchange: Exchange, ids: str) -> Reply:
    """The bytes of a container's file."""
    content = exchange.memory.objects.get("container_file", _file(exchange, ids)["id"]).content
    return JsonReply(body=content, headers=(("content-type", "application/octet-stream"),))


def delete_container_file(exchange: Exchange, ids: str) -> Reply:
    """Take a file out of a container."""
    file = _file(exchange, ids)
    container = exchange.memory.objects.get("container", file["container_id"])
    container.below["file"].remove(file)
    exchange.memory.objects.remove("container_file", file["id"])
    return json_reply({"id": file["id"], "object": "container.file.deleted", "deleted": True})


def _file(exchange: Exchange, ids: str) -> Shape:
    container_id, file_id = ids.split("/")
    return exchange.memory.objects.get("container", container_id).find_below("file", file_id)


def _put(exchange: Exchange, container_id: str, name: str, content: bytes) -> Shape:
    stored = exchange.memory.objects.get("container", container_id)
    file: Shape = {
        "id": new_id("cfile_"),
        "object": "container.file",
        "created_at": int(time.time()),
        "bytes": len(content),
        "container_id": container_id,
        "path": f"/mnt/data/{name}",
        "source": "user",
    }
    stored.below.setdefault("file", []).append(file)
    exchange.memory.objects.add("container_file", file, content)
    return file
