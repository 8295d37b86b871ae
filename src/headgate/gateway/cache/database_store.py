"""Answers kept in Headgate's own database, bounded in bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa

from headgate.gateway.cache.clearing import Clearing
from headgate.gateway.cache.entry import Entry, packed, unpacked
from headgate.gateway.cache.store import StoreSize
from headgate.storage import Database
from headgate.storage.insertion import insert_into
from headgate.storage.schema import cached_answers
from headgate.storage.threads import StorageThreads

T = TypeVar("T")

_KEYS_A_STATEMENT = 500
_ROWS_A_STATEMENT = 100
_DROPPED_AT_ONCE = 200

_column = cached_answers.c


class DatabaseStore:
    """The table `cached_answers`."""

    def __init__(self, database: Database, threads: StorageThreads, max_bytes: int) -> None:
        self._database = database
        self._threads = threads
        self._max_bytes = max_bytes

    async def get_many(self, keys: Sequence[bytes]) -> dict[bytes, Entry]:
        """See `AnswerStore`."""
        return await self._threads.begin(self._get_many, keys)

    async def put_many(self, entries: Sequence[tuple[bytes, Entry]]) -> None:
        """See `AnswerStore`."""
        await self._threads.run(self._put_many, entries)

    async def discard(self, keys: Sequence[bytes]) -> None:
        """See `AnswerStore`."""
        await self._threads.run(self._discard, keys)

    async def clear(self, clearing: Clearing) -> int:
        """See `AnswerStore`."""
        return await self._threads.run(self._clear, clearing)

    async def sweep(self, now_us: int) -> None:
        """See `AnswerStore`."""
        await self._threads.run(self._sweep, now_us)

    async def size(self) -> StoreSize:
        """See `AnswerStore`."""
        return await self._threads.run(self._size)

    async def close(self) -> None:
        """See `AnswerStore`; the database and the threads are whoever's who lent them."""

    def _get_many(self, keys: Sequence[bytes]) -> dict[bytes, Entry]:
        found = {}
        with self._database.connect() as connection:
            for some in _cut(keys, _KEYS_A_STATEMENT):
                query = sa.select(_column.key, _column.answer).where(_column.key.in_(some))
                for key, answer in connection.execute(query):
                    if (entry := unpacked(answer)) is not None:
                        found[bytes(key)] = entry
        return found

    def _put_many(self, entries: Sequence[tuple[bytes, Entry]]) -> None:
        # In the order of the keys, so that two processes never wait for each other's rows.
        rows = [_row(key, entry) for key, entry in sorted(dict(entries).items())]
        with self._database.begin() as connection:
            for some in _cut(rows, _ROWS_A_STATEMENT):
                statement = insert_into(connection, cached_answers).values(list(some))
                changed = {
                    column.name: statement.excluded[column.name]
                    for column in cached_answers.columns
                    if not column.primary_key
                }
                connection.execute(
                    statement.on_conflict_do_update(index_elements=["key"], set_=changed)
                )

    def _discard(self, keys: Sequence[bytes]) -> None:
        with self._database.begin() as connection:
            for some in _cut(keys, _KEYS_A_STATEMENT):
                connection.execute(sa.delete(cached_answers).where(_column.key.in_(some)))

    def _clear(self, clearing: Clearing) -> int:
        conditions: list[sa.ColumnElement[bool]] = [_column.asked_at_us <= clearing.at_us]
        if clearing.project is not None:
            conditions.append(_column.project == clearing.project)
        if clearing.workflow is not None:
            conditions.append(_column.workflow == clearing.workflow)
        if clearing.prefix is not None:
            conditions.append(_column.model.startswith(clearing.prefix, autoescape=True))
        if clearing.tag is not None:
            conditions.append(_column.tags.contains(f" {clearing.tag} ", autoescape=True))
        with self._database.begin() as connection:
            return connection.execute(sa.delete(cached_answers).where(*conditions)).rowcount

    def _sweep(self, now_us: int) -> None:
        with self._database.begin() as connection:
            connection.execute(sa.delete(cached_answers).where(_column.usable_until_us <= now_us))
        while self._total_bytes() > self._max_bytes:
            ending_first = (
                sa.select(_column.key).order_by(_column.usable_until_us).limit(_DROPPED_AT_ONCE)
            )
            with self._database.begin() as connection:
                # The smallest number of rows that brings it below its bound would have to be
                # counted; some too many do no harm.
                connection.execute(sa.delete(cached_answers).where(_column.key.in_(ending_first)))

    def _total_bytes(self) -> int:
        with self._database.connect() as connection:
            found = connection.scalar(sa.select(sa.func.sum(_column.size_bytes)))
        return int(found or 0)

    def _size(self) -> StoreSize:
        query = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(_column.size_bytes), 0))
        with self._database.connect() as connection:
            entries, size_bytes = connection.execute(query).one()
        return StoreSize(int(entries), int(size_bytes))


def _row(key: bytes, entry: Entry) -> dict[str, Any]:
    answer = packed(entry)
    return {
        "key": key,
        "project": entry.project,
        "workflow": entry.workflow,
        "model": entry.model[:256],
        "tags": f" {' '.join(entry.tags)} " if entry.tags else "",
        "asked_at_us": entry.asked_at_us,
        "usable_until_us": entry.usable_until_us,
        "size_bytes": len(answer),
        "answer": answer,
    }


def _cut(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]
