"""DBOS, as far as runs need it: a queue that survives, steps that are not done twice, recovery.

The only file that knows DBOS. It is imported when the first asynchronous run comes, since it weighs
20 MB, and speaks with nobody but the database: no conductor, no exporter. Steps' results, which are
contents, stay with it only until the run has ended.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec

from headgate.storage import Database
from headgate.workflows.durable.orders import Queued
from headgate.workflows.journal import RunLostError

if TYPE_CHECKING:
    from dbos import DBOS, DBOSConfig

T = TypeVar("T")

_log = logging.getLogger(__name__)

_APPLICATION = "headgate"
_SCHEMA = "dbos"
_VERSION = "1"
"""Rises when what runs do can't be resumed by older code; only equal ones take a run over."""

_WORKFLOW = "run"
_SHARED_QUEUE = "runs"
_POLL_S = 0.1
"""How often a process looks for waiting runs; it takes a few hundredths of a core."""

_CONNECTIONS = 6
_STARTS_AT_MOST = 25
"""How often a run is begun again whose process died, until it is held to be what kills them."""

_PRUNED_AT_ONCE = 500
_LEAVES_WITHIN_S = 10.0
_LEAVE_LOOK_S = 0.02
_SAID_AGAIN_S = 60.0

Fate = Literal["going", "over", "failed", "unknown"]
"""What the engine knows of a run. `failed`: it will not be tried again. `unknown`: never queued."""

_FATES: Mapping[str, Fate] = {
    "PENDING": "going",
    "ENQUEUED": "going",
    "DELAYED": "going",
    "SUCCESS": "over",
    "CANCELLED": "over",
    "ERROR": "failed",
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": "failed",
}


class Engine:
    """The engine of one process; there can be one only."""

    def __init__(
        self,
        database: Database,
        executor_id: str,
        carry: Callable[[str, int], Awaitable[None]],
        *,
        per_worker: int,
        concurrency: Mapping[str, int],
    ) -> None:
        """`carry` carries a leg of a run. `concurrency` bounds a workflow's, in all processes."""
        self._database = database
        self._executor_id = executor_id
        self._carry = carry
        self._per_worker = per_worker
        self._concurrency = concurrency
        self._dbos: DBOS | None = None

    async def start(self) -> None:
        """Begin to take runs from the queue; call it on the loop that is to carry them."""
        await asyncio.to_thread(self._make_ready)
        from dbos import DBOS  # noqa: PLC0415 - see the file's first lines

        try:
            self._dbos = DBOS(config=self._config())
            logging.getLogger("dbos").handlers = [_Discreet()]

            @DBOS.workflow(name=_WORKFLOW, max_recovery_attempts=_STARTS_AT_MOST)
            async def run(name: str) -> None:
                await self._carry(*parts_of(name))

            DBOS.launch()
            await asyncio.to_thread(self._register_queues)
        except BaseException:
            # Half of it would be taken for the whole by the next who tries.
            await self.stop(self._executor_id)
            raise

    async def stop(self, executor_id: str) -> None:
        """Give back what this process had taken, so that another goes on with it at once."""
        from dbos import DBOS  # noqa: PLC0415 - so

        if self._dbos is not None:
            # While the database is away it would ask again for ever, and the server never stop.
            self._dbos._sys_db._retry_connection_errors = False  # noqa: SLF001 - no public name

        def leave() -> None:
            with suppress(Exception):  # else its lease runs out
                DBOS._recover_pending_workflows([executor_id])  # noqa: SLF001 - so
            with suppress(Exception):  # nothing is left to be done by it
                DBOS.destroy(destroy_registry=True)

        leaving = threading.Thread(target=leave, name="headgate-runs-leave", daemon=True)
        leaving.start()
        deadline_s = time.monotonic() + _LEAVES_WITHIN_S
        while (  # noqa: ASYNC110 - a thread has nothing to be awaited by
            leaving.is_alive() and time.monotonic() < deadline_s
        ):
            await asyncio.sleep(_LEAVE_LOOK_S)
        # DBOS had given the loop threads of its own, which have ended with it.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())

    def enqueue(self, run: Queued) -> None:
        """Queue a run; nothing happens where it is known already. It blocks."""
        from dbos import DBOS  # noqa: PLC0415 - so

        DBOS.enqueue_workflow_with_options(
            {
                "workflow_name": _WORKFLOW,
                "queue_name": _queue_of(run.workflow, self._concurrency),
                "workflow_id": (name := name_of(run.run_id, run.leg)),
                "priority": run.priority,
                "app_version": _VERSION,
            },
            name,
        )

    def recover(self, executor_id: str) -> None:
        """Put back into the queue what a process had taken that has died. It blocks."""
        from dbos import DBOS  # noqa: PLC0415 - so

        DBOS._recover_pending_workflows([executor_id])  # noqa: SLF001 - its public way is a service

    def holders(self) -> set[str]:
        """The processes that have taken something from the queue and not ended it. It blocks."""
        from dbos import DBOS  # noqa: PLC0415 - so

        taken = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
        return {one.executor_id for one in taken if one.executor_id}

    def fates(self, names: Sequence[str]) -> dict[str, Fate]:
        """What the engine knows of each, by `name_of`. It blocks."""
        from dbos import DBOS  # noqa: PLC0415 - so

        known = DBOS.list_workflows(workflow_ids=list(names), load_input=False, load_output=False)
        found = {one.workflow_id: _FATES.get(one.status, "going") for one in known}
        return {name: found.get(name, "unknown") for name in names}

    def prune(self) -> None:
        """Delete what is kept of runs that are over: it holds what models answered. It blocks."""
        from dbos import DBOS  # noqa: PLC0415 - so

        over = DBOS.list_workflows(
            status=[status for status, fate in _FATES.items() if fate == "over"],
            limit=_PRUNED_AT_ONCE,
            load_input=False,
            load_output=False,
        )
        if over:
            DBOS.delete_workflows([one.workflow_id for one in over])

    def forget(self, name: str) -> None:
        """Delete what is kept of one leg of a run. It blocks."""
        from dbos import DBOS  # noqa: PLC0415 - so

        DBOS.delete_workflow(name)

    def _make_ready(self) -> None:
        # Importing and the first tables take most of a second, which no call should wait for.
        # `DBOS.migrate` would do, but knows only a schema that listens.
        from dbos._serialization import DBOSPortableJSONSerializer  # noqa: PLC0415 - so
        from dbos._sys_db import SystemDatabase  # noqa: PLC0415 - so

        logging.getLogger("dbos").setLevel(logging.WARNING)
        logging.getLogger("dbos").propagate = False
        database = SystemDatabase.create(
            system_database_url=self._url(),
            engine_kwargs={"pool_size": 2, "max_overflow": 1},
            engine=None,
            schema=_SCHEMA,
            serializer=DBOSPortableJSONSerializer(),
            executor_id=None,
            use_listen_notify=False,
        )
        try:
            database.run_migrations()
        finally:
            database.destroy()

    def _config(self) -> DBOSConfig:
        from dbos._serialization import DBOSPortableJSONSerializer  # noqa: PLC0415 - so

        return {
            "name": _APPLICATION,
            "system_database_url": self._url(),
            "application_version": _VERSION,
            "executor_id": self._executor_id,
            "enable_otlp": False,
            "log_level": "WARNING",
            "sys_db_pool_size": _CONNECTIONS,
            "dbos_system_schema": _SCHEMA,
            "run_migrations": False,
            # Runs wait for no messages, and a listener is a connection more that is slow to stop.
            "use_listen_notify": False,
            # Schedules are Headgate's own, so there is nothing for the engine's to look for.
            "scheduler_polling_interval_sec": 86_400.0,
            # Its default is pickle, which whoever can write to the database could have run here.
            "serializer": DBOSPortableJSONSerializer(),
        }

    def _register_queues(self) -> None:
        from dbos import DBOS  # noqa: PLC0415 - so

        bounds: dict[str, int | None] = {_SHARED_QUEUE: None}
        for workflow, bound in self._concurrency.items():
            bounds[_queue_of(workflow, self._concurrency)] = bound
        for name, at_most in bounds.items():
            DBOS.register_queue(
                name,
                worker_concurrency=min(self._per_worker, at_most or self._per_worker),
                global_concurrency=at_most,
                polling_interval_sec=_POLL_S,
                on_conflict="always_update",
            )

    def _url(self) -> str:
        return self._database.url.render_as_string(hide_password=False)


