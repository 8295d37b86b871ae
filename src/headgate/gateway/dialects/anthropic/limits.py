"""What is left of Anthropic's rate limits, in the headers by which OpenAI tells it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

_PREFIX = b"anthropic-ratelimit-"
_NAMES = {
    b"requests-limit": b"x-ratelimit-limit-requests",
    b"requests-remaining": b"x-ratelimit-remaining-requests",
    b"requests-reset": b"x-ratelimit-reset-requests",
    b"tokens-limit": b"x-ratelimit-limit-tokens",
    b"tokens-remaining": b"x-ratelimit-remaining-tokens",
    b"tokens-reset": b"x-ratelimit-reset-tokens",
}
"""Anthropic's `tokens` are those of whichever of its token limits is the tightest."""


def openai_limits(
    headers: Iterable[tuple[bytes, bytes]], *, now_s: float
) -> list[tuple[bytes, bytes]]:
    """OpenAI's headers for those of `headers` that tell of limits; `now_s` is the time of day."""
    found = []
    for name, value in headers:
        if not name.startswith(_PREFIX):
            continue
        named = _NAMES.get(name.removeprefix(_PREFIX))
        if named is None:
            continue
        if name.endswith(b"-reset"):
            wait_s = _wait_s(value, now_s)
            if wait_s is not None:
                found.append((named, b"%.3fs" % wait_s))
        elif value.isdigit():
            found.append((named, value))
    return found


def _wait_s(moment: bytes, now_s: float) -> float | None:
    """OpenAI says how long until a limit is whole again, Anthropic when."""
    try:
        at = datetime.fromisoformat(moment.decode("ascii"))
        return max(0.0, at.timestamp() - now_s) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None
