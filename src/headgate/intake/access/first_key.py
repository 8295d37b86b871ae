"""The administrator's key at the start: the environment's, one there already, or a new one."""

from __future__ import annotations

import re
import secrets
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from headgate.errors import ConfigError
from headgate.intake.access import revision
from headgate.intake.access.key import NewKey
from headgate.intake.access.keys import KEY_PREFIX, hint_of, insert_key
from headgate.intake.access.projects import DEFAULT_PROJECT, wall_clock_us
from headgate.intake.access.secret import Secret
from headgate.storage import Database
from headgate.storage.schema import keys, projects

MIN_ADMIN_KEY_CHARACTERS = 8

_PLAINTEXT = re.compile(r"[\x21-\x7e]{8,256}")
_FROM_ENVIRONMENT = "environment"
_FROM_FIRST_START = "first_start"


def ensure_admin_key(
    database: Database, secret: Secret, from_environment: str | None
) -> str | None:
    """See to it that an administrator can come in; safe when many processes start at once.

    Given a plaintext (HEADGATE_ADMIN_KEY), that is an admin key of the project `default`
    afterwards, and the one given at an earlier start, if it differs, is revoked. Given none, a key
    is made where no live admin key exists, and its plaintext returned, to be shown once. In every
    other case the answer is None. Raises `ConfigError` for a plaintext that cannot be used.
    """
    with database.begin() as connection:
        # The bump makes processes that start at the same time go through here one by one.
        revision.bump(connection)
        now_us = wall_clock_us()
        connection.execute(
            sa.text(
                "INSERT INTO projects (name, description, created_at_us)"
                " VALUES (:name, '', :now_us) ON CONFLICT (name) DO NOTHING"
            ),
            {"name": DEFAULT_PROJECT, "now_us": now_us},
        )
        if from_environment:
            _adopt(connection, secret, from_environment, now_us)
            return None
        if _has_live_admin(connection, now_us):
            return None
        plaintext = KEY_PREFIX + secrets.token_urlsafe(32)
        _insert(connection, secret, plaintext, _FROM_FIRST_START, now_us)
        return plaintext


def _adopt(connection: Connection, secret: Secret, plaintext: str, now_us: int) -> None:
    if not _PLAINTEXT.fullmatch(plaintext):
        raise ConfigError(
            f"HEADGATE_ADMIN_KEY must be {MIN_ADMIN_KEY_CHARACTERS} to 256 printable characters"
            " without spaces; better, leave it out once and keep the key that is then made"
        )
    there = connection.execute(
        keys.select().where(keys.c.hash == secret.token_digest(plaintext.encode()))
    ).one_or_none()
    if there is None:
        key_id = _insert(connection, secret, plaintext, _FROM_ENVIRONMENT, now_us)
    elif there.role != "admin":
        raise ConfigError(
            f"HEADGATE_ADMIN_KEY is the key {there.id} of role {there.role}; give one of its own"
        )
    else:
        key_id = there.id
        _revive(connection, there, now_us)
    connection.execute(
        keys.update()
        .where(
            keys.c.created_by == _FROM_ENVIRONMENT,
            keys.c.id != key_id,
            keys.c.revoked_at_us.is_(None),
        )
        .values(revoked_at_us=now_us, replaced_by=key_id)
    )


def _revive(connection: Connection, there: Row[Any], now_us: int) -> None:
    if there.revoked_at_us is not None:
        successor = connection.execute(
            keys.select().where(keys.c.id == there.replaced_by)
        ).one_or_none()
        if successor is None or successor.created_by != _FROM_ENVIRONMENT:
            # Someone revoked it on purpose; a restart must not bring a leaked key back.
            raise ConfigError(
                f"HEADGATE_ADMIN_KEY is the key {there.id}, which was revoked; give another"
            )
        connection.execute(
            keys.update().where(keys.c.id == there.id).values(revoked_at_us=None, replaced_by=None)
        )
    elif there.expires_at_us is not None and there.expires_at_us <= now_us:
        raise ConfigError(
            f"HEADGATE_ADMIN_KEY is the key {there.id}, which has expired; give another"
        )


def _has_live_admin(connection: Connection, now_us: int) -> bool:
    statement = (
        sa.select(keys.c.id)
        .join(projects, keys.c.project == projects.c.name)
        .where(
            keys.c.role == "admin",
            keys.c.revoked_at_us.is_(None),
            sa.or_(keys.c.expires_at_us.is_(None), keys.c.expires_at_us > now_us),
            projects.c.archived_at_us.is_(None),
        )
        .limit(1)
    )
    return connection.execute(statement).first() is not None


def _insert(
    connection: Connection, secret: Secret, plaintext: str, created_by: str, now_us: int
) -> str:
    return insert_key(
        connection,
        NewKey(project=DEFAULT_PROJECT, name="administrator", role="admin"),
        digest=secret.token_digest(plaintext.encode()),
        hint=hint_of(plaintext),
        created_by=created_by,
        now_us=now_us,
    ).id
