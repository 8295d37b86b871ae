"""What providers show of batches and background responses: their end, what they used. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from headgate.gateway.endpoints import ENDPOINTS, Usage
from headgate.ledger.commitments.commitment import Kind, Outcome, Used

_ENDED: dict[Kind, frozenset[str]] = {
    "batch": frozenset({"completed", "failed", "expired", "cancelled"}),
    "response": frozenset({"completed", "incomplete", "failed", "cancelled"}),
}
_WORKED: dict[Kind, frozenset[str]] = {
    "batch": frozenset({"completed"}),
    "response": frozenset({"completed", "incomplete"}),
}
"""How what has used something ends, whether the provider says how much or not."""

_BATCH_TIER = "batch"

GONE = Outcome(status="gone", used=None)
"""The provider has it no more, and never said what it used."""

NOTHING = Used(input_tokens=0, output_tokens=0)


TokenCount = Annotated[int, msgspec.Meta(ge=0, le=10**11)]
"""As a provider may tell it of a batch: of some ten thousand calls."""


class _Details(msgspec.Struct):
    cached_tokens: TokenCount | None = None
    reasoning_tokens: TokenCount | None = None


class _Tokens(msgspec.Struct):
    input_tokens: TokenCount | None = None
    output_tokens: TokenCount | None = None
    input_tokens_details: _Details | None = None
    output_tokens_details: _Details | None = None


class _Counts(msgspec.Struct):
    completed: int | None = None


class _Batch(msgspec.Struct):
    status: str
    usage: _Tokens | None = None
    model: str | None = None
    request_counts: _Counts | None = None


def outcome_of(kind: Kind, shown: Mapping[str, Any]) -> Outcome | None:
    """How it ended; None where it goes on, or where what is shown is something else."""
    status = shown.get("status")
    if shown.get("object") != kind or status not in _ENDED[kind]:
        return None
    return _of_batch(shown) if kind == "batch" else _of_response(str(status), shown)


def _of_batch(shown: Mapping[str, Any]) -> Outcome:
    try:
        batch = msgspec.convert(shown, _Batch)
    except msgspec.ValidationError:
        # What it says of its usage can't be; nobody knows then what it was.
        return Outcome(status=str(shown["status"]), used=None, service_tier=_BATCH_TIER)
    usage, counts = batch.usage or _Tokens(), batch.request_counts or _Counts()
    used: Used | None = Used(
        input_tokens=usage.input_tokens,
        cached_tokens=(usage.input_tokens_details or _Details()).cached_tokens,
        output_tokens=usage.output_tokens,
        reasoning_tokens=(usage.output_tokens_details or _Details()).reasoning_tokens,
    )
    if not usage.input_tokens and not usage.output_tokens:
        # One that is said to have answered something has used something too.
        answered = counts.completed if counts.completed is not None else batch.status == "completed"
        used = None if answered else NOTHING
    return Outcome(status=batch.status, used=used, model=batch.model, service_tier=_BATCH_TIER)


def _of_response(status: str, shown: Mapping[str, Any]) -> Outcome:
    try:
        told = ENDPOINTS["responses"].usage(msgspec.json.encode(shown))
    except OverflowError:  # a number that no JSON library should have let through
        told = Usage()
    used: Used | None = Used(
        input_tokens=told.input_tokens,
        cached_tokens=told.cached_tokens,
        output_tokens=told.output_tokens,
        reasoning_tokens=told.reasoning_tokens,
    )
    if told.input_tokens is None and told.output_tokens is None:
        used = None if status in _WORKED["response"] else NOTHING
    return Outcome(status=status, used=used, model=told.model, service_tier=told.service_tier)
