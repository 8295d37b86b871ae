"""Where the standings of allowances are kept: one transaction carries a process's turns.

All of it blocks; `exchange.py` calls it in a thread.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headgate.ledger.allowances.rule import Rule
from headgate.ledger.allowances.share import Turn
from headgate.ledger.allowances.standing import Answer, Standing, take_turn
from headgate.storage import Database
from headgate.storage.allowance_tables import allowance_holders, allowances

MAX_TURNS = 200
"""Turns after which a transaction takes no further share in."""

_LIVE_US = 10_000_000
"""A process that had a turn within this time counts among those that share."""

_MINUTES_KEPT_US = 3_600_000_000
_PERIODS_KEPT_US = 400 * 86_400_000_000
"""How long the row of a window is kept after its last use."""

_POSTGRES_NOW = "(extract(epoch from clock_timestamp()) * 1000000)::bigint"

_MOST = 2**63 - 1
"""What a column holds; it is beyond every limit."""

_KNOWN_ROWS = 50_000
"""Rows that this process remembers to exist; beyond, it makes sure again."""

Key = tuple[str, str, int]


class Crossed(Protocol):
    """Told, within the transaction, of what a budget's use has come to pass."""

    def __call__(
        self, connection: Connection, rule: Rule, key: Key, threshold: int, spent: int, now_us: int
    ) -> None:
        """`threshold` percent of the budget are spent."""


class Exchanged(msgspec.Struct, frozen=True):
    """What came of one transaction."""

    answers: tuple[Answer | None, ...]
    """In the order of the turns; None for one that was carried out in an earlier transaction whose
    outcome was never heard of."""
    now_us: int
    """The time as the database tells it, by which all processes go."""


