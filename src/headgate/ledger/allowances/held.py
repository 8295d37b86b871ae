"""Settles parts of allowances that no process has any more: back, or spent, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headgate.ledger.allowances.rule import Measure, Rule
from headgate.ledger.allowances.store import Crossed
from headgate.storage.allowance_tables import allowances

_MOST = 2**63 - 1
"""What a column holds."""


class Held(msgspec.Struct, frozen=True, array_like=True):
    """A part of an allowance that no process has any more and that nobody else may take."""

    rule: str
    subject: str
    period_us: int
    """When the window began, in microseconds since 1970 UTC."""
    measure: Measure
    amount: int


def settle_held(
    connection: Connection,
    held: Sequence[Held],
    actual: Callable[[Held], int],
    *,
    rules: dict[str, Rule],
    crossed: Crossed | None,
    now_us: int,
) -> None:
    """Count what `actual` says was used of each part as spent, and free the rest.

    What was used beyond a part is taken whatever is left, as with calls. A window that was
    forgotten since, being long over, is left out.
    """
    by_key = {(one.rule, one.subject, one.period_us): one for one in held}
    if not by_key:
        return
    key = (allowances.c.rule, allowances.c.subject, allowances.c.period_us)
    rows = connection.execute(
        sa.select(*key, allowances.c.taken, allowances.c.spent)
        .where(sa.tuple_(*key).in_(list(by_key)))
        # The order in which every process locks; see `store`.
        .order_by(*key)
        .with_for_update()
    ).all()
    for row in rows:
        at = (row.rule, row.subject, row.period_us)
        one = by_key[at]
        used = max(0, actual(one))
        spent = min(_MOST, row.spent + used)
        connection.execute(
            sa.update(allowances)
            .where(*(column == value for column, value in zip(key, at, strict=True)))
            .values(
                taken=min(_MOST, max(0, row.taken - one.amount + used)),
                spent=spent,
                touched_at_us=now_us,
            )
        )
        rule = rules.get(row.rule)
        if rule is None or crossed is None:
            continue
        for threshold in rule.alerts_at:
            if row.spent * 100 < rule.limit * threshold <= spent * 100:
                crossed(connection, rule, at, threshold, spent, now_us)
