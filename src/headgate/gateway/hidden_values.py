"""What was hidden in the earlier turns of a conversation that the provider keeps.

A client that sends the whole conversation each time needs none of this: the same values get the
same placeholders. One that goes on from a stored response doesn't send them again, but the model
may speak of them.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections import OrderedDict

import sqlalchemy as sa

from headgate.checks.redaction.mapping import Mapping
from headgate.checks.redaction.sealing import Seal
from headgate.errors import HeadgateError
from headgate.storage import Database
from headgate.storage.insertion import insert_into
from headgate.storage.redaction_tables import redaction_mappings
from headgate.storage.threads import StorageThreads

_log = logging.getLogger(__name__)

_REMEMBERED = 1_000
"""Conversations whose mappings are held in memory; the one unused longest goes first."""

_KEPT_S = 30 * 86_400
"""As long as OpenAI keeps a response; a conversation that goes on begins it anew."""

_SWEEP_EVERY = 256
"""How many are written between two sweeps of what has expired."""


class HiddenValues:
    """Remembers mappings by conversation: in memory, and encrypted in the database."""

    def __init__(self, database: Database, threads: StorageThreads, seal: Seal) -> None:
        self._database = database
        self._threads = threads
        self._seal = seal
        self._known: OrderedDict[str, Mapping] = OrderedDict()
        self._written = 0

    async def find(self, project: str, conversation: str) -> Mapping:
        """What was hidden in `conversation` so far: an id of a response or of a conversation.

        Raises `DatabaseUnavailableError` where that can't be found out.
        """
        name = _name(project, conversation)
        known = self._known.get(name)
        if known is None:
            data = await self._threads.begin(self._read, name)
            known = None if data is None else self._seal.opened(data, name)
        # A copy: a turn that fails must not change what its conversation knows.
        return Mapping(known.issued()) if known is not None else Mapping()

    async def remember(
        self, project: str, conversation: str, mapping: Mapping, *, grows: bool = True
    ) -> None:
        """Keep `mapping` for the next turn; where the database is away, in memory alone.

        `grows`: what is named may get more turns, in any process, as a response does not.
        """
        name = _name(project, conversation)
        self._known[name] = mapping
        self._known.move_to_end(name)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        try:
            await self._threads.begin(self._write, name, self._seal.sealed(mapping, name))
        except HeadgateError as error:
            _log.warning("what was hidden from a model is in memory alone: %s", error.code)
        else:
            if grows:
                # With what is remembered here, another value would get the same placeholder as
                # one that another process has hidden since.
                self._known.pop(name, None)

    def _read(self, name: str) -> bytes | None:
        table = redaction_mappings
        query = sa.select(table.c.sealed).where(
            table.c.id == name, table.c.expires_at_us > _now_us()
        )
        with self._database.connect() as connection:
            found: bytes | None = connection.execute(query).scalar()
            return found

    def _write(self, name: str, sealed: bytes) -> None:
        table, now_us = redaction_mappings, _now_us()
        self._written += 1
        with self._database.begin() as connection:
            written = {"sealed": sealed, "expires_at_us": now_us + _KEPT_S * 1_000_000}
            insert = insert_into(connection, table).values(id=name, **written)
            connection.execute(insert.on_conflict_do_update(index_elements=["id"], set_=written))
            if self._written % _SWEEP_EVERY == 0:
                connection.execute(sa.delete(table).where(table.c.expires_at_us <= now_us))


def _name(project: str, conversation: str) -> str:
    return hashlib.sha256(f"{project}\n{conversation}".encode()).hexdigest()


def _now_us() -> int:
    return time.time_ns() // 1000
