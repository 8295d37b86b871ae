"""Rolls calls up into `usage_rollups`, slot by slot, always in the order of time.

A slot of 5 minutes is added up from the ledger a grace after it has ended, and a second time a day
later, for calls that lasted longer than the grace; hours are made from those, days from hours.
Each time a slot's rows are replaced, so doing it twice, or in two processes, changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headgate.ledger.rollups.sums import (
    LATENCY_NAMES,
    SPLITS,
    SUM_COLUMNS,
    SUM_NAMES,
    SlotKey,
    Sums,
    grouped,
)
from headgate.storage import Database
from headgate.storage.identifiers import first_id
from headgate.storage.rollup_tables import rollup_marks, usage_rollups
from headgate.storage.schema import calls

SLOT_S, HOUR_S, DAY_S = 300, 3600, 86_400
GRACE_S = 600
"""How long after a slot's end its calls may still end; later ones are counted a day later."""

SECOND_PASS_AFTER_S = 26 * HOUR_S
KEPT_S = {SLOT_S: 2 * DAY_S, HOUR_S: 40 * DAY_S}
"""How long slots and hours are kept; days are kept for ever."""

_ROWS_AT_ONCE = 500
"""Written in one statement: of an hour with tens of thousands of features all would take 300 MB."""

HOURS_AT_ONCE, HOURS_AGAIN_AT_ONCE = 200, 2
"""Hours that one turn rolls up at most, so that nobody waits for a long past."""

FIRST, SECOND = "first", "second"
_LOCK = 0x726F6C6C7570


