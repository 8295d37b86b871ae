"""Whose an item of a response is: a message, a call of a tool, a piece of reasoning.

The provider keeps the items of stored responses, and a later request may name one by
`{"type": "item_reference", "id": …}`. Each response has some, so they are noted after its answer,
many in one statement: what is lost where a process is killed can't be referred to, nothing more.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import OrderedDict, deque
from collections.abc import Sequence

import sqlalchemy as sa

from headgate.errors import DatabaseUnavailableError
from headgate.gateway.objects.kind import IDENTIFIER
from headgate.gateway.objects.register import Keeper
from headgate.storage import Database
from headgate.storage.insertion import insert_into
from headgate.storage.schema import response_items
from headgate.storage.threads import StorageThreads
from headgate.telemetry.faults import log_fault

_MAX_REMEMBERED = 20_000
_MAX_WAITING = 20_000
"""Items that wait to be written; beyond, the oldest are not."""
_WRITE_EVERY_S = 0.2
_MOST_IDS = 500
_WRITTEN_WITHIN_S = (0.0, 0.15, 0.4)
"""Another process's items are in the database a moment after its answer: looked for again."""

_Row = dict[str, str | int | None]


class ResponseItems:
    """The table `response_items`, and the newest of it at hand; `start` it and `stop` it."""

    def __init__(
        self, database: Database, threads: StorageThreads, *, open_to_unregistered: bool = False
    ) -> None:
        """`open_to_unregistered` lets every project name what no response here is known to have."""
        self._database = database
        self._threads = threads
        self._open = open_to_unregistered
        self._known: OrderedDict[tuple[str, str], Keeper] = OrderedDict()
        self._waiting: deque[_Row] = deque(maxlen=_MAX_WAITING)
        self._task: asyncio.Task[None] | None = None

    def remember(self, ids: Sequence[str], project: str, keeper: Keeper) -> None:
        """Note the items of a response that `project` is answered."""
        now_us = time.time_ns() // 1000
        for item_id in ids:
            if not IDENTIFIER.fullmatch(item_id):
                continue
            self._note(item_id, project, keeper)
            self._waiting.append(
                {
                    "id": item_id,
                    "provider": keeper.provider,
                    "project": project,
                    "provider_key": keeper.provider_key,
                    "created_at_us": now_us,
                }
            )

    async def keepers_of(self, ids: Sequence[str], project: str) -> dict[str, Keeper | None]:
        """Those of `ids` that `project` may name, and who keeps them; None: that isn't known.

        Raises `DatabaseUnavailableError`.
        """
        found: dict[str, Keeper | None] = {}
        others: set[str] = set()
        for pause_s in _WRITTEN_WITHIN_S:
            missing: list[str] = []
            for item_id in ids:
                keeper = self._known.get((item_id, project))
                if keeper is not None:
                    found[item_id] = keeper
                elif item_id not in others and IDENTIFIER.fullmatch(item_id):
                    missing.append(item_id)
            if not missing:
                break
            await asyncio.sleep(pause_s)
            for item_id, owner, keeper in await self._threads.begin(self._rows_of, missing):
                if owner == project:
                    found[item_id] = keeper
                    self._note(item_id, project, keeper)
                else:
                    others.add(item_id)
        if self._open:
            found |= {one: None for one in ids if one not in found and one not in others}
        return found

    def start(self) -> None:
        """Begin to write; call it on the loop."""
        self._task = asyncio.create_task(self._write(), name="headgate-response-items")

    async def stop(self) -> None:
        """Write what waits, and end."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        with contextlib.suppress(DatabaseUnavailableError):
            await self._write_waiting()

    def _note(self, item_id: str, project: str, keeper: Keeper) -> None:
        self._known[item_id, project] = keeper
        if len(self._known) > _MAX_REMEMBERED:
            self._known.popitem(last=False)

    async def _write(self) -> None:
        while True:
            await asyncio.sleep(_WRITE_EVERY_S)
            try:
                await self._write_waiting()
            except DatabaseUnavailableError:
                pass  # They wait on.
            except Exception as fault:  # noqa: BLE001 - the task must go on
                log_fault("items of responses could not be noted", fault)

    async def _write_waiting(self) -> None:
        if not self._waiting:
            return
        rows = list(self._waiting)
        # What comes while they are written is appended behind them.
        self._waiting.clear()
        try:
            await self._threads.run(self._insert, rows)
        except (DatabaseUnavailableError, asyncio.CancelledError):
            self._waiting.extendleft(reversed(rows))
            raise

    def _insert(self, rows: list[_Row]) -> None:
        with self._database.begin() as connection:
            statement = insert_into(connection, response_items).on_conflict_do_nothing()
            connection.execute(statement, rows)

    def _rows_of(self, ids: Sequence[str]) -> list[tuple[str, str, Keeper]]:
        table = response_items.c
        found: list[tuple[str, str, Keeper]] = []
        with self._database.connect() as connection:
            for start in range(0, len(ids), _MOST_IDS):
                query = sa.select(
                    table.id, table.project, table.provider, table.provider_key
                ).where(table.id.in_(ids[start : start + _MOST_IDS]))
                rows = connection.execute(query)
                found += ((r.id, r.project, Keeper(r.provider, r.provider_key)) for r in rows)
        return found
