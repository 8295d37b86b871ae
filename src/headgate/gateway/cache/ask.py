"""What one call asks of the cache, and what came of it so far."""

from __future__ import annotations

from msgspec.structs import replace

from headgate.gateway.cache.batch import Batch
from headgate.gateway.cache.entry import Entry
from headgate.gateway.cache.key import Scope
from headgate.gateway.cache.policy import Terms
from headgate.gateway.cache.semantic.inquiry import Inquiry
from headgate.gateway.request import Request


class Ask:
    """One call's question: lives as long as the call."""

    __slots__ = (
        "asked_at_us",
        "batch",
        "borrowed",
        "idle_s",
        "inquiry",
        "key",
        "known",
        "leads",
        "patience_s",
        "positions",
        "scope",
        "tags",
        "terms",
    )

    def __init__(
        self,
        key: bytes,
        scope: Scope,
        terms: Terms,
        *,
        asked_at_us: int,
        patience_s: float,
        idle_s: float,
    ) -> None:
        self.key = key
        self.scope = scope
        self.terms = terms
        self.tags = terms.tags
        self.asked_at_us = asked_at_us
        self.patience_s = patience_s
        """How long it waits for another call's answer to begin."""
        self.idle_s = idle_s
        """How long that answer may stand still."""
        self.leads = False
        """Whether equal calls wait for this one."""
        self.inquiry: Inquiry | None = None
        """Where the answer to a question that is much like it would do."""
        self.borrowed: bytes | None = None
        """The key of the answer that it was given, where that is another question's."""
        self.batch: Batch | None = None
        """Of embeddings: the items that are kept apart from each other."""
        self.known: dict[bytes, Entry] = {}
        """Of a batch: the items that the cache had."""
        self.positions: list[int] = []
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
