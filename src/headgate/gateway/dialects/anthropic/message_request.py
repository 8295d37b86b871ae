"""What a request for a message holds, whichever endpoint's request it is made of."""

from __future__ import annotations

from typing import Any

from headgate.gateway.dialects.anthropic.sampling import put_caching, put_sampling, put_user
from headgate.gateway.dialects.anthropic.thinking import Thinking
from headgate.gateway.dialects.anthropic.turns import Turns
from headgate.gateway.request import Request

Json = dict[str, Any]


def message_request(request: Request, model: str, turns: Turns, thinking: Thinking) -> Json:
    """The body without tools and format. Raises `HeadgateError` for what can't be carried."""
    body: Json = {"model": model, "max_tokens": thinking.max_tokens, "messages": turns.messages}
    if turns.system:
        body["system"] = turns.system
    if request.streamed:
        body["stream"] = True
    put_sampling(body, request.fields, thinking)
    put_caching(body, request.fields)
    put_user(body, request.fields)
    return body
