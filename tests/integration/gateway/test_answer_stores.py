"""Answers in the database and in Redis: kept, found, cleared, swept, bounded."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from databases import skip_without
from headgate.config.caching import MIB
from headgate.gateway.cache.cache import wall_clock_us
from headgate.gateway.cache.clearing import Clearing
from headgate.gateway.cache.clearing_log import ClearingLog
from headgate.gateway.cache.database_store import DatabaseStore
from headgate.gateway.cache.entry import Entry
from headgate.gateway.cache.redis_store import RedisStore
from headgate.gateway.cache.store import AnswerStore
from headgate.gateway.endpoints import Usage
from headgate.storage import Database
from headgate.storage.threads import StorageThreads

REDIS = os.environ.get("HEADGATE_TEST_REDIS", "redis://127.0.0.1:6379/9")
NOW_US = wall_clock_us()


def an_entry(**changes: Any) -> Entry:
    values: dict[str, Any] = {
        "body": b'{"answer":1}',
        "usage": Usage(model="gpt-x", input_tokens=3),
        "cost_nanousd": 700,
        "target": "openai/gpt-x",
        "project": "support",
        "workflow": None,
        "model": "gpt-x",
        "tags": (),
        "simulated": False,
        "asked_at_us": NOW_US,
        "fresh_until_us": NOW_US + 3_600_000_000,
        "usable_until_us": NOW_US + 3_600_000_000,
    }
    return Entry(**(values | changes))


def key(name: str) -> bytes:
    return name.encode().ljust(32, b"\0")


@pytest_asyncio.fixture
async def in_database(database: Database) -> AsyncIterator[DatabaseStore]:
    threads = StorageThreads("test")
    yield DatabaseStore(database, threads, MIB)
    threads.close()


@pytest_asyncio.fixture
async def in_redis() -> AsyncIterator[RedisStore]:
    redis = pytest.importorskip("redis.asyncio")
    client = redis.Redis.from_url(REDIS, socket_connect_timeout=1)
    try:
        await client.ping()
    except redis.ConnectionError:
        skip_without(f"Redis does not answer at {REDIS}; set HEADGATE_TEST_REDIS")
    await client.flushdb()
    store = RedisStore(REDIS, 2.0)
    yield store
    await store.close()
    await client.flushdb()
    await client.aclose()


async def holds_to_the_interface(store: AnswerStore) -> None:
    """What each kind of store must do."""
    assert await store.get_many([key("a")]) == {}
    plain = an_entry(tags=("faq",), cost_nanousd=None)
    await store.put_many(
        [
            (key("a"), plain),
            (key("b"), an_entry(workflow="triage", tags=("faq_", "x"))),
            (key("c"), an_entry(project="sales", model="gpt-y")),
            (key("d"), an_entry(model="gpt%")),
        ]
    )
    assert await store.get_many([key("a"), key("z")]) == {key("a"): plain}
    await store.put_many([(key("a"), an_entry(body=b"2", tags=("faq",)))])
    assert (await store.get_many([key("a")]))[key("a")].body == b"2"
    assert (await store.size()).entries == 4

    later = NOW_US + 1
    assert await store.clear(Clearing(at_us=NOW_US - 1)) == 0
    assert await store.clear(Clearing(at_us=later, project="sales", prefix="gpt-x")) == 0
    assert await store.clear(Clearing(at_us=later, tag="faq")) == 1
    assert await store.clear(Clearing(at_us=later, prefix="gpt%")) == 1
    assert await store.clear(Clearing(at_us=later, workflow="triage")) == 1
    await store.discard([key("c"), key("z")])
    assert (await store.size()).entries == 0


async def test_answers_in_the_database(in_database: DatabaseStore):
    await holds_to_the_interface(in_database)


async def test_answers_in_redis(in_redis: RedisStore):
    await holds_to_the_interface(in_redis)


async def test_redis_forgets_by_itself(in_redis: RedisStore):
    soon = wall_clock_us() - 1_000_000
    await in_redis.put_many([(key("a"), an_entry(usable_until_us=soon)), (key("b"), an_entry())])
    assert set(await in_redis.get_many([key("a"), key("b")])) == {key("b")}


async def test_what_has_expired_is_swept(in_database: DatabaseStore):
    await in_database.put_many(
        [(key("a"), an_entry(usable_until_us=NOW_US)), (key("b"), an_entry())]
    )
    await in_database.sweep(NOW_US)
    assert set(await in_database.get_many([key("a"), key("b")])) == {key("b")}


async def test_the_database_is_kept_below_its_bound(in_database: DatabaseStore):
    entries = [
        (key(f"{n:04}"), an_entry(body=b"x" * 1024, usable_until_us=NOW_US + n))
        for n in range(1, 2_001)
    ]
    await in_database.put_many(entries)
    await in_database.sweep(NOW_US)
    size = await in_database.size()
    assert 0 < (size.size_bytes or 0) <= MIB
    assert await in_database.get_many([key("2000")]), "the one that would last longest went"


async def test_many_keys_are_looked_up_at_once(in_database: DatabaseStore):
    entries = [(key(f"{n:05}"), an_entry(body=str(n).encode())) for n in range(1_200)]
    await in_database.put_many(entries)
    found = await in_database.get_many([name for name, _ in entries])
    assert found == dict(entries)


def test_every_process_learns_of_a_clearing_once(database: Database):
    here, there = ClearingLog(database), ClearingLog(database)
    one = Clearing(at_us=NOW_US, project="support", tag="faq")
    other = Clearing(at_us=NOW_US - 10_000_000, workflow="triage")
    here.note(one)
    assert there.unseen(NOW_US) == [one]
    here.note(other)
    assert there.unseen(NOW_US + 1) == [other], "committed late, given earlier"
    assert there.unseen(NOW_US + 2) == []
    assert len(here.unseen(NOW_US + 2)) == 2
    assert ClearingLog(database).unseen(NOW_US + 120_000_000) == []
