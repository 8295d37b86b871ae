"""Reads the header `Prefer` (RFC 7240): whether a client waits for an answer, and how long."""

from __future__ import annotations

import msgspec

from headgate.errors import InvalidRequestError

LONGEST_WAIT_S = 300.0


class Preference(msgspec.Struct, frozen=True):
    """What a client would like."""

    respond_async: bool = False
    wait_s: float = 0.0
    """How long to wait before the answer is 202; at most 300."""


def preference(header: str | None) -> Preference:
    """What `Prefer` says; what it says of other matters is left aside, as the RFC has it."""
    respond_async, wait_s = False, 0.0
    for part in (header or "").split(","):
        name, _, value = part.partition(";")[0].partition("=")
        match name.strip().lower():
            case "respond-async":
                respond_async = True
            case "wait":
                if not value.strip(' "').isdecimal():
                    raise InvalidRequestError(
                        "The header Prefer has `wait` without a whole number of seconds.",
                        param="Prefer",
                    )
                wait_s = min(float(value.strip(' "')), LONGEST_WAIT_S)
    return Preference(respond_async, wait_s)
