"""A realtime provider under a test's control: what it answers by model, and what it was sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

Event = dict[str, Any]

SOUND = "AAAA" * 100
"""Base64 of some silence."""


class RealtimeProvider:
    """Repeats what clients set and say, and answers each `response.create` as it was told to."""

    def __init__(self) -> None:
        self.base_url = ""
        self._answers: dict[str, list[Sequence[Event]]] = {}
        self._received: dict[str, list[Event]] = {}
        self._ended: set[str] = set()

    def answers(self, model: str, *answers: Sequence[Event]) -> None:
        """What the next responses in sessions of `model` are; then there are empty ones."""
        self._answers[model] = list(answers)

    def received(self, model: str, kind: str | None = None) -> list[Event]:
        """The events that sessions of `model` got."""
        events = list(self._received.get(model, ()))
        return [event for event in events if kind in (None, event["type"])]

    def session(self, connection: ServerConnection) -> None:
        """Carry one session."""
        assert connection.request is not None
        model = parse_qs(urlsplit(connection.request.path).query)["model"][0]
        session: Event = {"type": "realtime", "model": model, "tools": [], "instructions": ""}

        def tell(event: Event) -> None:
            connection.send(json.dumps({"event_id": f"event_{id(event)}", **event}))

        tell({"type": "session.created", "session": session})
        try:
            for message in connection:
                event = json.loads(message)
                self._received.setdefault(model, []).append(event)
                for answer in self._answer(model, session, event):
                    tell(answer)
                    if answer["type"] == "response.done":
                        self._ended.add(answer["response"]["id"])
        except ConnectionClosed:
            pass

    def _answer(self, model: str, session: Event, event: Event) -> Sequence[Event]:
        match event["type"]:
            case "session.update":
                session |= event["session"]
                return [{"type": "session.updated", "session": session}]
            case "conversation.item.create":
                item = {"id": "item_of_client", **event["item"]}
                return [{"type": "conversation.item.added", "previous_item_id": None, "item": item}]
            case "conversation.item.retrieve":
                item = said_item("whole", event["item_id"])
                return [{"type": "conversation.item.retrieved", "item": item}]
            case "response.create":
                waiting = self._answers.get(model)
                return waiting.pop(0) if waiting else said("resp_empty", "Water.")
            case "response.cancel" if event["response_id"] in self._ended:
                about = {"code": "response_cancel_not_active", "event_id": event.get("event_id")}
                return [{"type": "error", "error": about}]
            case "response.cancel":
                return [ended(event["response_id"], "cancelled")]
            case "input_audio_buffer.commit":
                return self._answers[model].pop(0)
        return []


@contextmanager
def realtime_provider() -> Iterator[RealtimeProvider]:
    """One that runs as long as the block lasts."""
    provider = RealtimeProvider()
    with serve(provider.session, "127.0.0.1", 0) as server:
        provider.base_url = f"http://127.0.0.1:{server.socket.getsockname()[1]}/v1"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()


def begun(response_id: str) -> Event:
    """The first event of a response."""
    response = {
        "object": "realtime.response", "id": response_id, "status": "in_progress", "output": [],
        "conversation_id": "conv",
    }  # fmt: skip
    return {"type": "response.created", "response": response}


def ended(response_id: str, status: str = "completed", output: Sequence[Event] = ()) -> Event:
    """The last event of a response."""
    response = {
        "object": "realtime.response", "id": response_id, "status": status, "output": list(output),
        "conversation_id": "conv", "usage": {"input_tokens": 10, "output_tokens": 5},
    }  # fmt: skip
    return {"type": "response.done", "response": response}


def said_item(text: str, item_id: str, *, aloud: bool = False) -> Event:
    """What a model said, whole."""
    part = {"type": "output_audio", "transcript": text} if aloud else {
        "type": "output_text", "text": text,
    }  # fmt: skip
    return {"id": item_id, "type": "message", "role": "assistant", "content": [part]}


def said(response_id: str, *pieces: str, aloud: bool = False, complete: bool = True) -> list[Event]:
    """The events of a response that says `pieces`; with `aloud` sound comes beside each."""
    item_id = f"item_{response_id}"
    item = said_item("".join(pieces), item_id, aloud=aloud)
    at = {"response_id": response_id, "output_index": 0}
    inside = {**at, "item_id": item_id, "content_index": 0}
    kind = "response.output_audio_transcript" if aloud else "response.output_text"
    whole = {"transcript" if aloud else "text": "".join(pieces)}
    begin = {**item, "content": []}
    events = [
        begun(response_id),
        {"type": "response.output_item.added", **at, "item": begin},
        {"type": "conversation.item.added", "previous_item_id": None, "item": begin},
    ]
    for piece in pieces:
        events.append({"type": f"{kind}.delta", **inside, "delta": piece})
        if aloud:
            events.append({"type": "response.output_audio.delta", **inside, "delta": SOUND})
    if not complete:
        return events
    return [
        *events,
        {"type": f"{kind}.done", **inside, **whole},
        {"type": "response.content_part.done", **inside, "part": item["content"][0]},
        {"type": "response.output_item.done", **at, "item": item},
        {"type": "conversation.item.done", "previous_item_id": None, "item": item},
        ended(response_id, output=[item]),
    ]


def called(response_id: str, name: str, *pieces: str) -> list[Event]:
    """The events of a response that asks for a tool, with its arguments in `pieces`."""
    item = {
        "id": f"item_{response_id}", "type": "function_call", "name": name, "call_id": "call_1",
        "arguments": "".join(pieces),
    }  # fmt: skip
    at = {"response_id": response_id, "output_index": 0}
    inside = {**at, "item_id": item["id"], "call_id": "call_1"}
    kind = "response.function_call_arguments"
    return [
        begun(response_id),
        {"type": "response.output_item.added", **at, "item": {**item, "arguments": ""}},
        *({"type": f"{kind}.delta", **inside, "delta": piece} for piece in pieces),
        {"type": f"{kind}.done", **inside, "name": name, "arguments": item["arguments"]},
        {"type": "response.output_item.done", **at, "item": item},
        ended(response_id, output=[item]),
    ]
