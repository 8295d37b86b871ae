"""Alerts on their way: written with what they tell of, claimed by one process, tried until sent.

The key of a row decides that an alert is told once, whichever process comes to the threshold. All
of it blocks.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headgate.ledger.alerts.alert import Alert, AnyAlert, KeyAlert, ReviewAlert
from headgate.ledger.allowances.rule import Rule
from headgate.storage import Database
from headgate.storage.allowance_tables import alert_deliveries
from headgate.storage.identifiers import new_id

_CLAIMED_US = 60_000_000
"""How long a process has to deliver what it claimed, before another tries."""

_CLAIMED_AT_ONCE = 3
_KEY_RULE = "provider_key"
"""What stands in the place of a budget's name, which has a space."""
_KEY_PERIOD_US = 900_000_000
_REVIEW_RULE = "review"
_KEPT_US = 400 * 86_400_000_000


class Delivery(msgspec.Struct, frozen=True):
    """One alert for one channel, claimed by this process."""

    key: tuple[str, str, int, int, str]
    channel: str
    alert: AnyAlert
    attempts: int
    """This one included."""


class AlertOutbox:
    """The alerts of one server and the names of the channels that each goes to."""

    def __init__(self, database: Database, channels: Sequence[str]) -> None:
        self._database = database
        self._channels = tuple(channels)

    def __call__(
        self,
        connection: Connection,
        rule: Rule,
        key: tuple[str, str, int],
        threshold: int,
        spent: int,
        now_us: int,
    ) -> None:
        """Note, in the transaction of `connection`, that a budget has come to `threshold` percent.

        Nothing happens where that was noted before.
        """
        name, subject, period_us = key
        alert = Alert(
            id=new_id("alert"),
            at=now_us // 1_000_000,
            threshold=threshold,
            budget=name,
            subject=subject,
            window=rule.window,
            window_began=None if rule.window == "total" else period_us // 1_000_000,
            limit_nanousd=rule.limit,
            spent_nanousd=spent,
        )
        self._insert(connection, key, threshold, alert, now_us)

    def note_key(self, alert: KeyAlert) -> None:
        """Note that a key was refused, unless that was noted in the same quarter of an hour.

        Several processes find it out at about the same time.
        """
        now_us = alert.at * 1_000_000
        key = _KEY_RULE, f"{alert.provider}/{alert.provider_key}", now_us - now_us % _KEY_PERIOD_US
        with self._database.begin() as connection:
            self._insert(connection, key, 0, alert, now_us)

    def note_review(self, connection: Connection, alert: ReviewAlert, number: int) -> None:
        """Note, in the transaction of `connection`, that a review waits.

        Nothing happens where an alert of that `number` about it was noted before.
        """
        key = _REVIEW_RULE, alert.review, alert.opened_at * 1_000_000
        self._insert(connection, key, number, alert, alert.at * 1_000_000)

    def _insert(
        self,
        connection: Connection,
        key: tuple[str, str, int],
        threshold: int,
        alert: AnyAlert,
        now_us: int,
    ) -> None:
        name, subject, period_us = key
        body = msgspec.json.encode(alert).decode()
        connection.execute(
            sa.text(
                "INSERT INTO alert_deliveries (rule, subject, period_us, threshold, channel, id,"
                " body, state, attempts, due_at_us) VALUES (:rule, :subject, :period, :threshold,"
                " :channel, :id, :body, 'waiting', 0, :now)"
                " ON CONFLICT (rule, subject, period_us, threshold, channel) DO NOTHING"
            ),
            [
                {
                    "rule": name,
                    "subject": subject,
                    "period": period_us,
                    "threshold": threshold,
                    "channel": channel,
                    "id": alert.id,
                    "body": body,
                    "now": now_us,
                }
                for channel in self._channels
            ],
        )

    def claim(self) -> list[Delivery]:
        """A few deliveries that are due, which no other process tries for the next minute."""
        now_us = time.time_ns() // 1000
        table = alert_deliveries
        due = (
            sa.select(table)
            .where(
                table.c.state == "waiting",
                table.c.due_at_us <= now_us,
                table.c.channel.in_(self._channels),
            )
            .order_by(table.c.due_at_us)
            .limit(_CLAIMED_AT_ONCE)
        )
        with self._database.connect() as connection:
            if connection.execute(due.with_only_columns(table.c.id)).first() is None:
                return []
        with self._database.begin() as connection:
            rows = connection.execute(due.with_for_update(skip_locked=True)).all()
            found = [
                Delivery(
                    (row.rule, row.subject, row.period_us, row.threshold, row.channel),
                    row.channel,
                    msgspec.json.decode(row.body, type=AnyAlert),
                    row.attempts + 1,
                )
                for row in rows
            ]
            for delivery in found:
                self._set(
                    connection,
                    delivery,
                    attempts=delivery.attempts,
                    due_at_us=now_us + _CLAIMED_US,
                )
        return found

    def sent(self, delivery: Delivery) -> None:
        """It has arrived."""
        with self._database.begin() as connection:
            self._set(connection, delivery, state="sent")

    def failed(self, delivery: Delivery, *, again_in_s: float | None) -> None:
        """It has not arrived, and is tried again or, where `again_in_s` is None, given up."""
        with self._database.begin() as connection:
            if again_in_s is None:
                self._set(connection, delivery, state="dead")
            else:
                due_us = time.time_ns() // 1000 + int(again_in_s * 1_000_000)
                self._set(connection, delivery, due_at_us=due_us)

    def forget_old(self) -> None:
        """Delete what was told long ago."""
        with self._database.begin() as connection:
            connection.execute(
                sa.delete(alert_deliveries).where(
                    alert_deliveries.c.state != "waiting",
                    alert_deliveries.c.due_at_us < time.time_ns() // 1000 - _KEPT_US,
                    # What a budget that never ends told is told once for ever.
                    alert_deliveries.c.period_us > 0,
                )
            )

    def _set(self, connection: Connection, delivery: Delivery, **values: str | int) -> None:
        columns = alert_deliveries.c
        key = (columns.rule, columns.subject, columns.period_us, columns.threshold, columns.channel)
        statement = sa.update(alert_deliveries).values(**values)
        for column, value in zip(key, delivery.key, strict=True):
            statement = statement.where(column == value)
        connection.execute(statement)
