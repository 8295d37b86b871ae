"""A message's stream as the events of a response, numbered, each delta followed by its done."""

from __future__ import annotations

from typing import Any

import msgspec

from headgate.errors import HeadgateError
from headgate.gateway.dialects.anthropic.message import Message, Part
from headgate.gateway.dialects.anthropic.responses_echo import Echo
from headgate.gateway.dialects.anthropic.responses_reply import (
    begun_response,
    finished_response,
    item_id,
    item_of,
    open_item,
    output_text,
    summary_text,
)
from headgate.gateway.dialects.anthropic.stream import MessageStreamReader
from headgate.gateway.endpoints.responses import error_event

Json = dict[str, Any]


class ResponseEvents(MessageStreamReader):
    """Tells a message as a response's events.

    The first two events wait for the first block, so that a message that breaks off before it
    can still be asked of another target.
    """

    __slots__ = ("_created_s", "_echo", "_greeted", "_next_number", "_summarized")

    def __init__(self, echo: Echo, *, created_s: int) -> None:
        super().__init__()
        self._echo = echo
        self._created_s = created_s
        self._next_number = 0
        self._greeted = False
        self._summarized: set[int] = set()
        """The parts of which the client has seen some of the text."""

    def _begin(self, message: Message) -> bytes:  # noqa: ARG002
        return b""

    def _begin_part(self, number: int, part: Part) -> bytes:
        message = self._message()
        said = self._greeting(message) + self._event(
            "response.output_item.added",
            output_index=number,
            item=open_item(message, number, part),
        )
        if part.kind == "text":
            said += self._event(
                "response.content_part.added",
                **self._at(number, part),
                content_index=0,
                part=output_text(""),
            )
        return said

    def _grow_part(self, number: int, part: Part, piece: str) -> bytes:
        at = self._at(number, part)
        if part.kind == "text":
            return self._event(
                "response.output_text.delta", **at, content_index=0, delta=piece, logprobs=[]
            )
        if part.kind == "tool":
            return self._event("response.function_call_arguments.delta", **at, delta=piece)
        if not self._echo.summary:
            return b""
        said = b""
        if number not in self._summarized:
            self._summarized.add(number)
            said = self._event(
                "response.reasoning_summary_part.added",
                **at,
                summary_index=0,
                part=summary_text(""),
            )
        return said + self._event(
            "response.reasoning_summary_text.delta", **at, summary_index=0, delta=piece
        )

    def _end_part(self, number: int, part: Part) -> bytes:
        message, at, said = self._message(), self._at(number, part), b""
        if part.kind == "text":
            said += self._event(
                "response.output_text.done", **at, content_index=0, text=part.text, logprobs=[]
            )
            said += self._event(
                "response.content_part.done", **at, content_index=0, part=output_text(part.text)
            )
        elif part.kind == "tool":
            said += self._event(
                "response.function_call_arguments.done",
                **at,
                name=part.name,
                arguments=part.text,
            )
        elif number in self._summarized:
            said += self._event(
                "response.reasoning_summary_text.done", **at, summary_index=0, text=part.text
            )
            said += self._event(
                "response.reasoning_summary_part.done",
                **at,
                summary_index=0,
                part=summary_text(part.text),
            )
        item = item_of(message, number, part, self._echo)
        return said + self._event("response.output_item.done", output_index=number, item=item)

    def _end(self, message: Message) -> bytes:
        response = finished_response(message, self.parts, self._echo, created_s=self._created_s)
        said = self._greeting(message)
        return said + self._event(f"response.{response['status']}", response=response)

    def _greeting(self, message: Message) -> bytes:
        if self._greeted:
            return b""
        self._greeted = True
        response = begun_response(message, self._echo, created_s=self._created_s)
        return self._event("response.created", response=response) + self._event(
            "response.in_progress", response=response
        )

    def _message(self) -> Message:
        if self.message is None:
            raise ValueError("the message does not begin with its start")
        return self.message

    def _at(self, number: int, part: Part) -> Json:
        return {"item_id": item_id(self._message(), number, part), "output_index": number}

    def _event(self, kind: str, **fields: Any) -> bytes:
        event = {"type": kind, "sequence_number": self._next_number, **fields}
        self._next_number += 1
        return b"event: %b\ndata: %b\n\n" % (kind.encode(), msgspec.json.encode(event))

    def error_block(self, error: HeadgateError) -> bytes:
        """See `StreamReader`."""
        return error_event(error, self._next_number)
