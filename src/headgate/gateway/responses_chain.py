"""What a websocket remembers of its newest response, where no provider keeps that: pure.

OpenAI's websocket mode lets a `response.create` go on from the response before it on the same
socket, also where that was not stored (`store: false`) or was a warm-up (`generate: false`).
Here such a request is completed with what went before, so that any provider can answer it.
"""

from __future__ import annotations

import msgspec

from headgate.gateway.endpoints import Fields
from headgate.gateway.endpoints.endpoint import UNREADABLE

_MOST_KEPT_BYTES = 4 * 1024 * 1024
"""Of a longer conversation nothing is remembered; going on from it is then refused."""

_PREVIOUS = "previous_response_id"

_items = msgspec.json.Decoder(list[msgspec.Raw])
_string = msgspec.json.Decoder(str)


class _Item(msgspec.Struct):
    type: str = "message"
    encrypted_content: str | None = None


class _Response(msgspec.Struct):
    id: str = ""
    output: list[msgspec.Raw] = []


class _Ending(msgspec.Struct):
    type: str = ""
    response: _Response | None = None


_item = msgspec.json.Decoder(_Item)
_ending = msgspec.json.Decoder(_Ending)


class ResponsesChain:
    """The newest response of one websocket, with all that led to it."""

    def __init__(self, most_kept_bytes: int = _MOST_KEPT_BYTES) -> None:
        self._most_kept_bytes = most_kept_bytes
        self._id: str | None = None
        self._items: list[msgspec.Raw] = []
        self._before: msgspec.Raw | None = None
        """The stored response that all of it goes on from."""
        self._asked: Fields | None = None
        """The request whose answer is to be remembered."""

    def resume(self, fields: Fields) -> None:
        """Complete a request that goes on from the remembered response, and expect its answer.

        Changes `fields`; one that goes on from another response stays as it is.
        """
        previous = fields.get(_PREVIOUS)
        if self._id is not None and previous is not None and _text(previous) == self._id:
            del fields[_PREVIOUS]
            if self._before is not None:
                fields[_PREVIOUS] = self._before
            fields["input"] = _joined([*self._items, *_as_items(fields.get("input"))])
        unstored = bytes(fields.get("store", b"")) == b"false"
        self._asked = dict(fields) if unstored else None

    def note(self, event: bytes) -> None:
        """Remember the answer that `event`, the last of a response, tells whole."""
        asked, self._asked = self._asked, None
        if asked is None:
            return
        try:
            response = _ending.decode(event).response
        except UNREADABLE:
            return
        if response is not None and response.id:
            self._keep(response.id, asked, [raw for raw in response.output if _can_be_sent(raw)])

    def warm_up(self, response_id: str, fields: Fields) -> None:
        """Remember a request that is not to be answered yet, under `response_id`."""
        self._asked = None
        self._keep(response_id, fields, [])

    def _keep(self, response_id: str, asked: Fields, output: list[msgspec.Raw]) -> None:
        items = [*_as_items(asked.get("input")), *output]
        self._id, self._items, self._before = response_id, items, asked.get(_PREVIOUS)
        if sum(memoryview(item).nbytes for item in items) > self._most_kept_bytes:
            self._id, self._items, self._before = None, [], None


def _as_items(given: msgspec.Raw | None) -> list[msgspec.Raw]:
    """A request's input as a list; what is neither text nor list is left to the provider."""
    if given is None:
        return []
    text = bytes(given).lstrip()
    if text.startswith(b'"'):
        return [msgspec.Raw(b'{"type":"message","role":"user","content":%b}' % text)]
    try:
        # Copied, because a piece of a message holds all of it in memory.
        return [msgspec.Raw(bytes(item)) for item in _items.decode(given)]
    except UNREADABLE:
        return []


def _joined(items: list[msgspec.Raw]) -> msgspec.Raw:
    return msgspec.Raw(b"[" + b",".join(bytes(item) for item in items) + b"]")


def _can_be_sent(item: msgspec.Raw) -> bool:
    """Whether an item of an answer may be part of an input: thoughts only where encrypted."""
    try:
        read = _item.decode(item)
    except UNREADABLE:
        return False
    return read.type != "reasoning" or read.encrypted_content is not None


def _text(raw: msgspec.Raw) -> str | None:
    try:
        return _string.decode(raw)
    except UNREADABLE:
        return None
