"""Puts limits and budgets together, where a server has any."""

from __future__ import annotations

import time
from typing import Self

from headgate.config.settings import Settings
from headgate.ledger.alerts.outbox import AlertOutbox
from headgate.ledger.allowances.allowances import Allowances
from headgate.ledger.allowances.asking import Asking
from headgate.ledger.allowances.rule import Rules, rules_of
from headgate.ledger.allowances.store import AllowanceStore
from headgate.storage import Database
from headgate.storage.identifiers import new_id
from headgate.telemetry.allowance_metrics import AllowanceMetrics

_GIVE_BACK_S = 5.0
_MANY_SHARES = 1_000
_MANY_NOTED_EVERY_S = 5.0
"""To go through tens of thousands keeps calls waiting for milliseconds: it is done less often."""


class Accounting:
    """What counts limits and budgets in one worker: started, and stopped after the last call."""

    def __init__(
        self,
        rules: Rules,
        settings: Settings,
        database: Database,
        outbox: AlertOutbox,
        asking: Asking,
    ) -> None:
        self.allowances = Allowances(
            rules,
            settings.allowances,
            AllowanceStore(database, new_id("holder"), outbox),
            asking=asking,
        )
        self._note_again_s = 0.0

    @classmethod
    def of(
        cls, settings: Settings, database: Database, outbox: AlertOutbox, asking: Asking
    ) -> Self | None:
        """What `settings` need; None where they name no limit and no budget."""
        rules = rules_of(settings.limits, settings.budgets)
        if not rules.rules and not rules.caps:
            return None
        return cls(rules, settings, database, outbox, asking)

    def start(self) -> None:
        """Begin to count; call it on the loop that carries the calls."""
        self.allowances.start()

    async def stop(self) -> None:
        """Give back what is leased."""
        await self.allowances.stop(_GIVE_BACK_S)

    def note(self, metrics: AllowanceMetrics) -> None:
        """Set the figures, if it is time to."""
        now_s = time.monotonic()
        if now_s < self._note_again_s:
            return
        shares = self.allowances.share_states()
        if len(shares) > _MANY_SHARES:
            self._note_again_s = now_s + _MANY_NOTED_EVERY_S
        metrics.note(shares, self.allowances.refusals, self.allowances.waiting)
