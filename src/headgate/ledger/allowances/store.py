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

from headgate.errors import DatabaseUnavailableError
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

_standing = msgspec.json.Decoder(Standing)

_MAKE = {
    is_sqlite: "INSERT INTO allowances (rule, subject, period_us, taken, spent, detail,"  # noqa: S608 - marks
    f" touched_at_us) VALUES ({mark}, {mark}, {mark}, 0, 0, '{{}}', {mark})"
    " ON CONFLICT (rule, subject, period_us) DO NOTHING"
    for is_sqlite, mark in ((True, "?"), (False, "%s"))
}
_WRITE = {
    is_sqlite: f"UPDATE allowances SET taken = {mark}, spent = {mark}, detail = {mark},"  # noqa: S608 - marks
    f" touched_at_us = {mark} WHERE rule = {mark} AND subject = {mark} AND period_us = {mark}"
    for is_sqlite, mark in ((True, "?"), (False, "%s"))
}
_LOCK = {
    # One parameter holds all keys: while SQLite is locked nobody waits for a statement of
    # hundreds of parameters to be put together.
    True: "SELECT a.rule, a.subject, a.period_us, a.taken, a.spent, a.detail, a.extra"
    " FROM json_each(?) AS asked CROSS JOIN allowances AS a"
    " ON a.rule = json_extract(asked.value, '$[0]')"
    " AND a.subject = json_extract(asked.value, '$[1]')"
    " AND a.period_us = json_extract(asked.value, '$[2]')",
    # Every process locks in the same order, so that none waits in a circle.
    False: "SELECT a.rule, a.subject, a.period_us, a.taken, a.spent, a.detail, a.extra"
    " FROM allowances AS a JOIN (SELECT value ->> 0 AS rule, value ->> 1 AS subject,"
    " (value ->> 2)::bigint AS period_us FROM json_array_elements(%s::json)) AS asked"
    " USING (rule, subject, period_us) ORDER BY a.rule, a.subject, a.period_us FOR UPDATE OF a",
}
"""By whether the database is SQLite."""


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

        Where this raises `DatabaseUnavailableError` or `RowsGoneError`, call it again with the same
        turns before any others: they may have been carried out all the same, and are not carried
        out twice. Whatever else it raises, none of them was carried out.
        """
        try:
            return self._exchange(turns)
        except (DatabaseUnavailableError, RowsGoneError):
            raise
        except Exception:
            self._doubtful = False
            raise

    def _exchange(self, turns: Sequence[Turn]) -> Exchanged:
        if not self._doubtful:
            self._number += 1
        self._doubtful = True
        keys = [_key(turn) for turn in turns]
        asked = sorted(set(keys))
        new = [key for key in asked if key not in self._known]
        if new and not self._database.is_sqlite:
            # Apart: two processes that did so amidst their transactions could wait for each other.
            with self._database.begin() as connection:
                self._make(connection, new)
        with self._database.begin() as connection:
            if new and self._database.is_sqlite:
                self._make(connection, new)
            checked_in = self._check_in(connection)
            if checked_in is None:
                now_us = self._now_us(connection)
                answers: list[Answer | None] = [None] * len(turns)
            else:
                processes, now_us = checked_in
                standings = self._locked(connection, asked)
                answers = [
                    self._turn(connection, turn, key, standings[key], processes, now_us)
                    for turn, key in zip(turns, keys, strict=True)
                ]
                self._write(connection, standings, now_us)
        self._doubtful = False
        self._remember(new)
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

    def _make(self, connection: Connection, new: Sequence[Key]) -> None:
        """Make the rows that may be missing, in the order in which all processes do."""
        now_us = time.time_ns() // 1000
        connection.exec_driver_sql(_MAKE[self._database.is_sqlite], [(*key, now_us) for key in new])

    def _remember(self, made: Sequence[Key]) -> None:
        if len(self._known) + len(made) > _KNOWN_ROWS:
            self._known.clear()
        self._known.update(made)

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
        found: dict[Key, Standing] = {}
        asked = msgspec.json.encode(keys).decode()
        rows = connection.exec_driver_sql(_LOCK[self._database.is_sqlite], (asked,)).fetchall()
        for row in rows:
            rule, subject, period_us, taken, spent, detail, extra = row
            standing = _standing.decode(detail)
            standing.taken, standing.spent, standing.extra = taken, spent, extra
            found[(rule, subject, period_us)] = standing
        missing = [key for key in keys if key not in found]
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
            rule.limit + standing.extra,
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
        if not standings:
            return
        connection.exec_driver_sql(
            _WRITE[self._database.is_sqlite],
            [
                (
                    min(standing.taken, _MOST),
                    min(standing.spent, _MOST),
                    _detail(standing),
                    now_us,
                    *key,
                )
                for key, standing in standings.items()
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
