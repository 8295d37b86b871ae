"""What was begun here and is paid for when it ends, and what came of it."""

from __future__ import annotations

from typing import Literal

import msgspec

from headgate.ledger.allowances.held import Held

Kind = Literal["batch", "response"]
"""`batch`: of many requests. `response`: one that its provider answers in the background."""

LATER = "later"
"""Stands in the record of a request that began such a thing, in place of a price's version: what
it costs has a record of its own, once it has ended."""


class Commitment(msgspec.Struct, frozen=True, kw_only=True):
    """One row of `commitments`, without its state."""

    kind: Kind
    object_id: str
    provider: str
    provider_key: str | None = None
    project: str
    key_id: str
    feature: str | None = None
    user_hash: str | None = None
    workflow: str | None = None
    run_id: str | None = None
    route: str | None = None
    model: str | None = None
    trace_id: str
    simulated: bool = False
    held: tuple[Held, ...] = ()
    reserved_nanousd: int | None = None

    @property
    def endpoint(self) -> str:
        """What the ledger calls the record of what it used."""
        return "batches/usage" if self.kind == "batch" else "responses/usage"


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """What it used; None where nobody said."""

    input_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How it ended."""

    status: str
    """As the provider calls it, such as `completed`; `gone` where the provider has it no more."""
    used: Used | None
    """None: it ought to have used something, and nobody said how much."""
    model: str | None = None
    service_tier: str | None = None


class Due(msgspec.Struct, frozen=True):
    """A commitment that this process is to ask after."""

    commitment: Commitment
    looks: int
    """How often that was done, this time included."""
    made_at_us: int
