"""What a run says to a model: the first request, and the one that asks again with the errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from headgate.checks.problem import Problem
from headgate.workflows.folder import Workflow
from headgate.workflows.prompts.prompt import Message

_SHOWN_AGAIN_CHARACTERS_AT_MOST = 50_000
"""Of an answer that failed; a longer one is not worth paying for twice."""


def request_body(
    workflow: Workflow,
    messages: Sequence[Message | dict[str, Any]],
    tools: Sequence[dict[str, Any]] = (),
    *,
    no_tools: bool = False,
) -> bytes:
    """A chat completions request for strict structured output.

    `no_tools`: the tools that were used are still listed, and none may be asked for any more.
    """
    settings = workflow.settings
    request: dict[str, Any] = {
        "model": settings.route,
        "messages": messages,
        "response_format": workflow.response_format,
        "max_completion_tokens": settings.max_output_tokens,
        "store": False,
    }
    if settings.temperature is not None:
        request["temperature"] = settings.temperature
    if settings.reasoning_effort is not None:
        request["reasoning_effort"] = settings.reasoning_effort
    if tools:
        request["tools"] = tools
        if no_tools:
            request["tool_choice"] = "none"
    return msgspec.json.encode(request)


def correction(content: str | None, problems: Sequence[Problem]) -> tuple[Message, ...]:
    """The messages that show a model its answer and say what was wrong with it."""
    listed = "\n".join(f"- {problem}" for problem in problems)
    asked = Message(
        "user",
        f"Your answer did not pass these checks:\n{listed}\n\n"
        "Answer again with the whole JSON object, corrected, and nothing else.",
    )
    if not content or len(content) > _SHOWN_AGAIN_CHARACTERS_AT_MOST:
        return (asked,)
    return (Message("assistant", content), asked)
