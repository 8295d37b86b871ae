"""Whose an object is, on each kind of database."""

from __future__ import annotations

import pytest

from headgate.errors import InvalidRequestError, NotFoundError
from headgate.gateway.objects.references import Reference
from headgate.gateway.objects.register import Keeper, ObjectRegister, OwnedObject
from headgate.storage import Database
from headgate.storage.threads import StorageThreads


def an_object(object_id: str, project: str = "mine", **changes: str) -> OwnedObject:
    return OwnedObject(
        **{
            "kind": "file", "id": object_id, "provider": "openai", "project": project,
            "key_id": "key_1",
        } | changes
    )  # fmt: skip


@pytest.fixture
def register(database: Database, threads: StorageThreads) -> ObjectRegister:
    return ObjectRegister(database, threads)


async def test_what_one_process_remembers_another_finds(database, threads, register):
    await register.remember(
        [an_object("file-1"), an_object("file-2", provider="azure", provider_key="second")]
    )
    other = ObjectRegister(database, threads)
    assert await other.keeper_of("file", "file-1", "mine") == Keeper("openai")
    assert await other.keeper_of("file", "file-2", "mine") == Keeper("azure", "second")
    assert await other.keepers_of("file", "mine") == {
        Keeper("openai"): 1,
        Keeper("azure", "second"): 1,
    }
    assert await other.keepers_of("batch", "mine") == {}


async def test_what_is_not_its_own_is_as_if_it_were_not_there(register):
    await register.remember([an_object("file-1", "theirs")])
    with pytest.raises(NotFoundError) as of_others:
        await register.keeper_of("file", "file-1", "mine")
    with pytest.raises(NotFoundError) as of_nobody:
        await register.keeper_of("file", "file-2", "mine")
    assert of_others.value.message == of_nobody.value.message.replace("file-2", "file-1")
    with pytest.raises(NotFoundError):
        await register.keeper_of("batch", "file-1", "theirs")
    with pytest.raises(InvalidRequestError) as in_a_body:
        await register.keeper_of_named(Reference("file", "file-1", "input_file_id"), "mine")
    assert in_a_body.value.param == "input_file_id"


@pytest.mark.parametrize("name", ["", "\0", "x" * 1000, "file-\ud800", "ﬁle-1"])
async def test_no_identifier_disturbs_the_database(register, name):
    with pytest.raises(NotFoundError):
        await register.keeper_of("file", name, "mine")


async def test_the_first_owner_stays_the_owner(database, threads, register):
    await register.remember([an_object("file-1")])
    other = ObjectRegister(database, threads)
    await other.remember([an_object("file-1", "theirs")])
    fresh = ObjectRegister(database, threads)
    assert await fresh.keeper_of("file", "file-1", "mine") == Keeper("openai")
    with pytest.raises(NotFoundError):
        await fresh.keeper_of("file", "file-1", "theirs")


async def test_what_is_forgotten_is_nobodys(register):
    await register.remember([an_object("file-1"), an_object("file-2")])
    await register.forget("file", "file-1", "theirs")
    assert await register.keeper_of("file", "file-1", "mine")
    await register.forget("file", "file-1", "mine")
    with pytest.raises(NotFoundError):
        await register.keeper_of("file", "file-1", "mine")
    assert await register.keeper_of("file", "file-2", "mine")


async def test_the_owners_of_many_are_told_at_once(register):
    made = [an_object(f"file-{n}", "mine" if n % 2 else "theirs") for n in range(1200)]
    await register.remember(made)
    asked = [f"file-{n}" for n in range(1300)]
    found = await register.owners_among("file", "openai", asked)
    assert len(found) == 1200
    assert found["file-7"] == "mine"
    assert await register.owners_among("file", "azure", asked) == {}


async def test_open_to_all_is_only_what_nobody_made_here(database, threads, register):
    await register.remember([an_object("file-1", "theirs")])
    open_register = ObjectRegister(database, threads, open_to_unregistered=True)
    assert await open_register.keeper_of("file", "file-old", "mine") is None
    with pytest.raises(NotFoundError):
        await open_register.keeper_of("file", "file-1", "mine")


async def test_of_many_that_are_named_those_of_the_project_are_told_with_their_keepers(
    database, threads, register
):
    made = [an_object(f"file-{n}", provider_key="k") for n in range(1200)]
    await register.remember([*made, an_object("file-x", "theirs"), an_object("b", kind="batch")])
    asked = ["file-7", "file-1199", "file-x", "b", "file-unknown", "\0"]
    kept = Keeper("openai", "k")
    assert await register.keepers_among("file", asked, "mine") == {
        "file-7": kept,
        "file-1199": kept,
    }
    everything = [f"file-{n}" for n in range(1200)]
    assert len(await register.keepers_among("file", everything, "mine")) == 1200
    open_register = ObjectRegister(database, threads, open_to_unregistered=True)
    assert await open_register.keepers_among("file", asked, "mine") == {
        "file-7": kept,
        "file-1199": kept,
        "file-unknown": None,
        "b": None,
    }
