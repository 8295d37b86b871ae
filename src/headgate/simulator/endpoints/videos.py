"""/v1/videos: a video that is there when it is looked at next."""

from __future__ import annotations

import time
import zlib
from typing import Any

from headgate.simulator.endpoints.identifier import new_id
from headgate.simulator.endpoints.object_store import Shape, page
from headgate.simulator.exchange import Exchange
from headgate.simulator.wire.api_error import ApiError, invalid_value, missing_parameter
from headgate.simulator.wire.form import is_form, read_form
from headgate.simulator.wire.reply import JsonReply, Reply, json_reply

_MODELS = ("sora-2", "sora-2-pro")
_SECONDS = ("4", "8", "12", "16", "20")
_VARIANTS = {"video": "video/mp4", "thumbnail": "image/webp", "spritesheet": "image/jpeg"}
_KEPT_S = 3600


def create_video(exchange: Exchange, _: str) -> Reply:
    """Begin a video."""
    body = _body(exchange)
    reference = body.get("input_reference")
    file_id = body.get("input_reference[file_id]")
    if isinstance(reference, dict):
        file_id = reference.get("file_id")
    if file_id is not None:
        exchange.memory.objects.get("file", str(file_id))
    return _begun(exchange, body)


def edit_video(exchange: Exchange, _: str) -> Reply:
    """Begin a video that is another one, changed."""
    body = _body(exchange)
    return _begun(exchange, body, _source(exchange, body))


def extend_video(exchange: Exchange, _: str) -> Reply:
    """Begin a video that is another one, longer."""
    body = _body(exchange)
    if body.get("seconds") is None:
        raise missing_parameter("seconds")
    return _begun(exchange, body, _source(exchange, body))


def remix_video(exchange: Exchange, video_id: str) -> Reply:
    """Begin a video that is like another one."""
    source = exchange.memory.objects.get("video", video_id).body
    return _begun(exchange, _body(exchange), source, remixed_from_video_id=video_id)


def list_videos(exchange: Exchange, _: str) -> Reply:
    """The videos."""
    found = exchange.memory.objects.all("video")
    for video in found:
        _finish(video)
    return page(exchange.request, found)


def get_video(exchange: Exchange, video_id: str) -> Reply:
    """A video, by now complete."""
    video = exchange.memory.objects.get("video", video_id).body
    _finish(video)
    return json_reply(video)


def delete_video(exchange: Exchange, video_id: str) -> Reply:
    """Forget a video."""
    exchange.memory.objects.remove("video", video_id)
    return json_reply({"id": video_id, "object": "video.deleted", "deleted": True})


def get_video_content(exchange: Exchange, video_id: str) -> Reply:
    """The bytes of a video, or of a picture of it."""
    stored = exchange.memory.objects.get("video", video_id)
    if stored.body["status"] != "completed":
        raise ApiError(404, f"Video {video_id} is not ready yet.", code="video_not_ready")
    variant = exchange.request.query_value("variant") or "video"
    if variant not in _VARIANTS:
        raise invalid_value("variant", variant, tuple(_VARIANTS))
    headers = (("content-type", _VARIANTS[variant]),)
    return JsonReply(body=variant.encode() + b"\0" + stored.content, headers=headers)


def create_character(exchange: Exchange, _: str) -> Reply:
    """Keep somebody who is seen in a video."""
    form = read_form(exchange.request)
    film = form.required_file("video")
    shape = {
        "id": new_id("char_"),
        "name": form.required_text("name"),
        "created_at": int(time.time()),
    }
    exchange.memory.objects.add("video_character", shape, film.content)
    return json_reply(shape)


def get_character(exchange: Exchange, character_id: str) -> Reply:
    """Somebody who is seen in a video."""
    return json_reply(exchange.memory.objects.get("video_character", character_id).body)


def _body(exchange: Exchange) -> dict[str, Any]:
    if not is_form(exchange.request):
        return exchange.request.json_object()
    form = read_form(exchange.request)
    return {name: values[-1] for name, values in form.fields.items()}


def _source(exchange: Exchange, body: dict[str, Any]) -> Shape | None:
    """The video that a request names; None where it sends one."""
    named = body.get("video")
    video_id = named.get("id") if isinstance(named, dict) else body.get("video[id]")
    if video_id is not None:
        return exchange.memory.objects.get("video", str(video_id)).body
    if not is_form(exchange.request):
        raise missing_parameter("video")
    read_form(exchange.request).required_file("video")
    return None


def _begun(
    exchange: Exchange, body: dict[str, Any], source: Shape | None = None, **more: str
) -> Reply:
    prompt = body.get("prompt")
    if not prompt:
        raise missing_parameter("prompt")
    model = body.get("model") or (source or {}).get("model") or _MODELS[0]
    if model not in _MODELS:
        raise invalid_value("model", model, _MODELS)
    seconds = str(body.get("seconds") or (source or {}).get("seconds") or _SECONDS[0])
    if seconds not in _SECONDS:
        raise invalid_value("seconds", seconds, _SECONDS)
    now = int(time.time())
    shape: Shape = {
        "id": new_id("video_"),
        "object": "video",
        "model": model,
        "status": "queued",
        "progress": 0,
        "created_at": now,
        "completed_at": None,
        "expires_at": now + _KEPT_S,
        "prompt": prompt,
        "size": body.get("size") or (source or {}).get("size") or "720x1280",
        "seconds": seconds,
        "remixed_from_video_id": None,
        "error": None,
        **more,
    }
    drawn = zlib.crc32(str(prompt).encode()).to_bytes(4, "big")
    exchange.memory.objects.add("video", dict(shape), drawn)
    return json_reply(shape)


def _finish(video: Shape) -> None:
    if video["status"] == "queued":
        video |= {"status": "completed", "progress": 100, "completed_at": int(time.time())}
