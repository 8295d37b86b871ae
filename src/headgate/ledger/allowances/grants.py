"""What people grant beyond a budget, for one subject in one window, for all processes at once.

It is kept in the row that every process's turns lock, so it counts from the next turn on, exactly.
"""

from __future__ import annotations

from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headgate.storage.allowance_tables import allowances
from headgate.storage.insertion import insert_into

_MOST = 2**62
"""What may be granted together; with the largest limit a column still holds it."""


class Granted(Protocol):
    """Which allowance a grant is for."""

    @property
    def rule(self) -> str | None:
        """The budget's name."""

    @property
    def subject(self) -> str | None:
        """Whose."""

    @property
    def window_began_us(self) -> int | None:
        """In which of its windows."""


def grant(connection: Connection, allowance: Granted, amount: int, now_us: int) -> None:
    """Add `amount` nano-dollars, in the transaction of `connection`."""
    row = {
        "rule": allowance.rule or "",
        "subject": allowance.subject or "",
        "period_us": allowance.window_began_us or 0,
    }
    connection.execute(
        insert_into(connection, allowances)
        .values(**row, taken=0, spent=0, detail="{}", touched_at_us=now_us, extra=0)
        .on_conflict_do_nothing()
    )
    at = [allowances.c[name] == value for name, value in row.items()]
    raised = sa.case(
        (allowances.c.extra > _MOST - amount, _MOST), else_=allowances.c.extra + amount
    )
    connection.execute(sa.update(allowances).where(*at).values(extra=raised, touched_at_us=now_us))
