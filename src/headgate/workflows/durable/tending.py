"""What keeps asynchronous runs going: signs of life, the dead's runs, deadlines, cleaning up.

And what ends the synchronous ones that nobody carries any more.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from headgate.errors import DatabaseUnavailableError
from headgate.telemetry.faults import log_fault
from headgate.workflows.durable.carrier import FAULT, DurableRuns
from headgate.workflows.durable.engine import name_of
from headgate.workflows.durable.leases import BEAT_S, Steadiness
from headgate.workflows.failures import RunDeadlineError
from headgate.workflows.run import RunError

_log = logging.getLogger(__name__)

_PRUNE_EVERY_S = 5.0
_GIVE_UP_EVERY_S = 30.0
_RECONCILE_EVERY_S = 60.0
_SETTLED_AFTER_S = 5.0
"""A run this old has been queued, if whoever took it lived to do so. One that is looked for too
early is queued twice, which is once."""

_PAGE = 200


class Tending:
    """The tasks beside the runs; they outlive any outage of the database."""

    def __init__(self, runs: DurableRuns) -> None:
        self._runs = runs
        self._threads = runs.runner.threads
        self._tasks: list[asyncio.Task[None]] = []
        self._reconcile_at_s = 0.0
        self._again_soon = True
        """Whether what a dead process left may not be old enough yet to be found."""
        self._steadiness = Steadiness()

    def start(self) -> None:
        """Begin; an idle server looks once in two seconds whether there is a run to carry."""
        for name, work, every_s in (
            ("beat", self._beat, BEAT_S),
            ("recover", self._recover, BEAT_S),
            ("prune", self._prune, _PRUNE_EVERY_S),
            ("give-up", self._give_up, _GIVE_UP_EVERY_S),
        ):
            self._tasks.append(
                asyncio.create_task(_again_and_again(work, every_s), name=f"headgate-runs-{name}")
            )

    async def stop(self) -> None:
        """End them."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _beat(self) -> None:
        runs = self._runs
        if not runs.started:
            if await self._threads.run(runs.orders.any_under_way):
                await runs.start()
            return
        if not await self._threads.run(runs.leases.beat):
            # Another process thought this one dead and has its runs now.
            _log.warning("this process was taken for dead; it lets go of its runs")
            await runs.surrender()
        self._steadiness.beaten(time.monotonic())
        runs.drop(await self._threads.run(runs.orders.gone, runs.carrying), ended=True)

    async def _recover(self) -> None:
        runs = self._runs
        if not runs.started:
            return
        steady = self._steadiness.is_steady(time.monotonic())
        for executor_id in await self._threads.run(runs.leases.dead, lease_counts=steady):
            _log.warning("a process has died; its runs go on", extra={"executor": executor_id})
            await self._threads.run(runs.engine.recover, executor_id)
            await self._threads.run(runs.leases.leave, executor_id)
            self._reconcile_at_s, self._again_soon = 0.0, True
        # One that stops may take a run from the queue between giving back what it had and its end.
        holders = await self._threads.run(runs.engine.holders)
        for executor_id in await self._threads.run(runs.leases.strangers, holders):
            _log.warning("a process left runs behind; they go on", extra={"executor": executor_id})
            await self._threads.run(runs.engine.recover, executor_id)
        too_late = RunError.of(RunDeadlineError())
        for run_id in await self._threads.run(runs.orders.overdue, _now_us(), _PAGE):
            await self._threads.run(runs.runner.repository.end_early, run_id, too_late)
        if time.monotonic() >= self._reconcile_at_s:
            pause_s = _SETTLED_AFTER_S if self._again_soon else _RECONCILE_EVERY_S
            self._reconcile_at_s, self._again_soon = time.monotonic() + pause_s, False
            await self._reconcile()

    async def _reconcile(self) -> None:
        """Queue what was stored and not queued, and end what the engine has given up."""
        runs, after = self._runs, ""
        before_us = _now_us() - int(_SETTLED_AFTER_S * 1e6)
        while page := await self._threads.run(runs.orders.page, after, _PAGE, before_us):
            names = {name_of(one.run_id, one.leg): one for one in page}
            fates = await self._threads.run(runs.engine.fates, list(names))
            for name, one in names.items():
                if fates[name] == "over":
                    # Whoever had it lost it to one who does not have it any more.
                    await self._threads.run(runs.engine.forget, name)
                if fates[name] in ("over", "unknown"):
                    await self._threads.run(runs.engine.enqueue, one)
                elif fates[name] == "failed":
                    await self._threads.run(runs.runner.repository.end_early, one.run_id, FAULT)
                    await self._threads.run(runs.engine.forget, name)
            after = page[-1].run_id

    async def _prune(self) -> None:
        if self._runs.started:
            await self._threads.run(self._runs.engine.prune)
            await self._runs.count()

    async def _give_up(self) -> None:
        # Whoever starts right after a kill can't know yet that nobody waits for a synchronous run.
        await self._runs.runner.give_up_lost()


async def _again_and_again(work: Callable[[], Awaitable[None]], every_s: float) -> None:
    while True:
        try:
            await work()
        except DatabaseUnavailableError:
            pass  # what is to be done is still to be done
        except Exception as fault:  # noqa: BLE001 - the task must go on
            log_fault("asynchronous runs could not be tended", fault)
        await asyncio.sleep(every_s)


def _now_us() -> int:
    return time.time_ns() // 1000
