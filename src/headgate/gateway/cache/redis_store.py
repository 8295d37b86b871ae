"""Answers kept in Redis; its own `maxmemory` and eviction policy bound what it holds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from headgate.errors import ConfigError
from headgate.gateway.cache.clearing import Clearing
from headgate.gateway.cache.entry import Entry, packed, unpacked
from headgate.gateway.cache.store import StoreSize

_PREFIX = b"headgate:answer:"
_SCANNED_AT_ONCE = 500


class RedisStore:
    """One Redis database."""

    def __init__(self, url: str, timeout_s: float) -> None:
        from redis.asyncio import Redis  # noqa: PLC0415 - an extra

        try:
            self._redis: Any = Redis.from_url(
                url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s
            )
        except ValueError:
            raise ConfigError("cache.redis_url is no redis://… address") from None

    async def get_many(self, keys: Sequence[bytes]) -> dict[bytes, Entry]:
        """See `AnswerStore`."""
        answers = await self._redis.mget([_PREFIX + key for key in keys])
        found = {}
        for key, answer in zip(keys, answers, strict=True):
            if answer is not None and (entry := unpacked(answer)) is not None:
                found[key] = entry
        return found

    async def put_many(self, entries: Sequence[tuple[bytes, Entry]]) -> None:
        """See `AnswerStore`."""
        async with self._redis.pipeline(transaction=False) as pipeline:
            for key, entry in entries:
                pipeline.set(_PREFIX + key, packed(entry), pxat=entry.usable_until_us // 1000)
            await pipeline.execute()

    async def discard(self, keys: Sequence[bytes]) -> None:
        """See `AnswerStore`."""
        await self._redis.delete(*(_PREFIX + key for key in keys))

    async def clear(self, clearing: Clearing) -> int:
        """See `AnswerStore`; every entry is read, since Redis knows only keys."""
        cleared = 0
        async for names in self._all():
            answers = await self._redis.mget(names)
            covered = [
                name
                for name, answer in zip(names, answers, strict=True)
                if answer is not None
                and ((entry := unpacked(answer)) is None or clearing.covers(entry))
            ]
            if covered:
                cleared += int(await self._redis.delete(*covered))
        return cleared

    async def sweep(self, now_us: int) -> None:
        """See `AnswerStore`; Redis does that by itself."""

    async def size(self) -> StoreSize:
        """See `AnswerStore`."""
        entries = 0
        async for names in self._all():
            entries += len(names)
        return StoreSize(entries)

    async def close(self) -> None:
        """See `AnswerStore`."""
        await self._redis.aclose()

    async def _all(self) -> AsyncIterator[list[bytes]]:
        names: list[bytes] = []
        async for name in self._redis.scan_iter(match=_PREFIX + b"*", count=_SCANNED_AT_ONCE):
            names.append(name)
            if len(names) >= _SCANNED_AT_ONCE:
                yield names
                names = []
        if names:
            yield names
