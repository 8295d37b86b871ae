"""Whose an object is, and which provider keeps it, by which of its keys.

All projects share a provider's account, so the provider would show any of them every object:
Headgate lets a project reach only what it made.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from headgate.errors import InvalidRequestError, NotFoundError
from headgate.gateway.objects.kind import IDENTIFIER, Kind
from headgate.gateway.objects.references import Reference
from headgate.storage import Database
from headgate.storage.insertion import insert_into
from headgate.storage.schema import objects
from headgate.storage.threads import StorageThreads

_MAX_REMEMBERED = 10_000
_MOST_IDS = 500
"""Identifiers asked for in one statement."""


class Keeper(msgspec.Struct, frozen=True):
    """Who can be asked about an object."""

    provider: str
    provider_key: str | None = None
    """The name of the provider's key that it was made with; None: there was but one."""

    def __str__(self) -> str:
        return (
            self.provider if self.provider_key is None else f"{self.provider}/{self.provider_key}"
        )


class OwnedObject(msgspec.Struct, frozen=True, kw_only=True):
    """An object that a project made."""

    kind: Kind
    id: str
    provider: str
    project: str
    key_id: str
    provider_key: str | None = None


class ObjectRegister:
    """The table `objects`, and the newest of it at hand."""

    def __init__(
        self, database: Database, threads: StorageThreads, *, open_to_unregistered: bool = False
    ) -> None:
        """`open_to_unregistered` lets every project reach what no project made through Headgate."""
        self._database = database
        self._threads = threads
        self.open_to_unregistered = open_to_unregistered
        self._keepers: OrderedDict[tuple[Kind, str, str], Keeper] = OrderedDict()

    async def keeper_of(self, kind: Kind, object_id: str, project: str) -> Keeper | None:
        """Who keeps the object; None: it isn't known, and open to all.

        Raises `NotFoundError` unless it is `project`'s; that of others looks like that of nobody.
        """
        keeper = self._keepers.get((kind, object_id, project))
        if keeper is not None:
            return keeper
        owners: dict[str, Keeper] = {}
        if IDENTIFIER.fullmatch(object_id):
            owners = await self._threads.begin(self._owners, kind, object_id)
        if project in owners:
            self._note(kind, object_id, project, owners[project])
            return owners[project]
        if self.open_to_unregistered and not owners:
            return None
        raise NotFoundError(
            f"There is no {kind.replace('_', ' ')} `{object_id[:64]}` that this project made"
            " through Headgate.",
            param="id",
            code="object_not_found",
        )

    async def keeper_of_named(self, named: Reference, project: str) -> Keeper | None:
        """As `keeper_of`, for what a body names: there it is the body that is wrong."""
        try:
            return await self.keeper_of(named.kind, named.id, project)
        except NotFoundError as error:
            raise InvalidRequestError(
                error.message, param=named.field, code="object_not_found"
            ) from None

    async def remember(self, made: Sequence[OwnedObject]) -> None:
        """Note whose these are, unless that is noted already; then it stays as it is."""
        new = [one for one in made if (one.kind, one.id, one.project) not in self._keepers]
        if not new:
            return
        await self._threads.run(self._insert, new)
        for one in new:
            keeper = Keeper(one.provider, one.provider_key)
            self._note(one.kind, one.id, one.project, keeper)

    async def forget(self, kind: Kind, object_id: str, project: str) -> None:
        """Note that an object is gone."""
        self._keepers.pop((kind, object_id, project), None)
        await self._threads.run(self._delete, kind, object_id, project)

    async def keepers_of(self, kind: Kind, project: str) -> dict[Keeper, int]:
        """Who keeps objects of `kind` of `project`, and how many each."""
        return await self._threads.begin(self._keepers_of, kind, project)

    async def keepers_among(
        self, kind: Kind, ids: Sequence[str], project: str
    ) -> dict[str, Keeper | None]:
        """Those of `ids` that `project` may name, and who keeps them; None as in `keeper_of`."""
        known = [one for one in ids if IDENTIFIER.fullmatch(one)]
        rows = await self._threads.begin(self._rows_of, kind, known)
        found: dict[str, Keeper | None] = {}
        if self.open_to_unregistered:
            others = {object_id for object_id, _, _ in rows}
            found = {one: None for one in known if one not in others}
        return found | {object_id: keeper for object_id, owner, keeper in rows if owner == project}

    async def owners_among(self, kind: Kind, provider: str, ids: Sequence[str]) -> dict[str, str]:
        """Of those of `ids` that are registered, the project."""
        return await self._threads.begin(self._projects, kind, provider, ids)

    def _note(self, kind: Kind, object_id: str, project: str, keeper: Keeper) -> None:
        self._keepers[kind, object_id, project] = keeper
        if len(self._keepers) > _MAX_REMEMBERED:
            self._keepers.popitem(last=False)

    def _owners(self, kind: Kind, object_id: str) -> dict[str, Keeper]:
        query = sa.select(objects.c.project, objects.c.provider, objects.c.provider_key).where(
            objects.c.id == object_id, objects.c.kind == kind
        )
        with self._database.connect() as connection:
            rows = connection.execute(query)
            return {row.project: Keeper(row.provider, row.provider_key) for row in rows}

    def _insert(self, made: list[OwnedObject]) -> None:
        now_us = time.time_ns() // 1000
        rows = [msgspec.structs.asdict(one) | {"created_at_us": now_us} for one in made]
        with self._database.begin() as connection:
            connection.execute(insert_into(connection, objects).on_conflict_do_nothing(), rows)

    def _delete(self, kind: Kind, object_id: str, project: str) -> None:
        statement = sa.delete(objects).where(
            objects.c.id == object_id, objects.c.kind == kind, objects.c.project == project
        )
        with self._database.begin() as connection:
            connection.execute(statement)

    def _keepers_of(self, kind: Kind, project: str) -> dict[Keeper, int]:
        keeper = objects.c.provider, objects.c.provider_key
        query = (
            sa.select(*keeper, sa.func.count().label("objects"))
            .where(objects.c.project == project, objects.c.kind == kind)
            .group_by(*keeper)
        )
        with self._database.connect() as connection:
            rows = connection.execute(query)
            return {Keeper(row.provider, row.provider_key): row.objects for row in rows}

    def _rows_of(self, kind: Kind, ids: Sequence[str]) -> list[tuple[str, str, Keeper]]:
        columns = objects.c.id, objects.c.project, objects.c.provider, objects.c.provider_key
        found: list[tuple[str, str, Keeper]] = []
        with self._database.connect() as connection:
            for start in range(0, len(ids), _MOST_IDS):
                some = ids[start : start + _MOST_IDS]
                query = sa.select(*columns).where(objects.c.kind == kind, objects.c.id.in_(some))
                rows = connection.execute(query)
                found += ((r.id, r.project, Keeper(r.provider, r.provider_key)) for r in rows)
        return found

    def _projects(self, kind: Kind, provider: str, ids: Sequence[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        with self._database.connect() as connection:
            for start in range(0, len(ids), _MOST_IDS):
                query = sa.select(objects.c.id, objects.c.project).where(
                    objects.c.kind == kind,
                    objects.c.provider == provider,
                    objects.c.id.in_(ids[start : start + _MOST_IDS]),
                )
                found |= {row.id: row.project for row in connection.execute(query)}
        return found
