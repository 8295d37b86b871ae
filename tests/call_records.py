"""Records of calls that tests hand to the ledger."""

from __future__ import annotations

from headgate.ledger.record import CallRecord
from headgate.storage.identifiers import first_id, new_id

_serial = iter(range(10**9))


def a_call(**changes: object) -> CallRecord:
    """The record of a call as the gateway would fill it; `changes` set its fields.

    One that `started_at_us` elsewhen has an identifier of that time, as it would have had.
    """
    values: dict[str, object] = {
        "id": new_id("call"),
        "started_at_us": 1_795_000_000_000_000,
        "project": "default",
        "key_id": "key_1",
        "endpoint": "chat/completions",
        "feature": "triage",
        "user_hash": "a" * 32,
        "model_requested": "gpt-4o-mini",
        "provider": "openai",
        "model_answered": "gpt-4o-mini-2024-07-18",
        "status": 200,
        "attempts": 1,
        "input_tokens": 150,
        "cached_tokens": 0,
        "output_tokens": 50,
        "service_tier": "default",
        "cost_nanousd": 52_500,
        "price_version": "genai-prices 0.2.3",
        "latency_us": 12_345,
        "trace_id": "b" * 32,
    }
    if "started_at_us" in changes and isinstance(changes["started_at_us"], int):
        values["id"] = f"{first_id('call', changes['started_at_us'])}{next(_serial):016x}"
    return CallRecord(**(values | changes))
