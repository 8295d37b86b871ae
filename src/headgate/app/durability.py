"""Puts asynchronous runs together: who carries them in this worker, and what keeps them going."""

from __future__ import annotations

import asyncio

from headgate.config.runs import RunsSettings
from headgate.intake.access.projects import ProjectStore
from headgate.storage import Database
from headgate.telemetry.run_metrics import RunMetrics
from headgate.workflows.durable.carrier import LAST_RUNS_S, DurableRuns
from headgate.workflows.durable.leases import LeaseStore, Whereabouts
from headgate.workflows.durable.tending import Tending
from headgate.workflows.durable.webhook_check import check_webhooks
from headgate.workflows.durable.webhook_sender import WebhookSender
from headgate.workflows.durable.webhooks import WebhookOutbox
from headgate.workflows.runner import Runner

_LAST_WEBHOOKS_S = 3.0


class Durability:
    """The asynchronous runs of one worker: started with it, and stopped before its gateway."""

    def __init__(
        self,
        settings: RunsSettings,
        runner: Runner,
        database: Database,
        executor: str,
        *,
        grace_s: float,
    ) -> None:
        """`executor` is what this process is called, `grace_s` how long a stop waits.

        Raises `ConfigError` where a workflow names an address that may not be told.
        """
        rule = check_webhooks(settings, runner.catalogue)
        self.runs = DurableRuns(
            runner,
            database,
            LeaseStore(database, executor, Whereabouts.mine()),
            per_worker=settings.per_worker,
            waiting_at_most=settings.waiting_at_most,
            webhooks=rule,
            last_runs_s=min(LAST_RUNS_S, grace_s),
        )
        # croniter is loaded only where something is scheduled.
        self._scheduler = None
        if any(workflow.settings.schedule for workflow in runner.catalogue):
            from headgate.workflows.durable.scheduler import Scheduler  # noqa: PLC0415 - so

            check_project = ProjectStore(database).check_live
            self._scheduler = Scheduler(self.runs, database, check_project)
        self._sender = None
        if (webhooks := settings.webhooks) is not None:
            self._sender = WebhookSender(
                WebhookOutbox(database), rule, webhooks.secret, max_attempts=webhooks.max_attempts
            )
        self._tending = Tending(self.runs)

    def start(self) -> None:
        """Begin to look for runs; call it on the loop that is to carry them."""
        self._tending.start()
        if self._scheduler is not None:
            self._scheduler.start()
        if self._sender is not None:
            self._sender.start()

    def note(self, metrics: RunMetrics) -> None:
        """Set the figures."""
        metrics.note(unfinished=self.runs.unfinished, carried=len(self.runs.carrying))

    async def stop(self) -> None:
        """Stop carrying; other processes, or the next start, go on with what has not ended."""
        if self._scheduler is not None:
            await self._scheduler.stop()
        await self._tending.stop()
        await self.runs.stop()
        if self._sender is not None:
            await asyncio.to_thread(self._sender.close, _LAST_WEBHOOKS_S)