class AllowanceStore:
    """The turns of one process."""

    def __init__(self, database: Database, holder: str, crossed: Crossed) -> None:
        self._database = database
        self._holder = holder
        self._crossed = crossed
        self._known: set[Key] = set()
        self._number = 0
        self._doubtful = False

    def exchange(self, turns: Sequence[Turn]) -> Exchanged:
        """Carry out `turns`, whole or not at all.

        Where this raises, call it again with the same turns before any others: they may have been
        carried out all the same, and are not carried out twice.
        """
        if not self._doubtful:
            self._number += 1
        self._doubtful = True
        keys = [_key(turn) for turn in turns]
        self._make(keys)
        with self._database.begin() as connection:
            checked_in = self._check_in(connection)
            if checked_in is None:
                now_us = self._now_us(connection)
                answers: list[Answer | None] = [None] * len(turns)
            else:
                processes, now_us = checked_in
                standings = self._locked(connection, keys)
                answers = [
                    self._turn(connection, turn, key, standings[key], processes, now_us)
                    for turn, key in zip(turns, keys, strict=True)
                ]
                self._write(connection, standings, now_us)
        self._doubtful = False
        return Exchanged(tuple(answers), now_us)

    def leave(self) -> None:
        """Be no longer counted among the processes that share."""
        with self._database.begin() as connection:
            connection.execute(
                sa.delete(allowance_holders).where(allowance_holders.c.holder == self._holder)
            )

    def forget_old(self) -> None:
        """Delete the rows of windows and processes that ended long ago."""
        with self._database.begin() as connection:
            now_us = self._now_us(connection)
            rule, touched = allowances.c.rule, allowances.c.touched_at_us
            passing = sa.or_(
                rule.startswith("requests/minute per "),
                rule.startswith("tokens/minute per "),
                rule.startswith("concurrent per "),
            )
            connection.execute(
                sa.delete(allowances).where(
                    (passing & (touched < now_us - _MINUTES_KEPT_US))
                    # A budget in total is kept for ever: forgotten, it would begin anew.
                    | ((allowances.c.period_us > 0) & (touched < now_us - _PERIODS_KEPT_US))
                )
            )
            connection.execute(
                sa.delete(allowance_holders).where(
                    allowance_holders.c.seen_at_us < now_us - _MINUTES_KEPT_US
                )
            )
        self._known.clear()

    def _make(self, keys: Sequence[Key]) -> None:
        """Make the rows that may be missing.

        Apart: two processes that did so amidst their transactions could wait for each other.
        """
        new = sorted(set(keys) - self._known)
        if not new:
            return
        statement = sa.text(
            "INSERT INTO allowances (rule, subject, period_us, taken, spent, detail, touched_at_us)"
            " VALUES (:rule, :subject, :period, 0, 0, '{}', :now)"
            " ON CONFLICT (rule, subject, period_us) DO NOTHING"
        )
        now_us = time.time_ns() // 1000
        with self._database.begin() as connection:
            connection.execute(
                statement,
                [{"rule": r, "subject": s, "period": p, "now": now_us} for r, s, p in new],
            )
        if len(self._known) + len(new) > _KNOWN_ROWS:
            self._known.clear()
        self._known.update(new)

    def _check_in(self, connection: Connection) -> tuple[int, int] | None:
        """Note this transaction's number; return how many processes share, and what time it is.

        None where it was carried out before. All in one statement, for each is a way to the server.
        """
        clock = f"{time.time_ns() // 1000}" if self._database.is_sqlite else f"({_POSTGRES_NOW})"
        found = connection.execute(
            sa.text(
                "INSERT INTO allowance_holders (holder, turn, seen_at_us)"  # noqa: S608 - our own
                f" VALUES (:holder, :turn, {clock}) ON CONFLICT (holder) DO UPDATE"
                " SET turn = excluded.turn, seen_at_us = excluded.seen_at_us"
                " WHERE allowance_holders.turn <> excluded.turn"
                " RETURNING seen_at_us, (SELECT count(*) FROM allowance_holders AS other"
                f" WHERE other.holder <> :holder AND other.seen_at_us > {clock} - {_LIVE_US})"
            ),
            {"holder": self._holder, "turn": self._number},
        ).one_or_none()
        return None if found is None else (1 + int(found[1]), int(found[0]))

    def _locked(self, connection: Connection, keys: Sequence[Key]) -> dict[Key, Standing]:
        columns = (allowances.c.rule, allowances.c.subject, allowances.c.period_us)
        statement = (
            sa.select(*columns, allowances.c.taken, allowances.c.spent, allowances.c.detail)
            .where(sa.tuple_(*columns).in_(sorted(set(keys))))
            .order_by(*columns)
            # Every process locks in the same order, so that none waits in a circle.
            .with_for_update()
        )
        found: dict[Key, Standing] = {}
        for row in connection.execute(statement):
            standing = msgspec.json.decode(row.detail, type=Standing)
            standing.taken, standing.spent = row.taken, row.spent
            found[(row.rule, row.subject, row.period_us)] = standing
        missing = sorted(set(keys) - found.keys())
        if missing:
            # Another process has forgotten them as old in this very moment.
            self._known.difference_update(missing)
            raise RowsGoneError
        return found

    def _turn(
        self,
        connection: Connection,
        turn: Turn,
        key: Key,
        standing: Standing,
        processes: int,
        now_us: int,
    ) -> Answer:
        rule = turn.share.rule
        before = standing.spent
        answer = take_turn(
            standing,
            rule.window,
            rule.limit,
            turn.ask,
            holder=self._holder,
            processes=processes,
            now_us=now_us,
            ends_us=turn.period.end_us,
        )
        for threshold in rule.alerts_at:
            reached = before * 100 < rule.limit * threshold <= standing.spent * 100
            if reached or (threshold == 100 and turn.ask.refused):
                self._crossed(connection, rule, key, threshold, standing.spent, now_us)
        return answer

    def _write(self, connection: Connection, standings: dict[Key, Standing], now_us: int) -> None:
        connection.execute(
            sa.text(
                "UPDATE allowances SET taken = :taken, spent = :spent, detail = :detail,"
                " touched_at_us = :now"
                " WHERE rule = :rule AND subject = :subject AND period_us = :period"
            ),
            [
                {
                    "rule": rule,
                    "subject": subject,
                    "period": period,
                    "taken": min(standing.taken, _MOST),
                    "spent": min(standing.spent, _MOST),
                    "detail": _detail(standing),
                    "now": now_us,
                }
                for (rule, subject, period), standing in standings.items()
            ],
        )

    def _now_us(self, connection: Connection) -> int:
        if self._database.is_sqlite:
            # All processes on one file are on one machine and share its clock.
            return time.time_ns() // 1000
        return int(connection.execute(sa.text(f"SELECT {_POSTGRES_NOW}")).scalar_one())


class RowsGoneError(Exception):
    """Rows that were there have been deleted; the exchange is to be tried again."""


def _key(turn: Turn) -> Key:
    share = turn.share
    return (share.rule.name, share.subject, turn.period.start_us)


def _detail(standing: Standing) -> str:
    return msgspec.json.encode(
        Standing(
            slots=standing.slots,
            holders=standing.holders,
            recalled_at_us=standing.recalled_at_us,
        )
    ).decode()
