"""How long a reasoning model thinks about a prompt, in tokens, and what it says of its thoughts."""

from __future__ import annotations

import math

from headgate.simulator.catalogue import Effort, Model
from headgate.simulator.wire.api_error import ApiError, invalid_value

STEP_TOKENS = 64
"""Reasoning tokens come in multiples of this."""

_BASE_TOKENS: dict[Effort, int] = {
    "none": 0,
    "minimal": 0,
    "low": 64,
    "medium": 128,
    "high": 512,
    "xhigh": 1_024,
    "max": 2_048,
}


def effort_of(model: Model, asked: object, param: str) -> Effort | None:
    """The effort in force; None for a model that doesn't reason.

    Raises `ApiError` 400 for an effort that doesn't exist, or any effort on such a model.
    """
    if asked is None:
        return model.effort
    if not model.reasons:
        raise ApiError(
            400,
            f"Unsupported parameter: '{param}' is not supported with this model.",
            param=param,
            code="unsupported_parameter",
        )
    for effort in _BASE_TOKENS:
        if effort == asked:
            return effort
    raise invalid_value(param, asked, tuple(_BASE_TOKENS))


def reasoning_tokens(effort: Effort | None, prompt_tokens: int, max_tokens: int | None) -> int:
    """Tokens of thought for a prompt: more for a longer one, never over half of `max_tokens`."""
    if effort is None or _BASE_TOKENS[effort] == 0:
        return 0
    wanted = _BASE_TOKENS[effort] * (1 + math.log2(1 + prompt_tokens / 512))
    steps = max(1, round(wanted / STEP_TOKENS))
    if max_tokens is not None:
        steps = min(steps, max_tokens // 2 // STEP_TOKENS)
    return steps * STEP_TOKENS


def reasoning_summary(topic: str, *, detailed: bool) -> str:
    """What a reasoning summary says of a request about `topic`."""
    summary = f"**Reading the request**\n\nThe request is about {topic}."
    if detailed:
        summary += (
            " I looked for the facts that it states, set aside what it leaves open, and chose the"
            " shortest answer that covers them."
        )
    return summary
