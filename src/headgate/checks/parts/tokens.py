"""Takes out of an answer how likely its tokens were: they tell its text once more, in pieces. Pure.

No guard can find anything in pieces, so where guards rewrite a text, or hold it back until they
have seen more of it, the pieces must not go by.
"""

from __future__ import annotations

from typing import Any

from headgate.checks.parts.walker import OPEN


def forget_tokens(value: Any) -> None:
    """Empty every `logprobs` in a decoded answer or event."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "logprobs" and isinstance(inner, dict | list):
                value[name] = [] if isinstance(inner, list) else None
            elif isinstance(inner, dict | list) and name not in OPEN:
                forget_tokens(inner)
    elif isinstance(value, list):
        for one in value:
            if isinstance(one, dict | list):
                forget_tokens(one)
