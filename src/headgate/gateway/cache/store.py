"""Where answers are kept for all processes: one interface, a file for each kind of store.

To add one: write a file with a class that has these methods, a value of `config.caching.CacheStore`
for it, and name it in `app`. A store may fail or be slow as it likes: `TolerantStore` stands
before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from headgate.gateway.cache.clearing import Clearing
from headgate.gateway.cache.entry import Entry


class StoreSize(msgspec.Struct, frozen=True):
    """What a store holds; None where it can't tell."""

    entries: int | None = None
    size_bytes: int | None = None


class AnswerStore(Protocol):
    """Keeps entries under keys until `usable_until_us`."""

    async def get_many(self, keys: Sequence[bytes]) -> dict[bytes, Entry]:
        """Those of `keys` that are there."""

    async def put_many(self, entries: Sequence[tuple[bytes, Entry]]) -> None:
        """Keep all of them."""

    async def discard(self, keys: Sequence[bytes]) -> None:
        """Forget the entries under `keys`."""

    async def clear(self, clearing: Clearing) -> int:
        """Forget what `clearing` covers; return how many entries that were."""

    async def sweep(self, now_us: int) -> None:
        """Forget what has expired, and what is too much."""

    async def size(self) -> StoreSize:
        """What it holds."""

    async def close(self) -> None:
        """End its connections."""
