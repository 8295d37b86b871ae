"""/v1/files and /v1/uploads."""

from __future__ import annotations

import time
from typing import Any

from headgate.simulator.endpoints.identifier import new_id
from headgate.simulator.endpoints.object_store import Shape, no_such, page
from headgate.simulator.exchange import Exchange
from headgate.simulator.wire.api_error import ApiError, invalid_value, missing_parameter
from headgate.simulator.wire.form import read_form
from headgate.simulator.wire.parameters import Parameter, check_parameters
from headgate.simulator.wire.reply import JsonReply, Reply, json_reply

PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")
MAX_FILES_LISTED = 10_000

_UPLOAD = (
    Parameter("filename", "string", required=True),
    Parameter("purpose", "string", required=True, choices=PURPOSES),
    Parameter("bytes", "integer", required=True, minimum=1),
    Parameter("mime_type", "string", required=True),
    Parameter("expires_after", "object"),
)


def create_file(exchange: Exchange, _: str) -> Reply:
    """A file from a form."""
    form = read_form(exchange.request)
    file = form.required_file("file")
    purpose = form.required_text("purpose")
    if purpose not in PURPOSES:
        raise invalid_value("purpose", purpose, PURPOSES)
    return json_reply(add_file(exchange, file.name, purpose, file.content))


def add_file(exchange: Exchange, name: str, purpose: str, content: bytes) -> Shape:
    """Keep a file; return it as it is shown."""
    shape: Shape = {
        "id": new_id("file-"),
        "object": "file",
        "bytes": len(content),
        "created_at": int(time.time()),
        "filename": name,
        "purpose": purpose,
        "status": "processed",
        "expires_at": None,
        "status_details": None,
    }
    exchange.memory.objects.add("file", shape, content)
    return shape


def list_files(exchange: Exchange, _: str) -> Reply:
    """The files, newest first; as many as are asked for, or all."""
    request = exchange.request
    purpose = request.query_value("purpose")
    found = [
        file for file in exchange.memory.objects.all("file") if purpose in (None, file["purpose"])
    ]
    if request.query_value("limit") is None:
        request.query["limit"] = [str(MAX_FILES_LISTED)]
    return page(request, found)


def get_file(exchange: Exchange, file_id: str) -> Reply:
    """A file's description."""
    return json_reply(exchange.memory.objects.get("file", file_id).body)


def get_file_content(exchange: Exchange, file_id: str) -> Reply:
    """A file's bytes."""
    stored = exchange.memory.objects.get("file", file_id)
    name = str(stored.body["filename"]).replace('"', "")
    return JsonReply(
        body=stored.content,
        headers=(
            ("content-type", "application/octet-stream"),
            ("content-disposition", f'attachment; filename="{name}"'),
        ),
    )


def delete_file(exchange: Exchange, file_id: str) -> Reply:
    """Forget a file."""
    exchange.memory.objects.remove("file", file_id)
    return json_reply({"id": file_id, "object": "file", "deleted": True})


def create_upload(exchange: Exchange, _: str) -> Reply:
    """Begin an upload."""
    body = exchange.request.json_object()
    check_parameters(body, _UPLOAD, refuse_unknown=exchange.refuse_unknown)
    now = int(time.time())
    shape = {
        "id": new_id("upload_"),
        "object": "upload",
        "bytes": body["bytes"],
        "created_at": now,
        "filename": body["filename"],
        "purpose": body["purpose"],
        "status": "pending",
        "expires_at": now + 3600,
        "file": None,
    }
    exchange.memory.objects.add("upload", shape)
    return json_reply(shape)


def add_part(exchange: Exchange, upload_id: str) -> Reply:
    """A part of an upload."""
    upload = exchange.memory.objects.get("upload", upload_id)
    _must_be_pending(upload.body)
    data = read_form(exchange.request).required_file("data")
    part = {
        "id": new_id("part_"),
        "object": "upload.part",
        "created_at": int(time.time()),
        "upload_id": upload_id,
    }
    upload.below.setdefault("part", []).append({**part, "content": data.content})
    return json_reply(part)


def complete_upload(exchange: Exchange, upload_id: str) -> Reply:
    """Make a file of an upload's parts."""
    upload = exchange.memory.objects.get("upload", upload_id)
    _must_be_pending(upload.body)
    part_ids: Any = exchange.request.json_object().get("part_ids")
    if not isinstance(part_ids, list) or not part_ids:
        raise missing_parameter("part_ids")
    parts = {part["id"]: part["content"] for part in upload.below.get("part", [])}
    if missing := [part_id for part_id in part_ids if part_id not in parts]:
        raise no_such("part", str(missing[0]))
    content = b"".join(parts[part_id] for part_id in part_ids)
    if len(content) != upload.body["bytes"]:
        raise ApiError(
            400,
            f"The upload has {len(content)} bytes, but {upload.body['bytes']} were announced.",
            param="bytes",
        )
    file = add_file(exchange, upload.body["filename"], upload.body["purpose"], content)
    upload.body |= {"status": "completed", "file": file}
    upload.below.clear()
    return json_reply(upload.body)


def cancel_upload(exchange: Exchange, upload_id: str) -> Reply:
    """Give an upload up."""
    upload = exchange.memory.objects.get("upload", upload_id)
    _must_be_pending(upload.body)
    upload.body["status"] = "cancelled"
    upload.below.clear()
    return json_reply(upload.body)


def _must_be_pending(upload: Shape) -> None:
    if upload["status"] != "pending":
        raise ApiError(400, f"The upload is {upload['status']}.", param="upload_id")