class Roller:
    """Rolls up one database. Every method blocks: call it in a thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def turn(self, now_s: int) -> bool:
        """Roll up what is due, at most `HOURS_AT_ONCE` hours; whether more is due."""
        first_until_s = (now_s - GRACE_S) // SLOT_S * SLOT_S
        second_until_s = (now_s - SECOND_PASS_AFTER_S) // HOUR_S * HOUR_S
        # Nobody asks for slots of long ago: the past is added up by hours at once.
        slots_from_s = now_s - KEPT_S[SLOT_S]
        more = self._advance(FIRST, first_until_s, slots_from_s, HOURS_AT_ONCE)
        late = self._advance(SECOND, second_until_s, slots_from_s, HOURS_AGAIN_AT_ONCE)
        if not more:
            self._forget(now_s)
        return more or late

    def _advance(self, name: str, until_s: int, slots_from_s: int, hours: int) -> bool:
        """Move the mark `name` on; whether it has not come to `until_s` yet.

        Hours that end before `slots_from_s` get no slots.
        """
        for _ in range(hours):
            with self._database.connect() as connection:
                mark_s = mark(connection, name)
                if mark_s is not None and mark_s >= until_s:
                    return False
                start_s = self._next_start(connection, mark_s, until_s)
                if name == SECOND and mark_s is None:
                    start_s = until_s  # what the first pass finds this late needs no second one
                end_s = min(until_s, start_s // HOUR_S * HOUR_S + HOUR_S)
                span_s = SLOT_S
                if start_s < end_s <= slots_from_s and end_s % HOUR_S == 0:
                    span_s, start_s = HOUR_S, end_s - HOUR_S
                # Read before the transaction that writes: nobody waits while the ledger is read.
                slots = grouped(connection, start_s, end_s, span_s) if start_s < until_s else {}
            with self._database.begin() as connection:
                if not self._database.is_sqlite:
                    # One process at a time, as SQLite writes; a mark's row may not be there yet.
                    connection.execute(
                        sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK}
                    )
                if mark(connection, name) != mark_s:
                    return True  # another process was faster
                if start_s < until_s:
                    _replace(connection, span_s, start_s, end_s, slots)
                from_s = start_s if mark_s is None else mark_s
                if span_s == SLOT_S:
                    _roll_on(connection, from_s, end_s, HOUR_S, SLOT_S)
                elif from_s < start_s and from_s % HOUR_S:
                    _roll_into(connection, HOUR_S, SLOT_S, from_s // HOUR_S * HOUR_S)
                _roll_on(connection, from_s, end_s, DAY_S, HOUR_S)
                _set_mark(connection, name, max(start_s, end_s))
        return True

    def _next_start(self, connection: Connection, mark_s: int | None, until_s: int) -> int:
        """The first slot from the mark on that has calls; `until_s` where none has before it."""
        after = first_id("call", 0 if mark_s is None else max(0, mark_s) * 1_000_000)
        first_us = connection.execute(
            sa.select(calls.c.started_at_us)
            .where(calls.c.id >= after)
            .order_by(calls.c.id)
            .limit(1)
        ).scalar()
        if first_us is None:
            return until_s
        start_s = int(first_us) // 1_000_000 // SLOT_S * SLOT_S
        return min(until_s, start_s if mark_s is None else max(mark_s, start_s))

    def _forget(self, now_s: int) -> None:
        """Delete slots and hours that no page asks for any more; what they made is kept."""
        for span_s, kept_s in KEPT_S.items():
            old = (
                usage_rollups.c.span_s == span_s,
                usage_rollups.c.split.in_(SPLITS),
                usage_rollups.c.start_s < now_s - kept_s,
            )
            with self._database.connect() as connection:
                found = connection.execute(sa.select(sa.literal(1)).where(*old).limit(1)).scalar()
            if found is not None:
                with self._database.begin() as connection:
                    connection.execute(usage_rollups.delete().where(*old))


def mark(connection: Connection, name: str) -> int | None:
    """Until when calls are rolled up; None where that has not begun."""
    return connection.execute(
        sa.select(rollup_marks.c.until_s).where(rollup_marks.c.name == name)
    ).scalar()


def _set_mark(connection: Connection, name: str, until_s: int) -> None:
    changed = connection.execute(
        rollup_marks.update().where(rollup_marks.c.name == name).values(until_s=until_s)
    )
    if not changed.rowcount:
        connection.execute(
            sa.text(
                "INSERT INTO rollup_marks (name, until_s) VALUES (:name, :until_s)"
                " ON CONFLICT (name) DO NOTHING"
            ),
            {"name": name, "until_s": until_s},
        )


def _replace(
    connection: Connection, span_s: int, start_s: int, end_s: int, slots: Mapping[SlotKey, Sums]
) -> None:
    """Write the slots between the two, each once for every split."""
    _clear(connection, span_s, start_s, end_s)
    for split in SPLITS:
        told: dict[SlotKey, Sums] = {}
        for key, sums in slots.items():
            told.setdefault(key.told_apart_by(split), Sums()).add(sums.values)
        rows = (
            {"span_s": span_s, "split": split, **key._asdict()}
            | dict(zip((*SUM_NAMES, *LATENCY_NAMES), sums.values, strict=True))
            for key, sums in told.items()
        )
        while some := list(islice(rows, _ROWS_AT_ONCE)):
            connection.execute(usage_rollups.insert(), some)


def _roll_on(
    connection: Connection, mark_s: int, end_s: int, span_s: int, from_span_s: int
) -> None:
    """Make anew what of `span_s` ends between the mark and `end_s`.

    At most an hour with calls lies between, so only two can hold any: the one that the mark is in,
    and the one that ends last.
    """
    first_s, last_s = mark_s // span_s * span_s, end_s // span_s * span_s - span_s
    for start_s in sorted({first_s, last_s}):
        if first_s <= start_s and start_s + span_s <= end_s:
            _roll_into(connection, span_s, from_span_s, start_s)


def _roll_into(connection: Connection, span_s: int, from_span_s: int, start_s: int) -> None:
    """One slot of `span_s` from the shorter ones within it."""
    _clear(connection, span_s, start_s, start_s + span_s)
    column = usage_rollups.c
    names = [column.split, column.project, column.workflow, column.model, column.feature]
    source = (
        sa.select(sa.literal(span_s), sa.literal(start_s), *names, *map(sa.func.sum, SUM_COLUMNS))
        .where(
            column.span_s == from_span_s,
            column.split.in_(SPLITS),
            column.start_s >= start_s,
            column.start_s < start_s + span_s,
        )
        .group_by(*names)
    )
    columns = ["span_s", "start_s", *(c.name for c in names), *(c.name for c in SUM_COLUMNS)]
    connection.execute(usage_rollups.insert().from_select(columns, source))


def _clear(connection: Connection, span_s: int, start_s: int, end_s: int) -> None:
    connection.execute(
        usage_rollups.delete().where(
            usage_rollups.c.span_s == span_s,
            usage_rollups.c.split.in_(SPLITS),
            usage_rollups.c.start_s >= start_s,
            usage_rollups.c.start_s < end_s,
        )
    )
