"""What is asked while guards are measured: letters of customers, of one kilobyte and of fifty."""

from __future__ import annotations

import json
from typing import Any, Final

SIZES_BYTES: Final = {"1 KB": 1_024, "50 KB": 51_200}
"""Of the customer's text; the request around it is some 700 bytes more."""

ADDRESS: Final = "anne.berger@example.com"
"""What is hidden in a request for a stream, and put back."""

_LETTER: Final = (
    "Dear support, since this morning our warehouse scanners cannot sign in. Two sites are"
    " affected, the third works; restarting the handhelds did not help, and the screen says that"
    " the session has expired. My colleague Anne Berger (anne.berger@example.com, +49 30 901820)"
    " wrote to you at 7:40 about order NW-204417, and nobody has answered. Please call her back"
    " before noon. We were billed twice on 2026-03-02 for the same delivery, invoice 88-1904; the"
    " second amount of 1,240.50 euros should go back to DE89 3704 0044 0532 0130 00. The manual"
    " under https://docs.example.com/scanners says nothing about such a case. "
)
_TOOLS: Final = ("search_orders", "refund", "read_manual", "send_mail")

MODERATED: Final = json.dumps(
    {
        "id": "modr-1",
        "model": "omni-moderation-latest",
        "results": [
            {
                "flagged": False,
                "categories": {"violence": False, "harassment": False},
                "category_scores": {"violence": 0.01, "harassment": 0.02},
            }
        ],
    }
).encode()
"""What the upstream says of every text; each of the measured requests has it judge one."""


def asked(route: str, size_bytes: int, number: int) -> bytes:
    """A chat completion asked of `route` about a letter of so many bytes.

    Each `number` makes another letter: what guards have found nothing in they don't read again, and
    customers' letters are new. The instructions and the tools are not.
    """
    letter = f"Ticket {number}. " + _LETTER * (size_bytes // len(_LETTER) + 1)
    letter = letter[:size_bytes]
    return _encoded({"model": route, "messages": _messages(letter), "tools": _tools()})


def asked_to_stream(route: str) -> bytes:
    """A stream asked of `route`, with an address in it that is hidden where `redact` stands."""
    letter = f"Please write to {ADDRESS} what became of the scanners."
    return _encoded({"model": route, "messages": _messages(letter), "stream": True})


def _messages(letter: str) -> list[dict[str, str]]:
    system = "You triage support tickets. Answer in plain text."
    return [{"role": "system", "content": system}, {"role": "user", "content": letter}]


def _tools() -> list[dict[str, Any]]:
    parameters = {"type": "object", "properties": {"what": {"type": "string"}}}
    return [
        {"type": "function", "function": {"name": name, "parameters": parameters}}
        for name in _TOOLS
    ]


def _encoded(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
