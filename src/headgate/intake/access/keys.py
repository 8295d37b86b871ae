"""The virtual keys of one database: made, shown once, found by their hash, rotated, revoked."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from headgate.errors import ConflictError, NotFoundError
from headgate.intake.access import revision
from headgate.intake.access.key import (
    Key,
    KeyStatus,
    NewKey,
    check_expiry,
    checked,
    expiry_after_rotation,
)
from headgate.intake.access.projects import check_live, wall_clock_us
from headgate.intake.access.secret import Secret
from headgate.storage import Database
from headgate.storage.identifiers import new_id
from headgate.storage.schema import keys, projects

KEY_PREFIX = "hg_"

_SECRET_BYTES = 32
_ROTATIONS_AT_MOST = 200
"""How many are looked for, each way."""

_HINT_CHARACTERS = 4
_HINT_NEEDS_CHARACTERS = 32
"""A shorter secret, which an administrator may choose, would lose too much with its hint."""


class CreatedKey(NamedTuple):
    """A key and its secret, which is known only now."""

    key: Key
    plaintext: str


class StoredKey(NamedTuple):
    """A key as authentication needs it."""

    key: Key
    digest: bytes
    project_archived: bool
    rotated: tuple[str, ...] = ()
    """The keys that it was rotated from or to."""


class KeyStore:
    """The keys of one database. Every method blocks: call it in a thread."""

    def __init__(
        self, database: Database, secret: Secret, *, clock_us: Callable[[], int] = wall_clock_us
    ) -> None:
        self._database = database
        self._secret = secret
        self._clock_us = clock_us

    def create(self, new: NewKey, *, created_by: str, key_id: str | None = None) -> CreatedKey:
        """A new key and its secret; `InvalidRequestError` names the field that is wrong.

        `key_id`: what it is to be called, of who may ask twice; the second time it is a
        `ConflictError`.
        """
        new = checked(new, self._clock_us())
        with self._database.begin() as connection:
            revision.bump(connection)  # so of two who ask at once one waits here
            if key_id is not None and _is_there(connection, key_id):
                raise ConflictError(
                    "That key was made already, and its secret was shown then. To have another,"
                    " create it from here."
                )
            return self._insert(connection, new, created_by, key_id)

    def get(self, key_id: str) -> Key:
        """The key; `NotFoundError` where there is none."""
        with self._database.connect() as connection:
            return _get(connection, key_id)

    def list(
        self,
        *,
        project: str | None = None,
        status: KeyStatus | None = None,
        limit: int = 100,
        after: str = "",
    ) -> list[Key]:
        """At most `limit` keys, oldest first, from beyond the id `after`."""
        statement = keys.select().where(keys.c.id > after)
        if project is not None:
            statement = statement.where(keys.c.project == project)
        if status is not None:
            statement = statement.where(_has_status(status, self._clock_us()))
        with self._database.connect() as connection:
            return [
                _key(row) for row in connection.execute(statement.order_by(keys.c.id).limit(limit))
            ]

    def revoke(self, key_id: str) -> Key:
        """End the key now, on every process within 2 s; done twice it changes nothing more."""
        with self._database.begin() as connection:
            revision.bump(connection)
            _get(connection, key_id)
            connection.execute(
                keys.update()
                .where(keys.c.id == key_id, keys.c.revoked_at_us.is_(None))
                .values(revoked_at_us=self._clock_us())
            )
            return _get(connection, key_id)

    def rotate(
        self, key_id: str, *, overlap_s: int, created_by: str, expires_at_us: int | None
    ) -> CreatedKey:
        """A new key with the rights of the old, which ends after the overlap.

        `expires_at_us` is when the new one ends, None for never. Raises `ConflictError` where the
        old key no longer lives or was rotated before.
        """
        with self._database.begin() as connection:
            revision.bump(connection)
            old = _get(connection, key_id)
            now_us = self._clock_us()
            old_ends_at_us = expiry_after_rotation(old, now_us=now_us, overlap_s=overlap_s)
            check_expiry(expires_at_us, now_us)
            created = self._insert(
                connection,
                NewKey(
                    project=old.project,
                    name=old.name,
                    role=old.role,
                    models=old.models,
                    workflows=old.workflows,
                    networks=old.networks,
                    expires_at_us=expires_at_us,
                ),
                created_by,
            )
            connection.execute(
                keys.update()
                .where(keys.c.id == old.id)
                .values(expires_at_us=old_ends_at_us, replaced_by=created.key.id)
            )
            return created

    def find(self, digest: bytes) -> StoredKey | None:
        """The key whose secret has `digest`, live or not."""
        return self._stored(keys.c.hash == digest)

    def find_by_id(self, key_id: str) -> StoredKey | None:
        """The key of that id, live or not."""
        return self._stored(keys.c.id == key_id)

    def _stored(self, condition: sa.ColumnElement[bool]) -> StoredKey | None:
        statement = (
            sa.select(keys, projects.c.archived_at_us.label("project_archived_at_us"))
            .join(projects, keys.c.project == projects.c.name)
            .where(condition)
        )
        with self._database.connect() as connection:
            row = connection.execute(statement).one_or_none()
            if row is None:
                return None
            rotated = _rotated(connection, row.id)
        archived = row.project_archived_at_us is not None
        return StoredKey(_key(row), bytes(row.hash), archived, rotated)

    def revision(self) -> int:
        """A number that rises with every change to keys or projects."""
        with self._database.connect() as connection:
            return revision.current(connection)

    def _insert(
        self, connection: Connection, new: NewKey, created_by: str, key_id: str | None = None
    ) -> CreatedKey:
        check_live(connection, new.project)
        plaintext = KEY_PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
        key = insert_key(
            connection,
            new,
            digest=self._secret.token_digest(plaintext.encode()),
            hint=hint_of(plaintext),
            created_by=created_by,
            now_us=self._clock_us(),
            key_id=key_id,
        )
        return CreatedKey(key, plaintext)


def insert_key(
    connection: Connection,
    new: NewKey,
    *,
    digest: bytes,
    hint: str,
    created_by: str,
    now_us: int,
    key_id: str | None = None,
) -> Key:
    """Write a key whose description was checked; the caller has bumped the revision."""
    key = Key(
        id=key_id or new_id("key"),
        project=new.project,
        name=new.name,
        role=new.role,
        hint=hint,
        models=new.models,
        workflows=new.workflows,
        networks=new.networks,
        created_at_us=now_us,
        created_by=created_by,
        expires_at_us=new.expires_at_us,
    )
    row = msgspec.structs.asdict(key) | {
        "hash": digest,
        "models": _written(key.models),
        "workflows": _written(key.workflows),
        "networks": _written(key.networks),
    }
    connection.execute(keys.insert().values(row))
    return key


def hint_of(plaintext: str) -> str:
    """The last characters of a secret, or none where that would give away too much of it."""
    return plaintext[-_HINT_CHARACTERS:] if len(plaintext) >= _HINT_NEEDS_CHARACTERS else ""


def _is_there(connection: Connection, key_id: str) -> bool:
    statement = sa.select(keys.c.id).where(keys.c.id == key_id)
    return connection.execute(statement).one_or_none() is not None


def _get(connection: Connection, key_id: str) -> Key:
    row = connection.execute(keys.select().where(keys.c.id == key_id)).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no key `{key_id}` here.", param="id")
    return _key(row)


def _has_status(status: KeyStatus, now_us: int) -> sa.ColumnElement[bool]:
    if status == "revoked":
        return keys.c.revoked_at_us.is_not(None)
    expired = sa.and_(keys.c.expires_at_us.is_not(None), keys.c.expires_at_us <= now_us)
    return sa.and_(
        keys.c.revoked_at_us.is_(None), expired if status == "expired" else sa.not_(expired)
    )


def _rotated(connection: Connection, key_id: str) -> tuple[str, ...]:
    """The keys before and after it, as it was rotated again and again, the newest first."""
    found = {key_id}
    for _ in range(_ROTATIONS_AT_MOST):
        links = connection.execute(
            sa.select(keys.c.id, keys.c.replaced_by).where(
                keys.c.replaced_by.is_not(None),
                keys.c.id.in_(found) | keys.c.replaced_by.in_(found),
            )
        ).all()
        known, found = found, found | {one for link in links for one in link}
        if found == known:
            break
    return tuple(sorted(found - {key_id}, reverse=True))


def _key(row: Row[Any]) -> Key:
    return Key(
        id=row.id,
        project=row.project,
        name=row.name,
        role=row.role,
        hint=row.hint,
        models=_read(row.models),
        workflows=_read(row.workflows),
        networks=_read(row.networks),
        created_at_us=row.created_at_us,
        created_by=row.created_by,
        expires_at_us=row.expires_at_us,
        revoked_at_us=row.revoked_at_us,
        replaced_by=row.replaced_by,
    )


def _written(values: tuple[str, ...]) -> str:
    return msgspec.json.encode(values).decode()


def _read(text: str) -> tuple[str, ...]:
    return msgspec.json.decode(text, type=tuple[str, ...])
