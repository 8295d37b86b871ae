"""Chat completions: chunks put together into a completion, and a completion told as chunks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from headgate.gateway.cache.forms.form import AnswerForm, Scribe, data_event, pieces
from headgate.gateway.cache.forms.growing import Growing
from headgate.gateway.endpoints import Usage
from headgate.gateway.endpoints.endpoint import UNREADABLE, data_of, events_of

_ENDS = frozenset({"stop", "length", "tool_calls", "function_call"})
"""Reasons to finish that belong to the answer; a filter's may be gone the next time."""

_OF_THE_STREAM = frozenset({"choices", "object", "usage", "obfuscation"})
"""Fields of a chunk that are not the completion's own."""

_NOT_AS_IT_SHOULD_BE = (AttributeError, KeyError, OverflowError, TypeError, ValueError)
"""What a stream of other shapes than a chat's makes the code that puts it together raise."""

_DELTA_FRAME_BYTES = 16
"""About what a delta has beside its text."""

_DONE = b"data: [DONE]\n\n"


class _Choice(msgspec.Struct):
    index: int
    message: dict[str, Any]
    finish_reason: str | None = None


class _Completion(msgspec.Struct):
    choices: list[_Choice]


_completion = msgspec.json.Decoder(_Completion)
_decode = msgspec.json.decode
_encode = msgspec.json.encode


class ChatForm(AnswerForm):
    """Answers of `/v1/chat/completions`."""

    def complete(self, body: bytes) -> bool:
        """See `AnswerForm`."""
        try:
            choices = _completion.decode(body).choices
        except UNREADABLE:
            return False
        for choice in choices:
            if choice.finish_reason not in _ENDS:
                return False
        return bool(choices)

    def scribe(self, limit_bytes: int) -> Scribe:
        """See `AnswerForm`."""
        return ChatScribe(limit_bytes)

    def events(self, body: bytes, *, include_usage: bool) -> bytes:
        """See `AnswerForm`."""
        completion: dict[str, Any] = _decode(body)
        frame = {name: v for name, v in completion.items() if name not in _OF_THE_STREAM}
        frame["object"] = "chat.completion.chunk"
        chunks = []
        for choice in completion["choices"]:
            for told in _told(choice):
                chunk = {**frame, "choices": [told]}
                if include_usage:
                    chunk["usage"] = None
                chunks.append(data_event(chunk))
        if include_usage:
            chunks.append(data_event({**frame, "choices": [], "usage": completion.get("usage")}))
        return b"".join(chunks) + _DONE


class ChatScribe:
    """Puts the chunks of one stream together."""

    def __init__(self, limit_bytes: int) -> None:
        self._left_bytes = limit_bytes
        self._frame: dict[str, Any] = {}
        self._messages: dict[int, Growing] = {}
        self._choices: dict[int, dict[str, Any]] = {}
        self._logprobs: dict[int, Growing] = {}
        self._usage: Any = None

    def feed(self, block: bytes) -> None:
        """See `Scribe`."""
        if self._left_bytes < 0:
            return
        for event in events_of(block):
            data = data_of(event)
            if not data.startswith(b"{"):
                continue
            try:
                self._chunk(_decode(data))
            except (*UNREADABLE, *_NOT_AS_IT_SHOULD_BE):
                self._forget()
                return

    def _chunk(self, chunk: dict[str, Any]) -> None:
        for name, value in chunk.items():
            if name not in _OF_THE_STREAM and (value is not None or name not in self._frame):
                self._frame[name] = value
        if chunk.get("usage") is not None:
            self._usage = chunk["usage"]
        for choice in chunk.get("choices", ()):
            index = int(choice["index"])
            delta = choice.get("delta") or {}
            logprobs = choice.get("logprobs")
            # What is held grows by about as much as the delta says, less its field names.
            self._left_bytes -= max(1, len(_encode(delta)) - _DELTA_FRAME_BYTES)
            if logprobs:
                self._left_bytes -= len(_encode(logprobs))
                self._logprobs.setdefault(index, Growing()).add(logprobs)
            if self._left_bytes < 0:
                self._forget()
                return
            self._messages.setdefault(index, Growing()).add(delta)
            known = self._choices.setdefault(index, {"finish_reason": None})
            for name, value in choice.items():
                if name not in ("delta", "index", "logprobs") and value is not None:
                    known[name] = value

    def _forget(self) -> None:
        self._left_bytes = -1
        self._messages.clear()
        self._choices.clear()
        self._logprobs.clear()

    def whole(self, usage: Usage) -> bytes | None:
        """See `Scribe`."""
        if self._left_bytes < 0:
            return None
        try:
            return self._whole(usage)
        except _NOT_AS_IT_SHOULD_BE:
            return None

    def _whole(self, usage: Usage) -> bytes | None:
        choices = [
            {
                "index": index,
                "message": {"role": "assistant", "content": None, "refusal": None}
                | self._messages[index].finished(),
                "logprobs": self._logprobs[index].finished() if index in self._logprobs else None,
                **self._choices[index],
            }
            for index in sorted(self._choices)
        ]
        told = self._usage if self._usage is not None else _usage(usage)
        if told is None:
            return None
        body = {**self._frame, "object": "chat.completion", "choices": choices, "usage": told}
        return _encode(body)


def _usage(usage: Usage) -> dict[str, Any] | None:
    """What a completion says that it used."""
    if usage.input_tokens is None or usage.output_tokens is None:
        return None
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {
            "cached_tokens": usage.cached_tokens or 0,
            "audio_tokens": usage.input_audio_tokens or 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning_tokens or 0,
            "audio_tokens": usage.output_audio_tokens or 0,
        },
    }


def _told(choice: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The choices of the chunks that tell `choice`."""
    index, message = choice["index"], dict(choice["message"])
    logprobs = choice.get("logprobs")

    def chunk(delta: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {"index": index, "delta": delta, "logprobs": None, "finish_reason": None} | more

    content, refusal = message.pop("content", None), message.pop("refusal", None)
    calls = message.pop("tool_calls", None) or ()
    begun = {"role": message.pop("role", "assistant"), "content": None if calls else ""}
    yield chunk({**begun, "refusal": None})
    if logprobs:
        # All of them at once: they are counted by token, and the pieces are not tokens.
        yield chunk({}, logprobs=logprobs)
    for name, value in message.items():
        if value not in (None, [], {}):
            yield chunk({name: value})
    for piece in pieces(content or ""):
        yield chunk({"content": piece})
    for piece in pieces(refusal or ""):
        yield chunk({"refusal": piece})
    for position, call in enumerate(calls):
        yield from map(chunk, _call_deltas(position, call))
    ended = {n: v for n, v in choice.items() if n not in ("message", "logprobs")}
    yield chunk({}, **ended)


def _call_deltas(position: int, call: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The deltas that tell one tool call."""
    function = call.get("function")
    if not isinstance(function, dict):
        yield {"tool_calls": [{"index": position, **call}]}
        return
    begun = {**call, "function": {**function, "arguments": ""}}
    yield {"tool_calls": [{"index": position, **begun}]}
    for piece in pieces(function.get("arguments") or ""):
        yield {"tool_calls": [{"index": position, "function": {"arguments": piece}}]}
