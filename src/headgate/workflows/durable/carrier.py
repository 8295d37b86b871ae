"""Asynchronous runs of one process: taken, queued, carried, cancelled, recovered from the dead.

A run is acknowledged when it is stored and queued. Whichever process takes it from the queue
carries it; where that one dies, another goes on with it. What happens when stands in `tending.py`.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import msgspec

from headgate.config.allowances import Priority
from headgate.errors import ConflictError, DatabaseUnavailableError, UnavailableError
from headgate.storage import Database
from headgate.telemetry.faults import log_fault
from headgate.workflows.durable.engine import Engine
from headgate.workflows.durable.kept_journal import KeptJournal
from headgate.workflows.durable.leases import LeaseStore
from headgate.workflows.durable.ordered import ordered, terms_of
from headgate.workflows.durable.orders import UNDER_WAY, OrderStore, Queued, Terms
from headgate.workflows.durable.webhook_rule import WebhookRule
from headgate.workflows.idempotency import claim_of
from headgate.workflows.journal import RunLostError
from headgate.workflows.run import Order, Run, RunError
from headgate.workflows.runner import Runner
from headgate.workflows.tools.talk import talk_of

_COUNT_EVERY_S = 1.0
_LOOK_EVERY_S = 0.5
LAST_RUNS_S = 5.0
"""How long at most runs that are under way are waited for, before they are left to others."""
_RETRY_S = 1.0
_GRACE_S = 5.0
"""What a run may take beside its workflow's time, until who waits is told to ask later."""

CANCELLED = RunError(
    status=409,
    message="The run was cancelled before it came to its end.",
    type="invalid_request_error",
    code="run_cancelled",
    retryable=False,
)
FAULT = RunError(
    status=500,
    message="Headgate failed while it carried this run; see its log.",
    type="server_error",
    code="internal_error",
)


class RunUnderWayError(UnavailableError):
    """The run takes longer than its request can wait; ask for it later."""

    code = "run_under_way"


