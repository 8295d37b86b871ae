"""What the key and project stores promise, on both databases."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from headgate.errors import ConflictError, InvalidRequestError, NotFoundError
from headgate.intake.access.key import NewKey
from headgate.intake.access.keys import KeyStore
from headgate.intake.access.projects import ProjectStore
from headgate.intake.access.secret import Secret, load_secret
from headgate.storage import Database
from headgate.storage.schema import metadata

DAY_US = 86_400_000_000


@pytest.fixture
def secret(database: Database) -> Secret:
    return load_secret(database, None)


@pytest.fixture
def projects(database: Database) -> ProjectStore:
    projects = ProjectStore(database)
    projects.ensure({"default": "", "support": "Customer support"})
    return projects


@pytest.fixture
def keys(database: Database, secret: Secret, projects: ProjectStore) -> KeyStore:
    return KeyStore(database, secret)


def new(**fields) -> NewKey:
    return NewKey(**({"project": "support", "name": "app"} | fields))


def dump(database: Database) -> str:
    with database.connect() as connection:
        return "\n".join(
            repr(tuple(row))
            for table in metadata.sorted_tables
            for row in connection.execute(table.select())
        )


def test_a_keys_secret_is_random_shown_once_and_nowhere_in_the_database(keys, database):
    made = [keys.create(new(), created_by="test").plaintext for _ in range(20)]
    assert len(set(made)) == 20
    stored = dump(database)
    for plaintext in made:
        assert plaintext.startswith("hg_")
        assert len(plaintext) >= 43
        assert plaintext not in stored
        assert plaintext[3:-4] not in stored
        assert plaintext.encode().hex() not in stored


def test_a_key_is_found_by_the_hash_of_its_secret_with_all_that_it_is_limited_to(keys, secret):
    wanted = new(
        role="developer",
        models=("gpt-4*", "o3"),
        workflows=("ticket-triage",),
        networks=("10.0.0.0/8",),
        expires_at_us=2_000_000_000_000_000,
    )
    created = keys.create(wanted, created_by="key_admin")
    found = keys.find(secret.token_digest(created.plaintext.encode()))
    assert found is not None
    assert found.key == created.key == keys.get(created.key.id)
    assert found.key.models == ("gpt-4*", "o3")
    assert found.key.networks == ("10.0.0.0/8",)
    assert found.key.created_by == "key_admin"
    assert not found.project_archived
    assert keys.find(secret.token_digest(b"hg_other")) is None


def test_a_key_needs_a_live_project(keys, projects):
    with pytest.raises(InvalidRequestError) as raised:
        keys.create(new(project="nope"), created_by="test")
    assert (raised.value.param, raised.value.code) == ("project", "project_not_found")
    projects.archive("support")
    with pytest.raises(InvalidRequestError) as raised:
        keys.create(new(), created_by="test")
    assert raised.value.code == "project_archived"
    assert keys.list() == []


def test_an_archived_project_is_told_with_each_of_its_keys(keys, projects, secret):
    created = keys.create(new(), created_by="test")
    projects.archive("support")
    found = keys.find(secret.token_digest(created.plaintext.encode()))
    assert found is not None
    assert found.project_archived


def test_keys_are_listed_in_pages_by_project_and_status(database, secret, projects):
    now = [1_000 * DAY_US]
    keys = KeyStore(database, secret, clock_us=lambda: now[0])
    live = [keys.create(new(name=f"live{n}"), created_by="t").key for n in range(3)]
    brief = keys.create(new(expires_at_us=now[0] + 1), created_by="t").key
    revoked = keys.revoke(keys.create(new(), created_by="t").key.id)
    other = keys.create(new(project="default"), created_by="t").key
    now[0] += 1
    assert keys.list(project="support", status="live") == live
    assert keys.list(status="expired") == [brief]
    assert keys.list(status="revoked") == [revoked]
    assert keys.list(project="default") == [other]
    first = keys.list(limit=2)
    assert first + keys.list(limit=100, after=first[-1].id) == keys.list()
    assert len(keys.list()) == 6


def test_revoking_twice_changes_nothing_more(keys):
    key = keys.create(new(), created_by="test").key
    once = keys.revoke(key.id)
    assert once.revoked_at_us is not None
    assert keys.revoke(key.id) == once


def test_a_rotated_key_has_a_successor_with_its_rights_and_ends_after_the_overlap(
    database, secret, projects
):
    now = [1_000 * DAY_US]
    keys = KeyStore(database, secret, clock_us=lambda: now[0])
    old = keys.create(new(role="developer", models=("m",), networks=("::1/128",)), created_by="t")
    made = keys.rotate(old.key.id, overlap_s=60, created_by="key_x", expires_at_us=None)
    assert made.plaintext != old.plaintext
    assert (made.key.role, made.key.models, made.key.networks) == (
        "developer",
        ("m",),
        ("::1/128",),
    )
    after = keys.get(old.key.id)
    assert after.replaced_by == made.key.id
    assert after.status_at(now[0] + 59_999_999) == "live"
    assert after.status_at(now[0] + 60_000_000) == "expired"
    with pytest.raises(ConflictError):
        keys.rotate(old.key.id, overlap_s=60, created_by="key_x", expires_at_us=None)


def test_a_key_is_known_as_the_one_that_it_was_and_became(keys):
    chain = [keys.create(new(role="reviewer"), created_by="t").key.id]
    keys.create(new(role="reviewer"), created_by="t")
    for _ in range(3):
        made = keys.rotate(chain[-1], overlap_s=60, created_by="t", expires_at_us=None)
        chain.append(made.key.id)
    for one in chain:
        assert set(keys.find_by_id(one).rotated) == set(chain) - {one}


def test_of_many_rotations_at_once_one_succeeds(keys):
    old = keys.create(new(), created_by="test").key
    together = threading.Barrier(4)

    def rotate(_: int) -> bool:
        together.wait(5)
        try:
            keys.rotate(old.id, overlap_s=0, created_by="test", expires_at_us=None)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(rotate, range(4))) == [False, False, False, True]
    assert len(keys.list()) == 2


@pytest.mark.parametrize("act", ["create", "revoke", "rotate", "archive"])
def test_every_change_raises_the_revision_that_other_processes_look_at(keys, projects, act):
    key = keys.create(new(), created_by="test").key
    before = keys.revision()
    if act == "create":
        keys.create(new(), created_by="test")
    elif act == "revoke":
        keys.revoke(key.id)
    elif act == "rotate":
        keys.rotate(key.id, overlap_s=0, created_by="test", expires_at_us=None)
    else:
        projects.archive("support")
    assert keys.revision() > before


def test_a_change_that_fails_leaves_nothing_behind(keys):
    before = keys.revision()
    with pytest.raises(NotFoundError):
        keys.revoke("key_nope")
    with pytest.raises(NotFoundError):
        keys.rotate("key_nope", overlap_s=0, created_by="t", expires_at_us=None)
    with pytest.raises(InvalidRequestError):
        keys.create(new(project="nope"), created_by="t")
    assert keys.revision() == before


def test_projects_of_the_configuration_are_made_once_and_keep_their_state(projects, database):
    assert projects.get("support").description == "Customer support"
    projects.archive("support")
    projects.ensure({"support": "Support", "sales": ""})
    assert [p.name for p in projects.list()] == ["default", "sales", "support"]
    assert projects.get("support").description == "Support"
    assert projects.get("support").archived_at_us is not None


def test_a_projects_name_is_taken_for_good(projects):
    projects.create("sales")
    projects.archive("sales")
    with pytest.raises(ConflictError):
        projects.create("sales")


def test_a_bad_project_name_is_refused(projects):
    for name in ("", "Sales", "-x", "a b", "x" * 64, "ä", "a/b", "a\n", "a\0"):
        with pytest.raises(InvalidRequestError) as raised:
            projects.create(name)
        assert raised.value.param == "name"


def test_the_default_project_cannot_be_archived(projects):
    with pytest.raises(ConflictError):
        projects.archive("default")


def test_projects_are_listed_in_pages(projects):
    for name in ("a", "b", "c"):
        projects.create(name)
    first = projects.list(limit=2)
    assert [p.name for p in first] == ["a", "b"]
    assert [p.name for p in projects.list(after="b")] == ["c", "default", "support"]
    assert [p.name for p in projects.list(only="c")] == ["c"]


def test_text_that_looks_like_sql_is_text(keys, projects):
    name = "x'); DROP TABLE keys; --"
    key = keys.create(new(name=name), created_by="test").key
    assert keys.get(key.id).name == name
    with pytest.raises(NotFoundError):
        keys.get(name)
