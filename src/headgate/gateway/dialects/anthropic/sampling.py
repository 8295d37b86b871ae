"""Temperature, stop sequences, caching and the end user, which both endpoints name alike."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from headgate.gateway.dialects.anthropic.reading import read, refuse
from headgate.gateway.dialects.anthropic.thinking import Thinking
from headgate.gateway.endpoints import Fields

Json = dict[str, Any]

_number = msgspec.json.Decoder(Annotated[float, msgspec.Meta(ge=0, le=2)])
_stop = msgspec.json.Decoder(str | list[str])
_text = msgspec.json.Decoder(str)

_MOST_TEMPERATURE = 1.0
"""OpenAI's scale goes to 2; above 1 Anthropic has nothing."""
_MAX_USER_CHARACTERS = 256


def put_sampling(body: Json, fields: Fields, thinking: Thinking) -> None:
    """Write how the answer is drawn and where it stops.

    What is the default is left out, because newer models refuse any `temperature` and `top_p`
    that is set, and others the two together.
    """
    if thinking.config is not None:
        body["thinking"] = thinking.config
    if thinking.effort is not None:
        body["output_config"] = {"effort": thinking.effort}
    temperature, top_p = read(fields, "temperature", _number), read(fields, "top_p", _number)
    if thinking.config is None:
        # While it thinks, a model takes none of them.
        if temperature is not None and temperature < _MOST_TEMPERATURE:
            body["temperature"] = temperature
        if top_p is not None and top_p < 1:
            body["top_p"] = top_p
    stop = read(fields, "stop", _stop)
    if stop:
        body["stop_sequences"] = [stop] if isinstance(stop, str) else stop
    tier = read(fields, "service_tier", _text)
    if tier == "default":
        body["service_tier"] = "standard_only"
    elif tier not in (None, "auto"):
        raise refuse("service_tier", "it has the tiers auto and default only")


def put_caching(body: Json, fields: Fields) -> None:
    """Have the prompt cached where the application says that it will come again.

    OpenAI caches by itself and takes `prompt_cache_key` for a hint; Anthropic caches what it is
    told to, and charges more for writing it.
    """
    if read(fields, "prompt_cache_key", _text):
        body["cache_control"] = {"type": "ephemeral"}


def put_user(body: Json, fields: Fields) -> None:
    """Write the end user as the application names him."""
    for name in ("safety_identifier", "user"):
        user = read(fields, name, _text)
        if user and len(user) <= _MAX_USER_CHARACTERS:
            body["metadata"] = {"user_id": user}
            return