class DurableRuns:
    """Takes runs and carries them; `start()` the engine when there is something to carry."""

    def __init__(
        self,
        runner: Runner,
        database: Database,
        leases: LeaseStore,
        *,
        per_worker: int,
        waiting_at_most: int,
        webhooks: WebhookRule,
        last_runs_s: float = LAST_RUNS_S,
    ) -> None:
        """`last_runs_s`: how long a stop waits for the runs that are under way."""
        self.orders = OrderStore(database)
        self.runner = runner
        self.leases = leases
        self.started = False
        self._starting = asyncio.Lock()
        self._waiting_at_most = waiting_at_most
        self._last_runs_s = last_runs_s
        self._webhooks = webhooks
        self.unfinished = 0
        """Runs that have not ended, in all processes, as last counted."""
        self._counted_at_s = 0.0
        self._carrying: dict[str, asyncio.Task[None]] = {}
        self._ended: set[str] = set()
        """Those of them that were ended from outside."""
        self._awaited: dict[str, set[asyncio.Event]] = {}
        self._stopping = self._surrendering = False
        self.engine = Engine(
            database,
            leases.executor_id,
            self._carry,
            per_worker=per_worker,
            concurrency={
                one.name: limit
                for one in runner.catalogue
                if (limit := one.settings.limits.concurrency) is not None
            },
        )

    async def start(self) -> None:
        """Begin to carry runs, unless that was begun before."""
        async with self._starting:
            if not self.started and not self._stopping:
                await self.runner.threads.run(self.leases.enter)
                try:
                    await self.engine.start()
                except Exception as error:  # noqa: BLE001 - of whatever it is made
                    log_fault("the engine of asynchronous runs did not start", error)
                    raise UnavailableError(
                        "Asynchronous runs can't be taken at the moment; send this one again, or"
                        " without `Prefer: respond-async`."
                    ) from None
                self.started = True

    async def stop(self) -> None:
        """Let what is under way end for a few seconds, and leave the rest to other processes."""
        self._stopping = True
        async with self._starting:
            if not self.started:
                return
            self.started = False
            under_way = list(self._carrying.values())
            if under_way:
                await asyncio.wait(under_way, timeout=self._last_runs_s)
            self.drop(set(self._carrying))
            if left := list(self._carrying.values()):
                await asyncio.wait(left, timeout=LAST_RUNS_S)
            # Once others may take the runs over, nothing may go out from here any more.
            await self.runner.break_off()
            await self.engine.stop(self.leases.executor_id)
            # What its queue took meanwhile is found by others: they don't know this process now.
            with suppress(DatabaseUnavailableError):  # else the lease runs out
                await self.runner.threads.run(self.leases.leave, self.leases.executor_id)

    async def take(
        self,
        order: Order,
        *,
        priority: Priority | None = None,
        deadline_s: float | None = None,
        webhook: str | None = None,
        keeps_claim: bool = False,
    ) -> Run:
        """Take `order` as a run that waits for its turn; from now on it comes to an end.

        `keeps_claim`: its Idempotency-Key stands for it even if it fails. What is None is as the
        workflow has it. Raises `UnavailableError` where too many wait, and as `Runner.run` does.
        """
        settings = self.runner.admitted(order.workflow, order.caller).settings
        self._webhooks.check(webhook)
        await self._room()
        claim = claim_of(order)
        deadline_s = settings.limits.deadline_s if deadline_s is None else deadline_s
        terms = terms_of(
            order,
            None if keeps_claim else claim,
            priority=priority or settings.limits.priority,
            deadline_at_us=None if deadline_s is None else _now_us() + int(deadline_s * 1e6),
            webhook=webhook or settings.webhook,
        )
        await self.start()
        run = await self.runner.accept(order, claim, terms)
        if not run.replayed:
            self.unfinished += 1
        if run.status == "queued":
            # A repetition may come because the first one died before this line.
            threads = self.runner.threads
            queued = Queued(run.id, terms.leg, run.workflow, terms.priority)
            await threads.run(self.engine.enqueue, queued)
        return run

    async def run(self, order: Order) -> Run:
        """Carry `order` and wait for its end; where it acts on the world, as one that survives.

        The run that is returned has ended, or waits for a person. Raises as `Runner.run` does.
        """
        workflow = self.runner.admitted(order.workflow, order.caller)
        if not self.runner.outlives(workflow):
            return await self.runner.run(order)
        run = await self.take(order)
        within_s = workflow.settings.limits.timeout_s + _GRACE_S
        ended = await self.ended(run, within_s)
        if ended.status in UNDER_WAY:
            raise RunUnderWayError(
                f"The run {run.id} is still under way; GET /api/runs/{run.id} tells of it, and the"
                " same request with the same Idempotency-Key waits for it."
            )
        return msgspec.structs.replace(ended, replayed=run.replayed)

    async def go_on(self, run_id: str) -> None:
        """Queue a run that a person has decided about; else it is found a minute later."""
        threads = self.runner.threads
        found = await threads.run(self._found, run_id)
        if found is not None and found[0].status == "queued" and not self._stopping:
            run, terms = found
            await self.start()
            queued = Queued(run.id, terms.leg, run.workflow, terms.priority)
            await threads.run(self.engine.enqueue, queued)

    async def ended(self, run: Run, within_s: float) -> Run:
        """The run as it is when it has ended, or waits for a person, or the time is up."""
        deadline_s = time.monotonic() + within_s
        told = asyncio.Event()
        waiting = self._awaited.setdefault(run.id, set())
        waiting.add(told)
        try:
            while True:
                found = await self.runner.threads.run(self.runner.repository.get, run.id)
                left_s = deadline_s - time.monotonic()
                if found is None or found.status not in UNDER_WAY or left_s <= 0:
                    return run if found is None else found
                with suppress(TimeoutError):
                    # Another process may carry it, so it is looked for as well.
                    await asyncio.wait_for(told.wait(), min(_LOOK_EVERY_S, left_s))
                # One who lets go of it has told too, and then it goes on elsewhere.
                told.clear()
        finally:
            waiting.discard(told)
            if not waiting:
                self._awaited.pop(run.id, None)

    async def cancel(self, run: Run) -> None:
        """End `run` as failed; `ConflictError` where it has ended, or can't be ended from here."""
        threads, repository = self.runner.threads, self.runner.repository
        if await threads.run(self.orders.get, run.id) is not None and await threads.run(
            repository.end_early, run.id, CANCELLED
        ):
            self.drop({run.id}, ended=True)
            return
        found = await threads.run(repository.get, run.id, contents=False)
        status = run.status if found is None else found.status
        if status == "awaiting_review":
            raise ConflictError("The run waits for a review; reject it there.", param="id")
        if status in UNDER_WAY:
            raise ConflictError(
                "The run is a synchronous one: it ends with the request that began it.", param="id"
            )
        raise ConflictError(f"The run has ended already: it is {status}.", param="id")

    @property
    def carrying(self) -> list[str]:
        """The runs that this process carries at the moment."""
        return list(self._carrying)

    def drop(self, run_ids: set[str], *, ended: bool = False) -> None:
        """Stop carrying these; what is under way is broken off, and nothing is stored.

        Those that have `ended` are then done with; others are left for another process.
        """
        for run_id in run_ids:
            if (task := self._carrying.get(run_id)) is not None:
                if ended:
                    self._ended.add(run_id)
                task.cancel()

    async def surrender(self) -> None:
        """Let go of all runs, since another process has taken them over, and begin anew."""
        self._surrendering = True
        try:
            self.drop(set(self._carrying))
            if under_way := list(self._carrying.values()):
                await asyncio.wait(under_way, timeout=LAST_RUNS_S)
            threads = self.runner.threads
            # What was taken from the queue since then is nobody's.
            await threads.run(self.engine.recover, self.leases.executor_id)
            await threads.run(self.leases.enter)
        finally:
            self._surrendering = False

    async def count(self) -> None:
        """Count anew the runs that have not ended."""
        self._counted_at_s = time.monotonic()
        self.unfinished = await self.runner.threads.begin(self.orders.count)

    async def _room(self) -> None:
        if time.monotonic() - self._counted_at_s > _COUNT_EVERY_S:
            await self.count()
        if self.unfinished >= self._waiting_at_most:
            raise UnavailableError(
                f"{self._waiting_at_most} asynchronous runs have not ended yet; send this one again"
                " later, or raise runs.waiting_at_most.",
                code="too_many_runs",
            )

    async def _carry(self, run_id: str, leg: int) -> None:
        """Carry a leg of a run that the engine took from the queue."""
        if self._stopping or self._surrendering:
            raise asyncio.CancelledError
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a run is carried in a task of its own")
        self._carrying[run_id] = task
        try:
            journal: KeptJournal | None = None
            while True:
                try:
                    found = await self.runner.threads.run(self._found, run_id)
                    # A leg that has ended is found again where its process died just then.
                    if found is None or found[1].leg != leg:
                        return
                    run, terms = found
                    journal = journal or KeptJournal(
                        run, leg, self.runner.repository, self.runner.threads
                    )
                    await self._carried(run, terms, journal)
                except DatabaseUnavailableError:
                    await asyncio.sleep(_RETRY_S)  # what it has heard is kept
                else:
                    return
        except asyncio.CancelledError:
            if run_id not in self._ended:
                raise
            # The engine must hear that it is over, or it would count as under way for ever.
            task.uncancel()
        finally:
            self._carrying.pop(run_id, None)
            self._ended.discard(run_id)
            for told in self._awaited.get(run_id, ()):
                told.set()

    def _found(self, run_id: str) -> tuple[Run, Terms] | None:
        """A run that is still to be carried, and its terms; blocks."""
        run = self.runner.repository.get(run_id)
        terms = self.orders.get(run_id)
        if run is None or terms is None or run.status not in UNDER_WAY:
            return None
        return run, terms

    async def _carried(self, run: Run, terms: Terms, journal: KeptJournal) -> None:
        try:
            given = ordered(terms)
            talk = None
            if terms.leg:
                talk = talk_of(await self.runner.threads.run(self.runner.repository.talk, run.id))
            await self.runner.carry(
                run,
                given.of_run(run),
                given.claim,
                journal,
                leg=terms.leg,
                deadline_at_us=terms.deadline_at_us,
                talk=talk,
            )
        except RunLostError:
            return
        except DatabaseUnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - what was taken ends, whatever happens to it
            log_fault("a run could not be carried", error, run_id=run.id)
            await self.runner.threads.run(self.runner.repository.end_early, run.id, FAULT)


def _now_us() -> int:
    return time.time_ns() // 1000
