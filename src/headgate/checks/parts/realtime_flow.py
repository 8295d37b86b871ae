"""Where text stands and flows in the events of a realtime session, both ways."""

from __future__ import annotations

from typing import Any

from headgate.checks.parts.flow import Channel, Flow, Piece, beside_delta
from headgate.checks.parts.part import Part
from headgate.checks.parts.walker import reply_parts, request_parts

_BODIES = {
    "session.update": "session",
    "response.create": "response",
    "conversation.item.create": "item",
}
"""By a client's event, the field that holds what it is about."""

_SOUND = frozenset({"response.output_audio.delta", "response.audio.delta"})

_HEARD = "conversation.item.input_audio_transcription."
"""Of what a user said aloud, after the model has heard it."""


def body_of(kind: str) -> str | None:
    """The field of a client's event that holds a session, a response or an item."""
    return _BODIES.get(kind)


def client_parts(kind: str, fields: dict[str, Any]) -> list[Part]:
    """The parts of a client's event, named as in a request of that content.

    Raises `TooDeepError`.
    """
    name = _BODIES.get(kind)
    body = fields.get(name) if name is not None else None
    if name is None or not isinstance(body, dict):
        return request_parts(fields)
    if name == "item":
        # Said in a conversation: it is no instruction of the session's, whoever says it.
        return request_parts(fields)
    return [*request_parts(body), *request_parts(fields, without=name)]


class RealtimeFlow:
    """The events of one response, or those that belong to none."""

    def __init__(self) -> None:
        self._latest: dict[Channel, dict[str, Any]] = {}

    def read(self, event: dict[str, Any]) -> Flow:
        """See `FlowReader`."""
        kind = event.get("type")
        if not isinstance(kind, str):
            return Flow([], reply_parts(event), [])
        if kind in _SOUND:
            return Flow([], beside_delta(event), [])
        if kind.startswith(_HEARD):
            return Flow([], [], [])
        if kind.endswith(".delta") and isinstance(event.get("delta"), str):
            stem = kind.removesuffix(".delta")
            part = Part(
                event,
                "delta",
                path="delta",
                role="model",
                in_json=stem.endswith("arguments"),
                spoken=stem.endswith("transcript"),
            )
            channel = _channel(stem, event)
            self._latest[channel] = event
            return Flow([Piece(channel, part)], beside_delta(event), [])
        ended: list[Channel] = []
        if kind == "response.done":
            ended.append(())
        elif kind.endswith(".done"):
            ended.append(_channel(kind.removesuffix(".done"), event))
        return Flow([], reply_parts(event), ended)

    def more(self, channel: Channel, text: str, before: dict[str, Any] | None) -> dict[str, Any]:  # noqa: ARG002
        """See `FlowReader`."""
        latest = self._latest.pop(channel, {})
        return {**latest, "event_id": f"{latest.get('event_id', 'event')}_rest", "delta": text}

    def passed(self, event: dict[str, Any]) -> None:
        """See `FlowReader`; events have no numbers."""

    @property
    def renumbers(self) -> bool:
        """See `FlowReader`."""
        return False


def _channel(stem: str, event: dict[str, Any]) -> Channel:
    return (
        event.get("response_id"),
        stem,
        event.get("item_id"),
        event.get("output_index"),
        event.get("content_index"),
    )
