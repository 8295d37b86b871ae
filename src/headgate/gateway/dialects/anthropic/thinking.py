"""How hard a model is to think, from OpenAI's `reasoning_effort`, by what the model knows.

Models up to Claude 4.5 take a budget of tokens; later ones think as they see fit, and take an
effort in its place. A name that is not known is taken for a later one's.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from headgate.gateway.dialects.anthropic.reading import refuse

_BY_BUDGET = re.compile(r"claude-(?:[23]\b|instant|[a-z]+-4(?:-[015])?(?:-\d{8}|-latest)?$)")
_WITHOUT_XHIGH = re.compile(r"claude-[a-z]+-4-6\b")

_BUDGETS = {"low": 1024, "medium": 4096, "high": 16_384, "xhigh": 32_768, "max": 32_768}
_LEAST_BUDGET = 1024
"""The API takes no smaller one."""
_LEAST_ANSWER = 256
"""Tokens that must be left for the answer; with fewer, the model does not think."""


class Thinking(msgspec.Struct, frozen=True):
    """What a request says of thinking."""

    config: dict[str, Any] | None = None
    effort: str | None = None
    max_tokens: int = 0
    """The most tokens of the answer, thinking included."""


def thinking_for(
    model: str,
    effort: str | None,
    *,
    max_tokens: int | None,
    default_max_tokens: int,
    may_budget: bool,
    told: bool = False,
) -> Thinking:
    """The thinking of `model` for OpenAI's `effort`, None where the client named none.

    `max_tokens` is the client's limit, which holds thinking too. `may_budget` is false where the
    API refuses a budget: a forced tool, or tool results whose thinking the client no longer has.
    `told` is whether the client wants to read a summary of it.
    """
    limit = max_tokens or default_max_tokens
    by_budget = _BY_BUDGET.match(model) is not None
    if effort is None:
        # Later models think by themselves, and tell of it where they are asked to.
        config = {"type": "adaptive", "display": "summarized"} if told and not by_budget else None
        return Thinking(config, max_tokens=limit)
    if effort not in ("none", "minimal", *_BUDGETS):
        raise refuse("reasoning_effort", f"there is no effort `{effort[:32]}`")
    if by_budget:
        budget = _BUDGETS.get(effort, 0)
        if max_tokens is None:
            limit = default_max_tokens + budget
        budget = min(budget, limit - _LEAST_ANSWER)
        if budget < _LEAST_BUDGET or not may_budget:
            return Thinking(max_tokens=max_tokens or default_max_tokens)
        return Thinking({"type": "enabled", "budget_tokens": budget}, max_tokens=limit)
    if effort in ("none", "minimal"):
        # Some of these models can't be told not to think at all.
        return Thinking(effort="low", max_tokens=limit)
    if effort == "xhigh" and _WITHOUT_XHIGH.match(model):
        effort = "high"
    config = {"type": "adaptive", "display": "summarized"} if told else {"type": "adaptive"}
    return Thinking(config, effort, limit)
