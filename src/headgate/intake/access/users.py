"""The people who sign in to the console with a name and a password: made, listed, disabled."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from headgate.errors import ConflictError, InvalidRequestError, NotFoundError
from headgate.gateway.caller import Role
from headgate.intake.access.passwords import hashed, matches
from headgate.intake.access.projects import check_live, wall_clock_us
from headgate.intake.access.roles import RIGHTS
from headgate.storage import Database
from headgate.storage.console_tables import sessions, users
from headgate.storage.identifiers import new_id
from headgate.storage.schema import projects

_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")
_MOST_USERS = 10_000


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A person as stored, without the password. Times are microseconds since 1970 UTC."""

    id: str
    name: str
    project: str
    role: Role
    created_at_us: int
    disabled_at_us: int | None = None


def may_sign_in(role: Role) -> bool:
    """Whether keys and users of `role` may use the console: all but applications."""
    return RIGHTS[role].reach != "key"


class UserStore:
    """The users of one database. Every method blocks: call it in a thread."""

    def __init__(self, database: Database, *, clock_us: Callable[[], int] = wall_clock_us) -> None:
        self._database = database
        self._clock_us = clock_us

    def create(self, name: str, password: str, *, role: Role, project: str) -> User:
        """A new user; `InvalidRequestError` names what is wrong, `ConflictError` a name in use."""
        if not _NAME.fullmatch(name):
            raise InvalidRequestError(
                "`name`: write 1 to 64 lower-case letters, digits or `._@+-`, beginning with a"
                " letter or digit.",
                param="name",
            )
        if not may_sign_in(role):
            raise InvalidRequestError(
                f"`role`: {role} is for applications; give a person another.", param="role"
            )
        encoded = hashed(password)
        user = User(
            id=new_id("user"), name=name, project=project, role=role, created_at_us=self._clock_us()
        )
        try:
            with self._database.begin() as connection:
                check_live(connection, project)
                connection.execute(
                    users.insert().values(msgspec.structs.asdict(user) | {"password_hash": encoded})
                )
        except sa.exc.IntegrityError:
            raise ConflictError(
                f"There is a user `{name}` already; give it another password with"
                f" `headgate users password {name}`."
            ) from None
        return user

    def list(self) -> list[User]:
        """All users by name, at most 10,000."""
        with self._database.connect() as connection:
            rows = connection.execute(users.select().order_by(users.c.name).limit(_MOST_USERS))
            return [_user(row) for row in rows]

    def disable(self, name: str) -> User:
        """Sign the user out everywhere and let nobody in by that name; again changes nothing."""
        with self._database.begin() as connection:
            user = _named(connection, name)
            connection.execute(
                users.update()
                .where(users.c.id == user.id, users.c.disabled_at_us.is_(None))
                .values(disabled_at_us=self._clock_us())
            )
            connection.execute(sessions.delete().where(sessions.c.holder == user.id))
            return _named(connection, name)

    def set_password(self, name: str, password: str) -> User:
        """Give the user another password, sign them out everywhere and let them in again."""
        encoded = hashed(password)
        with self._database.begin() as connection:
            user = _named(connection, name)
            connection.execute(
                users.update()
                .where(users.c.id == user.id)
                .values(password_hash=encoded, disabled_at_us=None)
            )
            connection.execute(sessions.delete().where(sessions.c.holder == user.id))
            return _named(connection, name)

    def verified(self, name: str, password: str) -> User | None:
        """The user, if name and password are theirs and they may sign in; else None."""
        row = None
        if _NAME.fullmatch(name):  # what is no name may be what no database takes
            with self._database.connect() as connection:
                row = connection.execute(_select().where(users.c.name == name)).one_or_none()
        if not matches(None if row is None else row.password_hash, password) or row is None:
            return None
        return _user(row) if _usable(row) else None

    def find(self, user_id: str) -> User | None:
        """The user of that id, if they may sign in."""
        with self._database.connect() as connection:
            row = connection.execute(_select().where(users.c.id == user_id)).one_or_none()
        return _user(row) if row is not None and _usable(row) else None


def _select() -> sa.Select[Any]:
    return sa.select(users, projects.c.archived_at_us).join(
        projects, users.c.project == projects.c.name
    )


def _usable(row: Row[Any]) -> bool:
    return row.disabled_at_us is None and row.archived_at_us is None


def _named(connection: Connection, name: str) -> User:
    row = connection.execute(users.select().where(users.c.name == name)).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no user `{name[:64]}` here.", param="name")
    return _user(row)


def _user(row: Row[Any]) -> User:
    return User(
        id=row.id,
        name=row.name,
        project=row.project,
        role=row.role,
        created_at_us=row.created_at_us,
        disabled_at_us=row.disabled_at_us,
    )
