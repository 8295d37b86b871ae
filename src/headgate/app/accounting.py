"""Puts limits, budgets and their alerts together, where a server has any."""

from __future__ import annotations

import asyncio
from typing import Self

from headgate.config.settings import Settings
from headgate.ledger.alerts.outbox import AlertOutbox
from headgate.ledger.alerts.sender import AlertSender, channels_of
from headgate.ledger.allowances.allowances import Allowances
from headgate.ledger.allowances.rule import Rules, rules_of
from headgate.ledger.allowances.store import AllowanceStore
from headgate.storage import Database
from headgate.storage.identifiers import new_id
from headgate.telemetry.allowance_metrics import AllowanceMetrics

_GIVE_BACK_S = 5.0
_LAST_ALERTS_S = 3.0


class Accounting:
    """What counts limits and budgets in one worker: started, and stopped after the last call."""

    def __init__(self, rules: Rules, settings: Settings, database: Database) -> None:
        channels = channels_of(settings.alerts)
        self.outbox = AlertOutbox(database, [channel.name for channel in channels])
        self.allowances = Allowances(
            rules, settings.allowances, AllowanceStore(database, new_id("holder"), self.outbox)
        )
        self._sender = None
        if any(rule.alerts_at for rule in rules.rules):
            self._sender = AlertSender(
                self.outbox, channels, max_attempts=settings.alerts.max_attempts
            )

    @classmethod
    def of(cls, settings: Settings, database: Database) -> Self | None:
        """What `settings` need; None where they name no limit and no budget."""
        rules = rules_of(settings.limits, settings.budgets)
        if not rules.rules and not rules.caps:
            return None
        return cls(rules, settings, database)

    def start(self) -> None:
        """Begin to count and to tell; call it on the loop that carries the calls."""
        self.allowances.start()
        if self._sender is not None:
            self._sender.start()

    async def stop(self) -> None:
        """Give back what is leased and tell what is left to be told."""
        await self.allowances.stop(_GIVE_BACK_S)
        if self._sender is not None:
            await asyncio.to_thread(self._sender.close, _LAST_ALERTS_S)

    def note(self, metrics: AllowanceMetrics) -> None:
        """Set the figures."""
        metrics.note(
            self.allowances.share_states(), self.allowances.refusals, self.allowances.waiting
        )
