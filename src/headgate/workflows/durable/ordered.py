"""What the process that carries a run needs to know of whoever ordered it, as it is stored."""

from __future__ import annotations

import msgspec

from headgate.config.allowances import Priority
from headgate.workflows.claims import Claim
from headgate.workflows.durable.orders import Terms
from headgate.workflows.run import Order, Run

_RANKS: dict[Priority, int] = {"interactive": 1, "normal": 2, "bulk": 3}


class Ordered(msgspec.Struct, frozen=True):
    """An order without contents, and the Idempotency-Key it came with."""

    order: Order
    claim: Claim | None

    def of_run(self, run: Run) -> Order:
        """The order again, with what is stored apart from it."""
        return msgspec.structs.replace(self.order, input=run.input, user_hash=run.user_hash)


_ordered = msgspec.json.Decoder(Ordered)


def terms_of(
    order: Order,
    claim: Claim | None,
    *,
    priority: Priority,
    deadline_at_us: int | None,
    webhook: str | None,
) -> Terms:
    """The terms of a run, as they are stored."""
    bare = msgspec.structs.replace(order, input=None, user=None, idempotency_key=None)
    return Terms(
        body=msgspec.json.encode(Ordered(bare, claim)).decode(),
        priority=_RANKS[priority],
        deadline_at_us=deadline_at_us,
        webhook=webhook,
    )


def ordered(terms: Terms) -> Ordered:
    """What `terms_of` was given."""
    return _ordered.decode(terms.body)
