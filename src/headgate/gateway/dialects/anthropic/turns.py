"""The turns of a conversation as Anthropic takes them: users and assistant by turns, in blocks."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from headgate.errors import InvalidRequestError
from headgate.gateway.dialects.anthropic.reading import refuse
from headgate.gateway.endpoints.endpoint import UNREADABLE

Json = dict[str, Any]

_IMAGE = re.compile(r"data:(image/(?:jpeg|png|gif|webp));base64,(?=.)", re.IGNORECASE)
_PDF = re.compile(r"data:application/pdf;base64,(?=.)", re.IGNORECASE)
_PLAIN = re.compile(r"data:text/plain(?:;charset=[\w-]+)?,(?=.)", re.IGNORECASE)

_THINKING = ("thinking", "redacted_thinking")

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Turns:
    """Gathers a conversation; what one side says in a row becomes one turn."""

    def __init__(self) -> None:
        self.system: list[Json] = []
        self.messages: list[Json] = []

    def instruct(self, text: str) -> None:
        """Add instructions; wherever they stood, the API takes them before all turns."""
        if text.strip():
            self.system.append({"type": "text", "text": text})

    def say(self, role: str, blocks: list[Json]) -> None:
        """Add what `role`, `user` or `assistant`, says."""
        if not blocks:
            return
        if self.messages and self.messages[-1]["role"] == role:
            self.messages[-1]["content"] += blocks
        else:
            self.messages.append({"role": role, "content": blocks})

    def close(self, param: str) -> None:
        """Hold the whole to what the API takes; `param` is the field that it came from."""
        self._drop_bare_thinking()
        self._trim()
        if not self.messages:
            raise refuse(param, "a conversation needs at least one turn of the user's")

    def _drop_bare_thinking(self) -> None:
        """Leave out thinking that nothing follows, with which no turn may end."""
        turns, self.messages = self.messages, []
        for turn in turns:
            content = turn["content"]
            while content and content[-1]["type"] in _THINKING:
                content.pop()
            self.say(turn["role"], content)

    def _trim(self) -> None:
        """Take the white space from the end of what the assistant is to go on from."""
        while self.messages and self.messages[-1]["role"] == "assistant":
            content = self.messages[-1]["content"]
            while content and content[-1]["type"] == "text":
                content[-1]["text"] = content[-1]["text"].rstrip()
                if content[-1]["text"]:
                    return
                content.pop()
            if content:
                return
            self.messages.pop()

    @property
    def amid_tools(self) -> bool:
        """Whether the last turn answers a tool call whose thinking is not told."""
        if len(self.messages) < 2 or self.messages[-1]["content"][0]["type"] != "tool_result":
            return False
        return self.messages[-2]["content"][0]["type"] not in _THINKING


def text_block(text: str) -> list[Json]:
    """A text; the API takes none without something to read in it."""
    return [{"type": "text", "text": text}] if text.strip() else []


def image_block(url: str, place: str) -> Json:
    """A picture, by its address or in a data URL."""
    inline = _IMAGE.match(url)
    if inline:
        source = {
            "type": "base64", "media_type": inline[1].lower(), "data": url[inline.end() :],
        }  # fmt: skip
    elif url.startswith(("https://", "http://")):
        source = {"type": "url", "url": url}
    else:
        raise InvalidRequestError(
            f"`{place}` must be an http(s) address or a base64 data URL of a JPEG, PNG, GIF or"
            " WebP picture.",
            param=place,
        )
    return {"type": "image", "source": source}


def document_block(data: str | None, url: str | None, name: str | None, place: str) -> Json:
    """A PDF or a plain text, by its address or in a data URL."""
    source: Json
    if url and url.startswith(("https://", "http://")):
        source = {"type": "url", "url": url}
    elif data and (inline := _PDF.match(data)):
        encoded = data[inline.end() :]
        source = {"type": "base64", "media_type": "application/pdf", "data": encoded}
    elif data and (inline := _PLAIN.match(data)):
        text = unquote_to_bytes(data[inline.end() :]).decode("utf-8", "replace")
        source = {"type": "text", "media_type": "text/plain", "data": text}
    else:
        raise refuse(place, "a file must be a PDF or a plain text, in a data URL or by its address")
    return {"type": "document", "source": source, **({"title": name} if name else {})}


def tool_use_block(call_id: str, name: str, arguments: str, place: str) -> Json:
    """A tool call that the assistant made; `arguments` is JSON in a text."""
    try:
        given = _object.decode(arguments or "{}")
    except UNREADABLE:
        raise InvalidRequestError(
            f"`{place}` must be a JSON object in a string.", param=place, code="invalid_json"
        ) from None
    return {"type": "tool_use", "id": call_id, "name": name, "input": given}


def tool_result_block(call_id: str, content: list[Json]) -> Json:
    """What a tool answered."""
    block: Json = {"type": "tool_result", "tool_use_id": call_id}
    if content:
        block["content"] = content
    return block
