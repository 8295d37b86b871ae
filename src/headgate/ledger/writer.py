"""Carries records from the event loop to the database, in batches, and loses none.

One writer with one thread a process. A record waits in memory until its batch is committed: what
that means for a process that is killed is told in docs/decisions.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from time import monotonic

import sqlalchemy as sa

from headgate.config.settings import LedgerSettings
from headgate.errors import DatabaseUnavailableError
from headgate.ledger.dead_records import bury, takes_others
from headgate.ledger.record import CallRecord
from headgate.ledger.rows import fitted, insert_attempts, insert_calls
from headgate.storage import Database
from headgate.storage.schema import calls

_log = logging.getLogger(__name__)

_BATCH_RECORDS = 5000
"""Most records in one transaction."""
_FIRST_RETRY_S = 0.1
_LONGEST_RETRY_S = 2.0
_DURABLE_PATIENCE_S = 5.0
"""How long a caller of `append_durable` waits for a database that is away."""
_HEALTHY_LAG_S = 5.0

_Entry = tuple[float, CallRecord, "asyncio.Future[None] | None"]
"""When it was appended, the record, and who waits for it."""


class LedgerWriter:
    """A queue of records and the thread that writes them.

    The queue's bound refuses new calls, through `full`; it never drops the record of a call that
    was let in. Those that are refused then are counted, and leave no record.
    """

    def __init__(
        self,
        database: Database,
        settings: LedgerSettings,
        on_batch: Callable[[list[CallRecord]], None],
    ) -> None:
        """`on_batch` is called on the writer's thread with each batch, once it is committed."""
        self._database = database
        self._interval_s = settings.flush_interval_ms / 1000
        self._bound_records = settings.queue_records
        self._on_batch = on_batch
        # The event loop only ever appends to the one, the thread alone owns the other: so neither
        # needs a lock.
        self._waiting: deque[_Entry] = deque()
        self._backlog: list[_Entry] = []
        self._elsewhere: deque[CallRecord] = deque()
        self._wake = threading.Event()
        self._abandon = threading.Event()
        self._stopping = False
        self._failing = False
        self._dead: set[str] = set()
        self.dead_records = 0
        """How many records the database refused for what they are; they stand in the log."""
        self.unrecorded = 0
        """How many calls were refused, and not recorded, because the queue was full."""
        self._told_unrecorded = 0
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)

    def start(self) -> None:
        """Begin to write; what was appended before is written too."""
        self._thread.start()

    def append(self, record: CallRecord) -> None:
        """Hand in the record of a finished call; it is committed within the flush interval."""
        self._waiting.append((monotonic(), record, None))

    def append_durable(self, record: CallRecord) -> asyncio.Future[None]:
        """Hand in a record and learn when it is committed; call it on an event loop.

        Where the database is away for 5 s the future raises `DatabaseUnavailableError`; the record
        is kept and written all the same.
        """
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((monotonic(), record, future))
        self._wake.set()
        return future

    def note_unrecorded(self) -> None:
        """Count a call that was refused while the queue was full; it leaves no record."""
        self.unrecorded += 1

    def note_written(self, record: CallRecord) -> None:
        """Hand in a record that was committed elsewhere: what follows a batch follows it too."""
        self._elsewhere.append(record)

    @property
    def pending(self) -> int:
        """How many records are not written yet."""
        return len(self._waiting) + len(self._backlog)

    @property
    def full(self) -> bool:
        """Whether the queue has reached its bound, so that new calls must be refused."""
        return len(self._waiting) + len(self._backlog) >= self._bound_records

    @property
    def lag_s(self) -> float:
        """The age of the oldest record that is not written yet; 0 if there is none."""
        for queue in (self._backlog, self._waiting):
            try:
                return monotonic() - queue[0][0]
            except IndexError:
                continue
        return 0.0

    @property
    def healthy(self) -> bool:
        """Whether records reach the database."""
        return self._thread.is_alive() and not self._failing and self.lag_s < _HEALTHY_LAG_S

    def close(self, timeout_s: float) -> int:
        """Write what is left, for at most `timeout_s`; return how many records remain unwritten.

        Nothing may be appended afterwards. Blocks: call it in a thread where a loop must go on.
        """
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        self._abandon.set()
        left = self.pending
        if left:
            _log.error("%d records of calls could not be written before the stop", left)
            _settle([*self._backlog, *self._waiting], committed=False)
        return left

    def _run(self) -> None:
        while not self._abandon.is_set():
            due = monotonic() + self._interval_s
            # In this order: who appends after the queue is taken finds the flag down and sets it.
            self._wake.clear()
            # Read before the queue is taken, so that the last round comes after the last append.
            stopping = self._stopping
            self._take()
            self._write_backlog()
            if self._elsewhere:
                self._tell([self._elsewhere.popleft() for _ in range(len(self._elsewhere))])
            if stopping:
                return
            self._wake.wait(max(0.0, due - monotonic()))

    def _take(self) -> None:
        for _ in range(len(self._waiting)):
            self._backlog.append(self._waiting.popleft())

    def _write_backlog(self) -> None:
        may_exist = False
        retry_s = _FIRST_RETRY_S
        while self._backlog and not self._abandon.is_set():
            batch = self._backlog[:_BATCH_RECORDS]
            try:
                written = self._store([entry[1] for entry in batch], may_exist=may_exist)
            except Exception as error:  # noqa: BLE001 - whatever it was, the records are kept
                self._failed(error)
                # The connection may have died after the commit was sent: who knows whether it was
                # carried out.
                may_exist = True
                self._abandon.wait(retry_s)
                retry_s = min(retry_s * 2, _LONGEST_RETRY_S)
            else:
                self._succeeded(batch, written)
                may_exist = False
                retry_s = _FIRST_RETRY_S

    def _store(self, records: list[CallRecord], *, may_exist: bool) -> list[CallRecord]:
        """Commit `records` and return those that are in the ledger now for the first time."""
        try:
            self._commit(records, may_exist=may_exist)
        except DatabaseUnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - drivers refuse a value in many ways
            # Something in the batch is more than a column holds, or is there already. The parts
            # that are committed below may have to be written again if a later one fails.
            _log.warning(
                "a batch of %d records was refused by the database (%s); its records are made to"
                " fit and written in smaller parts",
                len(records),
                type(error).__name__,
            )
            return self._store_divided(records, may_exist=may_exist)
        return records

    def _store_divided(self, records: list[CallRecord], *, may_exist: bool) -> list[CallRecord]:
        try:
            self._commit([fitted(record) for record in records], may_exist=may_exist)
        except DatabaseUnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - see `_store`
            if len(records) == 1:
                self._refused(records[0], error)
                return []
            half = len(records) // 2
            return self._store_divided(records[:half], may_exist=may_exist) + self._store_divided(
                records[half:], may_exist=may_exist
            )
        return records

    def _refused(self, record: CallRecord, error: Exception) -> None:
        """Give `record` up where there is something wrong with it, not with the database."""
        if record.id in self._dead:
            return
        if isinstance(error, sa.exc.IntegrityError) and self._is_there(record):
            _log.error("call %s is in the ledger already; not written again", record.id)
            return
        if not takes_others(self._database):
            raise error
        self._dead.add(record.id)
        self.dead_records += 1
        bury(record, error)

    def _is_there(self, record: CallRecord) -> bool:
        with self._database.connect() as connection:
            found = connection.execute(sa.select(calls.c.id).where(calls.c.id == record.id))
            return found.first() is not None

    def _commit(self, records: list[CallRecord], *, may_exist: bool) -> None:
        with self._database.begin() as connection:
            insert_calls(connection, records, may_exist=may_exist)
            insert_attempts(connection, records, may_exist=may_exist)

    def _succeeded(self, batch: list[_Entry], written: list[CallRecord]) -> None:
        del self._backlog[: len(batch)]
        if self._failing:
            self._failing = False
            _log.warning("the ledger is written again; %d records still wait", self.pending)
        if self.unrecorded > self._told_unrecorded and not self.full:
            since, self._told_unrecorded = self._told_unrecorded, self.unrecorded
            _log.warning(
                "%d calls were refused without a record while the ledger's queue was full",
                self._told_unrecorded - since,
            )
        if self._dead:
            _settle((entry for entry in batch if entry[1].id in self._dead), committed=False)
            batch = [entry for entry in batch if entry[1].id not in self._dead]
            self._dead.clear()
        _settle(batch, committed=True)
        self._tell(written)

    def _tell(self, written: list[CallRecord]) -> None:
        try:
            self._on_batch(written)
        except Exception:  # noqa: BLE001 - metrics and log lines must not end the writing
            _log.exception("what follows a batch of the ledger failed; the records are safe")

    def _failed(self, error: Exception) -> None:
        if not self._failing:
            self._failing = True
            _log.error(
                "the ledger cannot be written (%s); %d records wait and are tried again",
                error if isinstance(error, DatabaseUnavailableError) else type(error).__name__,
                self.pending,
            )
        self._take()
        overdue = monotonic() - _DURABLE_PATIENCE_S
        _settle((entry for entry in self._backlog if entry[0] < overdue), committed=False)


def _settle(entries: Iterable[_Entry], *, committed: bool) -> None:
    """Tell those who wait for `entries`, on their own loops, each loop woken once."""
    by_loop: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for _, _, future in entries:
        if future is not None:
            by_loop.setdefault(future.get_loop(), []).append(future)
    for loop, futures in by_loop.items():
        # A loop that is closed has nobody left who waits.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_resolve, futures, committed)


def _resolve(futures: list[asyncio.Future[None]], committed: bool) -> None:  # noqa: FBT001 - a loop's callback takes positions
    for future in futures:
        if future.done():
            continue
        if committed:
            future.set_result(None)
        else:
            future.set_exception(
                DatabaseUnavailableError("The call's record could not be made durable in time.")
            )
