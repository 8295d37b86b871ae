"""Users of the console: their passwords, their names, and that they can be shut out."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from headgate.errors import ConflictError, InvalidRequestError, NotFoundError
from headgate.intake.access.passwords import hashed, matches
from headgate.intake.access.projects import ProjectStore
from headgate.intake.access.users import UserStore
from headgate.storage import Database
from headgate.storage.console_tables import users

PASSWORD = "correct horse battery"


@pytest.fixture
def store(database: Database) -> UserStore:
    """Users of a database with two projects."""
    ProjectStore(database).ensure({"default": "", "support": ""})
    return UserStore(database)


def test_only_the_right_password_of_a_user_who_is_not_disabled_is_verified(store: UserStore):
    made = store.create("maria", PASSWORD, role="reviewer", project="support")
    assert store.verified("maria", PASSWORD) == made
    for name, password in (("maria", PASSWORD + " "), ("maria", ""), ("mari", PASSWORD),
                           ("maria", "x" * 100_000), ("", "")):  # fmt: skip
        assert store.verified(name, password) is None
    assert store.find(made.id) == made
    store.disable("maria")
    assert store.verified("maria", PASSWORD) is None
    assert store.find(made.id) is None
    assert store.disable("maria").disabled_at_us == store.list()[0].disabled_at_us
    store.set_password("maria", "another long one")
    assert store.verified("maria", PASSWORD) is None
    assert store.verified("maria", "another long one") is not None


def test_the_database_has_an_argon2id_hash_and_not_the_password(
    store: UserStore, database: Database
):
    store.create("maria", PASSWORD, role="reviewer", project="support")
    store.create("paul", PASSWORD, role="reviewer", project="support")
    with database.connect() as connection:
        found = list(connection.execute(sa.select(users.c.password_hash)).scalars())
    assert len(set(found)) == 2, "each has a salt of its own"
    assert all(text.startswith("$argon2id$v=19$m=19456,t=2,p=1$") for text in found)


def test_a_user_whose_project_is_archived_is_out(store: UserStore, database: Database):
    made = store.create("maria", PASSWORD, role="reviewer", project="support")
    ProjectStore(database).archive("support")
    assert store.verified("maria", PASSWORD) is None
    assert store.find(made.id) is None


@pytest.mark.parametrize(
    ("name", "password", "role", "project", "param"),
    [
        ("Maria", PASSWORD, "reviewer", "support", "name"),
        ("", PASSWORD, "reviewer", "support", "name"),
        ("a b", PASSWORD, "reviewer", "support", "name"),
        ("x" * 65, PASSWORD, "reviewer", "support", "name"),
        ("maria", "short", "reviewer", "support", "password"),
        ("maria", "x" * 257, "reviewer", "support", "password"),
        ("maria", PASSWORD, "app", "support", "role"),
        ("maria", PASSWORD, "reviewer", "nowhere", "project"),
    ],
)
def test_a_user_that_is_described_wrongly_is_refused_and_the_field_named(
    store: UserStore, name: str, password: str, role, project: str, param: str
):
    with pytest.raises(InvalidRequestError) as caught:
        store.create(name, password, role=role, project=project)
    assert caught.value.param == param
    assert store.list() == []


def test_a_name_is_one_persons(store: UserStore):
    store.create("maria", PASSWORD, role="reviewer", project="support")
    with pytest.raises(ConflictError, match="headgate users password maria"):
        store.create("maria", PASSWORD, role="admin", project="default")
    for act in (store.disable, lambda name: store.set_password(name, PASSWORD)):
        with pytest.raises(NotFoundError):
            act("nobody")


def test_passwords_are_checked_one_after_the_other_and_all_of_them_right():
    encoded = hashed(PASSWORD)
    found: list[bool] = []
    threads = [
        threading.Thread(target=lambda p=p: found.append(matches(encoded, p)))
        for p in (PASSWORD, "no", PASSWORD, "\ud800")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [False, False, True, True]
    assert not matches(None, "the password that nobody has")
    assert not matches("not a hash", PASSWORD)
