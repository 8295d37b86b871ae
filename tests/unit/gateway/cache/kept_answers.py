"""Entries and requests for the cache's tests."""

from __future__ import annotations

from typing import Any

import msgspec

from headgate.gateway.cache.entry import Entry
from headgate.gateway.cache.key import Scope
from headgate.gateway.endpoints import Fields, Usage

NOW_US = 1_795_000_000_000_000


def an_entry(**changes: Any) -> Entry:
    """An answer kept a moment ago, good for a minute."""
    values: dict[str, Any] = {
        "body": b'{"choices":[]}',
        "usage": Usage(model="gpt-x", input_tokens=3, output_tokens=5),
        "cost_nanousd": 700,
        "target": "openai/gpt-x",
        "project": "support",
        "workflow": None,
        "model": "gpt-x",
        "tags": (),
        "simulated": False,
        "asked_at_us": NOW_US,
        "fresh_until_us": NOW_US + 60_000_000,
        "usable_until_us": NOW_US + 60_000_000,
    }
    return Entry(**(values | changes))


def a_scope(**changes: Any) -> Scope:
    """What a chat of the project `support` belongs to."""
    values: dict[str, Any] = {
        "project": "support",
        "workflow": None,
        "endpoint": "chat/completions",
        "model": "gpt-x",
        "targets": "openai gpt-x https://api.openai.com/v1",
    }
    return Scope(**(values | changes))


def fields_of(body: bytes) -> Fields:
    """A request's top-level fields, as the gateway reads them."""
    return msgspec.json.decode(body, type=Fields)
