"""The answers in this process's memory: bounded in bytes, the one unused longest goes first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from headgate.gateway.cache.entry import Entry


class Memory:
    """A map from keys to entries that never holds more than `max_bytes` of them."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.size_bytes = 0
        self.puts = 0
        """How many entries have been put in: while it stands, what was missing is missing still."""
        self._entries: OrderedDict[bytes, Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: bytes) -> bool:
        """Whether there is an entry under `key`, which may be past its time."""
        return key in self._entries

    def get(self, key: bytes, now_us: int) -> Entry | None:
        """The entry under `key`, fresh or only usable; None where there is none any more."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if now_us >= entry.usable_until_us:
            self.discard(key)
            return None
        self._entries.move_to_end(key)
        return entry

    def put(self, key: bytes, entry: Entry) -> None:
        """Keep `entry` unless it is larger than everything that may be kept."""
        dropped = self._entries.pop(key, None)
        if dropped is not None:
            self.size_bytes -= dropped.size_bytes
        size_bytes = entry.size_bytes
        if size_bytes > self.max_bytes:
            return
        self.puts += 1
        self._entries[key] = entry
        self.size_bytes += size_bytes
        while self.size_bytes > self.max_bytes:
            _, dropped = self._entries.popitem(last=False)
            self.size_bytes -= dropped.size_bytes

    def discard(self, key: bytes) -> None:
        """Forget the entry under `key`, if there is one."""
        dropped = self._entries.pop(key, None)
        if dropped is not None:
            self.size_bytes -= dropped.size_bytes

    def discard_where(self, unwanted: Callable[[Entry], bool]) -> int:
        """Forget all entries that are `unwanted`; return how many they were."""
        keys = [key for key, entry in self._entries.items() if unwanted(entry)]
        for key in keys:
            self.discard(key)
        return len(keys)
