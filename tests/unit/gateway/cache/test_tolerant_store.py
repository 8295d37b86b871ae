"""A shared store that fails is a miss: no error, no wait, and not a log line for each call."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import pytest
from kept_answers import NOW_US, an_entry

from headgate.gateway.cache.clearing import Clearing
from headgate.gateway.cache.entry import Entry
from headgate.gateway.cache.store import StoreSize
from headgate.gateway.cache.tolerant_store import TolerantStore


class Moody:
    """A store that does as its mood says."""

    def __init__(self) -> None:
        self.mood: str = "well"
        self.asked = 0
        self.entries: dict[bytes, Entry] = {}

    async def _feel(self) -> None:
        self.asked += 1
        if self.mood == "broken":
            raise OSError("redis://user:secret@host is gone")
        if self.mood == "stuck":
            await asyncio.sleep(60)

    async def get_many(self, keys: Sequence[bytes]) -> dict[bytes, Entry]:
        await self._feel()
        return {key: self.entries[key] for key in keys if key in self.entries}

    async def put_many(self, entries: Sequence[tuple[bytes, Entry]]) -> None:
        await self._feel()
        self.entries.update(entries)

    async def discard(self, keys: Sequence[bytes]) -> None:
        await self._feel()

    async def clear(self, clearing: Clearing) -> int:
        await self._feel()
        return 1

    async def sweep(self, now_us: int) -> None:
        await self._feel()

    async def size(self) -> StoreSize:
        await self._feel()
        return StoreSize(len(self.entries), 0)

    async def close(self) -> None:
        await self._feel()


@pytest.mark.parametrize("mood", ["broken", "stuck"])
async def test_a_store_that_fails_is_a_miss_and_is_left_alone_for_a_while(
    mood: str, caplog: pytest.LogCaptureFixture
):
    now_s = 100.0
    store = Moody()
    tolerant = TolerantStore(store, "redis", 0.02, clock=lambda: now_s)
    await tolerant.put_many([(b"a", an_entry())])
    assert await tolerant.get_many([b"a"]) == {b"a": an_entry()}
    store.mood = mood
    with caplog.at_level(logging.INFO):
        for _ in range(5):
            assert await tolerant.get_many([b"a"]) == {}
        assert not tolerant.healthy
        assert store.asked == 3
        now_s += 6
        store.mood = "well"
        assert await tolerant.get_many([b"a"]) == {b"a": an_entry()}
    assert tolerant.healthy
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert "secret" not in caplog.text


async def test_everything_else_that_it_is_asked_is_tolerated_too():
    store = Moody()
    store.mood = "broken"
    tolerant = TolerantStore(store, "redis", 0.02)
    await tolerant.put_many([(b"a", an_entry())])
    await tolerant.discard([b"a"])
    assert await tolerant.clear(Clearing(at_us=NOW_US)) is None
    await tolerant.sweep(NOW_US)
    assert await tolerant.size() == StoreSize()
    await tolerant.close()
