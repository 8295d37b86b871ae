"""Whose an item of a response is, on each kind of database."""

from __future__ import annotations

import asyncio

import pytest

from headgate.errors import DatabaseUnavailableError
from headgate.gateway.objects.items import ResponseItems
from headgate.gateway.objects.register import Keeper
from headgate.storage import Database
from headgate.storage.threads import StorageThreads

KEEPER = Keeper("openai", "team-a")


async def test_what_one_process_was_answered_another_finds_a_moment_later(database, threads):
    items, other = ResponseItems(database, threads), ResponseItems(database, threads)
    items.start()
    items.remember(["msg_1", "rs_1", "no address/"], "mine", KEEPER)
    assert await items.keepers_of(["msg_1"], "mine") == {"msg_1": KEEPER}
    asked = ["msg_1", "rs_1", "no address/", "\0", "msg_9"]
    assert await other.keepers_of(asked, "mine") == {"msg_1": KEEPER, "rs_1": KEEPER}
    assert await other.keepers_of(["msg_1"], "theirs") == {}
    assert await items.keepers_of(["msg_1"], "theirs") == {}
    await items.stop()


async def test_what_waits_is_written_at_the_stop(database, threads):
    items = ResponseItems(database, threads)
    items.start()
    items.remember([f"msg_{number}" for number in range(1200)], "mine", KEEPER)
    items.remember(["msg_7"], "theirs", Keeper("openai"))
    await items.stop()
    found = await ResponseItems(database, threads).keepers_of(
        [f"msg_{number}" for number in range(1200)], "mine"
    )
    assert len(found) == 1200
    assert await ResponseItems(database, threads).keepers_of(["msg_7"], "theirs") == {}


async def test_items_wait_while_the_database_is_away(database, threads, monkeypatch):
    items = ResponseItems(database, threads)
    items.remember(["msg_1"], "mine", KEEPER)
    with monkeypatch.context() as away:
        away.setattr(items, "_insert", _is_away)
        with pytest.raises(DatabaseUnavailableError):
            await items._write_waiting()
    items.remember(["msg_2"], "mine", KEEPER)
    await items._write_waiting()
    fresh = ResponseItems(database, threads)
    assert set(await fresh.keepers_of(["msg_1", "msg_2"], "mine")) == {"msg_1", "msg_2"}


def _is_away(rows: object) -> None:
    raise DatabaseUnavailableError(str(rows))


async def test_what_nobody_here_was_answered_is_open_only_where_that_is_set(
    database: Database, threads: StorageThreads
):
    items = ResponseItems(database, threads, open_to_unregistered=True)
    items.remember(["msg_1"], "theirs", KEEPER)
    await items.stop()
    found = await asyncio.wait_for(items.keepers_of(["msg_1", "msg_old"], "mine"), 5)
    assert found == {"msg_old": None}
