"""What one call holds of limits and budgets until it is settled."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from headgate.ledger.allowances.applied import Told
from headgate.ledger.allowances.share import Hold


class Reservation(msgspec.Struct, frozen=True, eq=False, gc=False):
    """What one call holds until it is settled."""

    holds: Sequence[Hold]
    told: tuple[Told, ...]
    """See `Applied`."""
