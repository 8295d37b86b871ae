"""Puts alerts together: what is to be told, to whom, and the thread that tells it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from headgate.config.settings import Settings
from headgate.gateway.keys.watch import KeyRefused
from headgate.gateway.provider import Provider
from headgate.ledger.alerts.alert import KeyAlert
from headgate.ledger.alerts.outbox import AlertOutbox
from headgate.ledger.alerts.sender import AlertSender, channels_of
from headgate.ledger.allowances.rule import rules_of
from headgate.storage import Database
from headgate.storage.identifiers import new_id

_LAST_ALERTS_S = 3.0


class Alerting:
    """The alerts of one worker; it does nothing where there is nothing to be told of."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        providers: Iterable[Provider],
        *,
        alerts_of_reviews: bool = False,
    ) -> None:
        channels = channels_of(settings.alerts)
        self.outbox = AlertOutbox(database, [channel.name for channel in channels])
        rules = rules_of(settings.limits, settings.budgets).rules
        alerts_of_budgets = any(rule.alerts_at for rule in rules)
        alerts_of_keys = len(channels) > 1 and any(one.pool is not None for one in providers)
        alerts_of_reviews = alerts_of_reviews or any(rule.asks for rule in rules)
        self._sender = None
        if alerts_of_budgets or alerts_of_keys or alerts_of_reviews:
            self._sender = AlertSender(
                self.outbox, channels, max_attempts=settings.alerts.max_attempts
            )

    def tell(self, refused: KeyRefused) -> None:
        """Tell of a key that has left its pool; doesn't block."""
        if self._sender is not None:
            self._sender.tell(
                KeyAlert(
                    id=new_id("alert"),
                    at=int(time.time()),
                    provider=refused.provider,
                    provider_key=refused.provider_key,
                    status=refused.status,
                    reason=refused.reason,
                    keys_left=refused.keys_left,
                )
            )

    def start(self) -> None:
        """Begin to deliver."""
        if self._sender is not None:
            self._sender.start()

    async def stop(self) -> None:
        """Deliver what is left to be told."""
        if self._sender is not None:
            await asyncio.to_thread(self._sender.close, _LAST_ALERTS_S)
