"""What the ledger keeps of one attempt: whom it asked, why, how it ended and how long it took.

Kept only of calls whose story is more than one clean attempt; else the call's own row tells all.
"""

from __future__ import annotations

from typing import Literal

import msgspec

AttemptReason = Literal["first", "retry", "next_key", "next_target", "larger_context", "hedge"]
"""Why an attempt was made.

- `first`: the call's first.
- `retry`: the same target again, after a pause.
- `next_key`: the same target by another key of its provider.
- `next_target`: the route's next target, since the one before failed or is left alone.
- `larger_context`: the route's target for requests that are too long for the others.
- `hedge`: beside an attempt that was slow to begin its answer.
"""


class AttemptRecord(msgspec.Struct, frozen=True, gc=False):
    """One row of `attempts`; the order of the fields is the order of the table's columns.

    The last field has no column: only traces tell it.
    """

    call_id: str
    number: int
    """From 1, in the order in which they were begun."""
    reason: AttemptReason
    provider: str
    model: str
    """As that provider was asked for it."""
    provider_key: str | None
    """The name of the provider's key, where it has several."""
    status: int | None
    """What the provider answered; None where no whole answer came."""
    error_class: str | None
    """None where its answer was used."""
    latency_us: int
    """Until its answer had begun (a stream) or was whole, or until it had failed."""
    input_tokens: int | None = None
    """An estimate, where it was lost: its answer was not used and may be charged all the same.
    Else None, as are the two below: the call's own row tells what the answer used."""
    output_tokens: int | None = None
    cost_nanousd: int | None = None
    """Part of the call's cost; None also where no price is known."""
    began_us: int = 0
    """How long after the call itself it was begun."""
