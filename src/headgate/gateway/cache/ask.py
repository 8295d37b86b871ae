"""What one call asks of the cache, and what came of it so far."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from headgate.gateway.cache.batch import Batch
from headgate.gateway.cache.entry import Entry
from headgate.gateway.cache.key import Scope
from headgate.gateway.cache.policy import Terms
from headgate.gateway.cache.semantic.inquiry import Inquiry
from headgate.gateway.request import Request


class Ask(msgspec.Struct, eq=False):
    """One call's question: lives as long as the call."""

    key: bytes
    scope: Scope
    terms: Terms
    asked_at_us: int
    patience_s: float
    """How long it waits for another call's answer to begin."""
    idle_s: float
    """How long that answer may stand still."""
    tags: tuple[str, ...] = ()
    """By which its answer can be cleared."""
    seen_puts: int = -1
    """What `Memory.puts` was when this process' memory had no answer; -1: not looked yet."""
    leads: bool = False
    """Whether equal calls wait for this one."""
    inquiry: Inquiry | None = None
    """Where the answer to a question that is much like it would do."""
    borrowed: bytes | None = None
    """The key of the answer that it was given, where that is another question's."""
    batch: Batch | None = None
    """Of embeddings: the items that are kept apart from each other."""
    known: dict[bytes, Entry] = {}
    """Of a batch: the items that the cache had."""
    positions: list[int] = []
    """Of a batch: where the items stand that a model is asked for."""

    @property
    def partial(self) -> bool:
        """Whether a model is asked for a part of the answer only."""
        return self.batch is not None and len(self.positions) < len(self.batch.keys)

    def narrowed(self, request: Request) -> Request:
        """What a model is to be asked: of a batch, each new item once."""
        if self.batch is None or not self.partial:
            return request
        fields = {**request.fields, "input": self.batch.input_of(self.positions)}
        return replace(request, fields=fields)
