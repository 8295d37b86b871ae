"""Whether an earlier answer will do for a question that is like an earlier one, and by how much."""

from __future__ import annotations

from typing import Protocol

import msgspec

from headgate.config.caching import SemanticSettings
from headgate.gateway.cache.entry import Entry
from headgate.gateway.cache.key import Scope
from headgate.gateway.cache.semantic.index import Kept, Vector, VectorIndex
from headgate.gateway.cache.semantic.inquiry import Inquiry
from headgate.gateway.cache.semantic.question import read_question
from headgate.gateway.call import Call
from headgate.gateway.completion_text import said_by_all
from headgate.gateway.endpoints.endpoint import UNREADABLE
from headgate.gateway.request import Request


class Embedder(Protocol):
    """Turns texts into vectors."""

    async def embed(self, call: Call, text: str) -> Vector | None:
        """The vector of `text`, which `call` asks about; None where there is none to be had."""


class SimilarAnswers:
    """The questions of the workflows that the operator names, with a threshold for each."""

    def __init__(self, settings: SemanticSettings, embedder: Embedder) -> None:
        self._settings = settings
        self._embedder = embedder
        self.index = VectorIndex(settings.max_entries)

    def inquiry(self, call: Call, request: Request, scope: Scope) -> Inquiry | None:
        """What to ask for a call; None where only equal requests share an answer."""
        threshold = self._settings.workflows.get(scope.workflow or "")
        if threshold is None:
            return None
        hidden = () if call.guarding is None else call.guarding.call.mapping.told
        question = read_question(request.fields, scope, request.prompt_cache_key, hidden)
        return None if question is None else Inquiry(question, threshold)

    async def look(self, call: Call, inquiry: Inquiry) -> Kept | None:
        """The earlier question that is alike enough."""
        inquiry.vector = await self._embedder.embed(call, inquiry.question.text)
        if inquiry.vector is None:
            return None
        alike = self.index.nearest(inquiry.question.bounds, inquiry.vector)
        if alike is None or alike.similarity < self._settings.report_from:
            return None
        inquiry.alike = alike
        # A threshold of 1 only gathers evidence: two texts can have the same vector, rounded.
        enough = inquiry.threshold < 1 and alike.similarity >= inquiry.threshold
        return alike.kept if enough else None

    def answered(self, call: Call, inquiry: Inquiry, key: bytes) -> None:
        """Remember that the question has been answered, under `key`."""
        if inquiry.vector is not None:
            kept = Kept(key, call.record.run_id)
            self.index.add(inquiry.question.bounds, inquiry.vector, kept)


def same_answer(one: Entry, other: Entry) -> bool:
    """Whether two answers say the same: as JSON where they are, else letter by letter."""
    return _said(one) == _said(other)


def _said(entry: Entry) -> object:
    try:
        text = said_by_all(entry.body)
    except UNREADABLE:
        return entry.body
    try:
        found: object = msgspec.json.decode(text)
    except UNREADABLE:
        return text
    return found
