"""Alerts on their way: written with what they tell of, then each tried until it has arrived.

The key of a row decides that an alert is told once, whichever process comes to the threshold. All
of it blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headgate.ledger.alerts.alert import Alert, AnyAlert, KeyAlert, ReviewAlert
from headgate.ledger.allowances.rule import Rule
from headgate.storage import Database
from headgate.storage.allowance_tables import alert_deliveries
from headgate.storage.identifiers import new_id
from headgate.storage.outbox import Outbox

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


class AlertOutbox(Outbox[Delivery]):
    """The alerts of one server and the names of the channels that each goes to."""

    def __init__(self, database: Database, channels: Sequence[str]) -> None:
        self._channels = tuple(channels)
        super().__init__(
            database,
            alert_deliveries,
            _delivery,
            at_once=_CLAIMED_AT_ONCE,
            kept_us=_KEPT_US,
            ours=alert_deliveries.c.channel.in_(self._channels),
            # What a budget that never ends told is told once for ever.
            passing=alert_deliveries.c.period_us > 0,
        )

    def claim_of(self, channel: str) -> list[Delivery]:
        """As `claim`, of what is for `channel`."""
        return self.claim(among=alert_deliveries.c.channel == channel)

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


def _delivery(row: sa.Row[Any]) -> Delivery:
    return Delivery(
        (row.rule, row.subject, row.period_us, row.threshold, row.channel),
        row.channel,
        msgspec.json.decode(row.body, type=AnyAlert),
        row.attempts + 1,
    )
