"""Where commitments are kept: made once, asked after by one process at a time, settled once.

All of it blocks. Who settles one frees what it held, counts what it cost and writes its record in
the transaction that marks it settled, so a process that dies leaves all of that done or none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from headgate.ledger.allowances.held import Held, settle_held
from headgate.ledger.allowances.rule import Rules
from headgate.ledger.allowances.store import Crossed
from headgate.ledger.commitments.commitment import Commitment, Due, Kind
from headgate.ledger.commitments.patience import pause_s
from headgate.ledger.record import CallRecord
from headgate.ledger.rows import fitted, insert_calls
from headgate.storage import Database
from headgate.storage.commitment_tables import commitments

_FIELDS = Commitment.__struct_fields__
_CLAIMED_US = 60_000_000
"""How long a process has to ask after what it claimed, before another does."""

_CLAIMED_AT_ONCE = 20
_MOST = 2**63 - 1
_KEPT_US = 100 * 86_400_000_000
"""How long a row is kept after its settlement, so that nothing is settled twice."""

_held = msgspec.json.Decoder(tuple[Held, ...])


class Settled(msgspec.Struct, frozen=True):
    """What a commitment that has ended comes to."""

    record: CallRecord | None
    """None where it used nothing."""
    nanousd: int | None
    """None where no price is known."""
    tokens: int | None
    """None where nobody said."""


class CommitmentStore:
    """The table `commitments`."""

    def __init__(self, database: Database, rules: Rules, crossed: Crossed | None) -> None:
        """`crossed` is told what a budget's use has come to pass; see `allowances.store`."""
        self._database = database
        self._rules = {rule.name: rule for rule in rules.rules}
        self._crossed = crossed

    def make(self, commitment: Commitment, jitter: float) -> None:
        """Keep a commitment; nothing happens where it is kept already."""
        now_us = time.time_ns() // 1000
        values = {name: getattr(commitment, name) for name in _FIELDS}
        values["held"] = msgspec.json.encode(commitment.held).decode()
        values |= {
            "reserved_nanousd": _bounded(commitment.reserved_nanousd),
            "made_at_us": now_us,
            "looks": 0,
            "due_at_us": now_us + int(pause_s(commitment.kind, 0, jitter) * 1e6),
        }
        names = ", ".join(values)
        marks = ", ".join(f":{name}" for name in values)
        with self._database.begin() as connection:
            connection.execute(
                sa.text(
                    f"INSERT INTO commitments ({names}) VALUES ({marks})"  # noqa: S608 - our own names
                    " ON CONFLICT (kind, object_id, provider) DO NOTHING"
                ),
                values,
            )

    def going_on(self, kind: Kind, provider: str, object_ids: Sequence[str]) -> list[Commitment]:
        """Those of `object_ids` that have not been settled."""
        query = sa.select(*(commitments.c[name] for name in _FIELDS)).where(
            commitments.c.kind == kind,
            commitments.c.provider == provider,
            commitments.c.object_id.in_(object_ids),
            commitments.c.settled_at_us.is_(None),
        )
        with self._database.connect() as connection:
            return [_read(row) for row in connection.execute(query)]

    def owner(self, kind: Kind, object_id: str) -> tuple[str, str, str | None] | None:
        """The project that began it, the provider and the key's name; None where nobody did."""
        query = sa.select(
            commitments.c.project, commitments.c.provider, commitments.c.provider_key
        ).where(commitments.c.kind == kind, commitments.c.object_id == object_id)
        with self._database.connect() as connection:
            row = connection.execute(query).first()
        return None if row is None else (row.project, row.provider, row.provider_key)

    def claim(self, jitter: float) -> list[Due]:
        """Some that are due to be asked after, which no other process does for the next minute."""
        now_us = time.time_ns() // 1000
        table = commitments
        due = (
            sa.select(*(table.c[name] for name in _FIELDS), table.c.looks, table.c.made_at_us)
            .where(table.c.settled_at_us.is_(None), table.c.due_at_us <= now_us)
            .order_by(table.c.due_at_us)
            .limit(_CLAIMED_AT_ONCE)
        )
        with self._database.connect() as connection:
            if connection.execute(due.with_only_columns(table.c.kind)).first() is None:
                return []
        with self._database.begin() as connection:
            found = [
                Due(_read(row), row.looks + 1, row.made_at_us)
                for row in connection.execute(due.with_for_update(skip_locked=True))
            ]
            for one in found:
                pause_us = int(pause_s(one.commitment.kind, one.looks, jitter) * 1e6)
                connection.execute(
                    sa.update(table)
                    .where(*_is(one.commitment))
                    .values(looks=one.looks, due_at_us=now_us + max(pause_us, _CLAIMED_US))
                )
        return found

    def look_again(self, due: Due, jitter: float) -> None:
        """It goes on; ask after it once more in a while."""
        pause_us = int(pause_s(due.commitment.kind, due.looks, jitter) * 1e6)
        with self._database.begin() as connection:
            connection.execute(
                sa.update(commitments)
                .where(*_is(due.commitment))
                .values(due_at_us=time.time_ns() // 1000 + pause_us)
            )

    def settle(
        self, commitment: Commitment, ended: str, settled: Callable[[], Settled]
    ) -> CallRecord | None:
        """Settle it, unless that was done; return the record that was written, if one was."""
        with self._database.begin() as connection:
            now_us = time.time_ns() // 1000
            won = connection.execute(
                sa.update(commitments)
                .where(*_is(commitment), commitments.c.settled_at_us.is_(None))
                .values(settled_at_us=now_us, ended=ended[:16])
            )
            if won.rowcount != 1:
                return None
            what = settled()
            settle_held(
                connection,
                commitment.held,
                lambda held: self._used(held, what),
                rules=self._rules,
                crossed=self._crossed,
                now_us=now_us,
            )
            if what.record is not None:
                insert_calls(connection, [fitted(what.record)])
        return what.record

    def forget_old(self) -> None:
        """Delete what was settled long ago."""
        with self._database.begin() as connection:
            connection.execute(
                sa.delete(commitments).where(
                    commitments.c.settled_at_us < time.time_ns() // 1000 - _KEPT_US
                )
            )

    def _used(self, held: Held, what: Settled) -> int:
        if held.measure == "tokens":
            return held.amount if what.tokens is None else what.tokens
        if what.nanousd is not None:
            return what.nanousd
        rule = self._rules.get(held.rule)
        return 0 if rule is not None and rule.unpriced_allowed else held.amount


def _is(commitment: Commitment) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        commitments.c.kind == commitment.kind,
        commitments.c.object_id == commitment.object_id,
        commitments.c.provider == commitment.provider,
    )


def _read(row: Any) -> Commitment:
    values = {name: getattr(row, name) for name in _FIELDS}
    return Commitment(**values | {"held": _held.decode(values["held"])})


def _bounded(amount: int | None) -> int | None:
    return None if amount is None else min(amount, _MOST)
