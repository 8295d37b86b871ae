"""Which bytes travel? The request, the reply and the streamed chunks that every system carries."""

from __future__ import annotations

import json
import time
from typing import Any, Final

MODEL: Final = "gpt-4.1-mini"
REQUEST_SIZE_BYTES: Final = 600
CONTENT_CHUNKS: Final = 128
"""Content chunks in one streamed answer; the role, finish and usage chunks are not counted."""

MARKER: Final = b"~"
"""Stands exactly once in each content chunk, however a gateway writes its JSON anew.

One byte, because nginx may cut an event anywhere and put HTTP's chunk framing in between.
"""

NUMBER: Final = "0" * 12
"""Stands in a numbered request where each gets a number of its own, so that no two are alike."""

SLOT_DIGITS: Final = 4
"""The marker is followed by the number of the stub's connection that sent the chunk."""

_COMPLETION_ID: Final = "chatcmpl-BfJ2n0dYq8mVt1c5hWk3sRzLxA7ue"
_CREATED: Final = 1_761_955_200
_TICKET: Final = (
    "Since this morning our warehouse scanners can't sign in. Two sites are affected, the "
    "third works. Restarting the handhelds did not help; the error says session expired. "
)
_ANSWER: Final = (
    "Summary: handheld scanners at two of three sites have been unable to sign in since this "
    "morning, and restarting them changes nothing. Intent: incident report. Severity: high, "
    "because shipping stops at both sites while it lasts. Queue: identity and access. "
    "Recommended action: check the expiry of the session service for the two sites, compare it "
    "with the site that still works, and tell the warehouse leads when to expect an answer."
)


def request_body(*, stream: bool, model: str = MODEL, numbered: bool = False) -> bytes:
    """Return a chat completion request of 600 bytes (a few more where it asks for a stream).

    One that is `numbered` holds `NUMBER` once, for the load to put another in its place each time.
    """
    head: dict[str, object] = {"model": model}
    system = {"role": "system", "content": "You triage support tickets. Answer in plain text."}
    tail: dict[str, object] = {"temperature": 0.2, "max_tokens": 400}

    def encoded(ticket: str) -> bytes:
        messages = [system, {"role": "user", "content": ticket}]
        extra = {"stream": True} if stream else {}
        return _encoded({**head, "messages": messages, **tail, **extra})

    room = REQUEST_SIZE_BYTES - len(encoded("")) + (len(b',"stream":true') if stream else 0)
    ticket = f"Ticket {NUMBER}. {_TICKET}" if numbered else _TICKET
    return encoded((ticket + _TICKET * (room // len(_TICKET) + 1))[:room])


def numbered_from_now() -> int:
    """Return a first number; as long as it takes a microsecond to ask, no later one is the same."""
    return time.monotonic_ns() // 1000 % int("1" + NUMBER)


def reply_body() -> bytes:
    """Return a chat completion of about 1 KB, with usage, as the model's server would send it."""
    return _encoded(
        {
            "id": _COMPLETION_ID,
            "object": "chat.completion",
            "created": _CREATED,
            "model": f"{MODEL}-2025-04-14",
            "choices": [
                {
                    "index": 0,
                    "message": {
                        "role": "assistant",
                        "content": _ANSWER,
                        "refusal": None,
                        "annotations": [],
                    },
                    "logprobs": None,
                    "finish_reason": "stop",
                }
            ],
            "usage": _usage(prompt_tokens=118, completion_tokens=93),
            "service_tier": "default",
            "system_fingerprint": "fp_6f2eabb9a5",
        }
    )


def answer_text() -> str:
    """Return the text that a client must find in the reply."""
    return _ANSWER


def role_event() -> bytes:
    """Return the first event of a stream: the role, with empty content."""
    return _event(_chunk({"role": "assistant", "content": "", "refusal": None}, None))


def content_events(slot: int, answer: str = _ANSWER) -> list[bytes]:
    """Return a stream's content events; each carries ``slot``, the number of the connection.

    No two in a row are alike: LiteLLM breaks a stream off that says the same 100 times.
    """
    words = answer.split()
    tokens = (
        f"{MARKER.decode()}{slot:0{SLOT_DIGITS}d} {words[place % len(words)]}"
        for place in range(CONTENT_CHUNKS)
    )
    return [_event(_chunk({"content": token}, None)) for token in tokens]


def closing_events(*, usage: bool) -> list[bytes]:
    """Return the finish event, the usage event where it was asked for, and the end mark."""
    events = [_event(_chunk({}, "stop"))]
    if usage:
        counted = _chunk(None, None)
        counted["usage"] = _usage(prompt_tokens=118, completion_tokens=CONTENT_CHUNKS)
        events.append(_event(counted))
    return [*events, b"data: [DONE]\n\n"]


def _chunk(delta: dict[str, object] | None, finish_reason: str | None) -> dict[str, object]:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return {
        "id": _COMPLETION_ID,
        "object": "chat.completion.chunk",
        "created": _CREATED,
        "model": f"{MODEL}-2025-04-14",
        "service_tier": "default",
        "system_fingerprint": "fp_6f2eabb9a5",
        "choices": [] if delta is None else [choice],
    }


def _usage(*, prompt_tokens: int, completion_tokens: int) -> dict[str, object]:
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def completion(content: str) -> bytes:
    """Return a chat completion that says `content`."""
    whole: dict[str, Any] = json.loads(reply_body())
    whole["choices"][0]["message"]["content"] = content
    return _encoded(whole)


def _event(value: dict[str, object]) -> bytes:
    return b"data: " + _encoded(value) + b"\n\n"


def _encoded(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