def name_of(run_id: str, leg: int) -> str:
    """What the engine calls a leg of a run: what it knew of an earlier one is not of this one."""
    return f"{run_id}.{leg}" if leg else run_id


def parts_of(name: str) -> tuple[str, int]:
    """What `name_of` was given."""
    run_id, _, leg = name.partition(".")
    return run_id, int(leg or 0)


async def once(name: str, work: Callable[[], Awaitable[T]], kind: type[T]) -> T:
    """See `Journal.once`; within a run that the engine carries."""
    from dbos import DBOS, error  # noqa: PLC0415 - see the file's first lines

    async def step() -> str:
        return msgspec.json.encode(await work()).decode()

    try:
        kept = await DBOS.run_step_async({"name": name}, step)
    except (error.DBOSWorkflowCancelledError, error.DBOSWorkflowConflictIDError) as lost:
        raise RunLostError from lost
    return msgspec.json.decode(kept, type=kind)


def _queue_of(workflow: str, concurrency: Mapping[str, int]) -> str:
    return f"runs:{workflow}" if workflow in concurrency else _SHARED_QUEUE


class _Discreet(logging.Handler):
    """Logs that and where the engine complained; its own words may quote contents or addresses.

    Of each place once a minute: while the database is away, it complains ten times a second.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said_at_s: dict[tuple[str, int], float] = {}
        """By place; there are as many as the engine has lines that complain."""

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`."""
        place, now_s = (record.module, record.lineno), time.monotonic()
        if now_s - self._said_at_s.get(place, -_SAID_AGAIN_S) < _SAID_AGAIN_S:
            return
        self._said_at_s[place] = now_s
        error = record.exc_info[1] if record.exc_info else None
        _log.log(
            record.levelno,
            "the engine of asynchronous runs complains",
            extra={
                "at": f"{record.module}:{record.lineno}",
                "raised": None if error is None else type(error).__name__,
            },
        )
