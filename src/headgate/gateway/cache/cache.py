"""The cache as the gateway uses it: ask, recall, keep, let go. See the way of a call in `gateway`.

Memory first, then the shared store where there is one. What is kept reaches the shared store in
the background (`keeper`); no call waits for that.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from msgspec.structs import replace

from headgate.config.caching import CacheSettings
from headgate.gateway.cache.ask import Ask
from headgate.gateway.cache.asker import Asker
from headgate.gateway.cache.batch import Item
from headgate.gateway.cache.clearing import Clearing, Clearings
from headgate.gateway.cache.entry import Entry
from headgate.gateway.cache.flights import Ending, Flights, Turn
from headgate.gateway.cache.forms import Scribe, form_of
from headgate.gateway.cache.found import Found, FoundState
from headgate.gateway.cache.keeper import Keeper
from headgate.gateway.cache.memory import Memory
from headgate.gateway.cache.semantic.inquiry import Inquiry
from headgate.gateway.cache.semantic.near_miss import NearMiss
from headgate.gateway.cache.semantic.similar import SimilarAnswers, same_answer
from headgate.gateway.call import Call
from headgate.gateway.endpoints import Usage
from headgate.gateway.request import Request
from headgate.gateway.target import Target
from headgate.ledger.cost import total_cost_nanousd

_MAY_PASS = frozenset({408, 429})
"""Statuses below 500 that another try may not meet."""


def wall_clock_us() -> int:
    """Microseconds since 1970: processes share what is kept, so they must share the clock."""
    return time.time_ns() // 1000


class AnswerCache:
    """Answers given before."""

    def __init__(
        self,
        settings: CacheSettings,
        asker: Asker,
        keeper: Keeper,
        *,
        similar: SimilarAnswers | None = None,
        clock: Callable[[], int] = wall_clock_us,
    ) -> None:
        self.settings = settings
        self.memory = Memory(settings.memory_max_bytes)
        self.keeper = keeper
        self._asker = asker
        self._similar = similar
        self._clock = clock
        self._clearings = Clearings()
        self._flights = Flights()
        keeper.on_clearing = self.carry_out

    # A call's way: asked, recall, then either nothing or keep_whole / keep_stream, then leave.
    # Before `recall` it may ask what is `at_hand`; one that can't pay a model what is
    # `found_by_others`.

    def asked(self, call: Call, request: Request, targets: tuple[Target, ...]) -> Ask | None:
        """What to ask for `call`; None where it is not answered from the cache."""
        ask = self._asker.ask(call, request, targets, now_us=self._clock())
        if ask is not None:
            call.record.cache = "miss"
            if self._similar is not None:
                ask.inquiry = self._similar.inquiry(call, request, ask.scope)
        return ask

    def at_hand(self, ask: Ask) -> Found | None:
        """The answer, if this process remembers it."""
        return self._remembered(ask)

    async def found_by_others(self, ask: Ask) -> Found | None:
        """The answer, if anybody has found it or is about to; never leads others to wait for it."""
        found = self._remembered(ask) or await self._looked_up(ask)
        if found is not None:
            return found
        told = await self._flights.wait(ask.key, ask.patience_s, ask.idle_s)
        if isinstance(told, Found):
            return told
        if told is Turn.LEAD:
            self._flights.give_up(ask.key, Ending.DEPARTED)
        return None

    async def recall(self, call: Call, ask: Ask) -> Found | None:
        """The answer, if there is one; None: ask a model, and `leave` in the end."""
        found = None
        # Nothing has come in since it was looked whether the answer is at hand, mostly.
        if ask.seen_puts != self.memory.puts and (found := self._remembered(ask)) is not None:
            return found
        if self._flights.begin(ask.key):
            ask.leads = True
            if self.keeper.store is not None:
                found = await self._looked_up(ask)
            if found is None and ask.inquiry is not None:
                found = await self._alike(call, ask)
            if found is not None:
                self._land(ask, found)
            return found
        told = await self._flights.wait(ask.key, ask.patience_s, ask.idle_s)
        if isinstance(told, Found):
            return told
        ask.leads = told is Turn.LEAD
        return None

    async def stale(self, ask: Ask) -> Found | None:
        """An older answer that may be given because no target answers."""
        if ask.terms.stale_if_error_s <= 0:
            return None
        if ask.batch is None:
            entry = (await self._usable([ask.key])).get(ask.key)
            found = None if entry is None else Found(entry, "stale")
        else:
            known = await self._usable(list(dict.fromkeys(ask.batch.keys)))
            found = self._of_batch(ask, known, "stale")
        if found is not None:
            self._land(ask, found)
        return found

    def keep_whole(self, call: Call, ask: Ask, usage: Usage, body: bytes) -> bytes | None:
        """Keep a whole answer; return it as the client is to have it.

        None where a model was asked for a part of the answer and gave something else.
        """
        if ask.batch is not None:
            return self._keep_batch(call, ask, usage, body)
        if form_of(ask.scope.endpoint).complete(body):
            self._keep(call, ask, usage, body)
        return body

    def scribe(self, ask: Ask) -> Scribe | None:
        """A listener for the stream that answers `ask`."""
        return form_of(ask.scope.endpoint).scribe(self.settings.max_entry_bytes)

    def flows(self, ask: Ask) -> None:
        """Tell those who wait that the answer is on its way."""
        if ask.leads:
            self._flights.moved(ask.key)

    def keep_stream(self, call: Call, ask: Ask, scribe: Scribe, usage: Usage) -> None:
        """Keep the answer that was streamed to its end."""
        body = scribe.whole(usage)
        if body is not None and form_of(ask.scope.endpoint).complete(body):
            self._keep(call, ask, usage, body)

    def leave(self, call: Call, ask: Ask) -> None:
        """End a call that asked; those that wait for its answer go on without it."""
        if not ask.leads:
            return
        ask.leads = False
        record = call.record
        if call.cancelled:
            ending = Ending.DEPARTED
        elif record.status >= 500 or record.status in _MAY_PASS:
            ending = Ending.FAILED
        elif record.status == 200 and record.error_class is not None:
            ending = Ending.FAILED  # a stream that broke
        else:
            ending = Ending.UNSHARED
        self._flights.give_up(ask.key, ending)

    def forget(self, ask: Ask) -> None:
        """Don't give this answer again: whoever got it had no use for it."""
        for key in filter(None, (ask.key, ask.borrowed)):
            self.memory.discard(key)
            self.keeper.forget(key)

    # Clearing

    async def clear(self, clearing: Clearing) -> int | None:
        """Forget what `clearing` covers, in every process; return how many entries that were.

        None where the shared store did not say. Raises `DatabaseUnavailableError` where other
        processes could not be told.
        """
        in_memory = self.carry_out(clearing)
        in_store = await self.keeper.clear(clearing)
        return in_memory if self.keeper.store is None else in_store

    def carry_out(self, clearing: Clearing) -> int:
        """Forget what `clearing` covers in this process, also what is still on its way."""
        self._clearings.add(clearing)
        return self.memory.discard_where(clearing.covers)

    # Looking up

    def _remembered(self, ask: Ask) -> Found | None:
        """What this process's memory has."""
        if ask.batch is None:
            # Most calls ask something new, which is known without the time.
            entry = self._fresh(ask.key) if ask.key in self.memory else None
            if entry is not None:
                return Found(entry)
            ask.seen_puts = self.memory.puts
            return None
        known = {}
        for key in ask.batch.keys:
            if key not in known and (entry := self._fresh(key)) is not None:
                known[key] = entry
        return self._of_batch(ask, known)

    async def _looked_up(self, ask: Ask) -> Found | None:
        """What the shared store has; it is put into memory too."""
        store = self.keeper.store
        if store is None:
            return None
        keys = [ask.key]
        if ask.batch is not None:
            keys = [ask.batch.keys[position] for position in ask.positions]
        now_us, fresh = self._clock(), {}
        for key, entry in (await store.get_many(keys)).items():
            if now_us < entry.usable_until_us and not self._clearings.cover(entry):
                self.memory.put(key, entry)
                if entry.fresh(now_us):
                    fresh[key] = entry
        if ask.batch is None:
            return Found(fresh[ask.key]) if fresh else None
        return self._of_batch(ask, ask.known | fresh)

    def _fresh(self, key: bytes) -> Entry | None:
        now_us = self._clock()
        entry = self.memory.get(key, now_us)
        return entry if entry is not None and entry.fresh(now_us) else None

    async def _alike(self, call: Call, ask: Ask) -> Found | None:
        """The answer to a question that is enough like this one."""
        if self._similar is None or ask.inquiry is None:
            return None
        kept = await self._similar.look(call, ask.inquiry)
        if kept is None:
            return None
        entry = self._fresh(kept.key)
        if entry is None:
            # It has expired, was cleared or was disowned.
            self._similar.index.discard(kept.key)
            return None
        ask.borrowed = kept.key
        return Found(entry, "similar")

    async def _usable(self, keys: list[bytes]) -> dict[bytes, Entry]:
        """Those of `keys` that there is an answer for, fresh or not."""
        now_us = self._clock()
        found = {}
        for key in keys:
            if (entry := self.memory.get(key, now_us)) is not None:
                found[key] = entry
        left = [key for key in keys if key not in found]
        if left and self.keeper.store is not None:
            shared = await self.keeper.store.get_many(left)
            found |= {
                key: entry
                for key, entry in shared.items()
                if now_us < entry.usable_until_us and not self._clearings.cover(entry)
            }
        return found

    def _of_batch(
        self, ask: Ask, known: dict[bytes, Entry], state: FoundState = "hit"
    ) -> Found | None:
        """The answer, where all its items are known; what is known is noted in `ask`."""
        batch = ask.batch
        assert batch is not None  # noqa: S101 - asked of batches only
        ask.known = known
        items = {key: _item(entry) for key, entry in known.items()}
        ask.positions = batch.missing(items)
        if ask.positions:
            return None
        sample = known[batch.keys[0]]
        body, usage = batch.whole(items, sample.usage.model)
        cost_nanousd = total_cost_nanousd(items[key].cost_nanousd for key in batch.keys)
        return Found(replace(sample, body=body, usage=usage, cost_nanousd=cost_nanousd), state)

    # Keeping

    def _keep(self, call: Call, ask: Ask, usage: Usage, body: bytes) -> None:
        entry = self._entry(call, ask, body, usage, call.record.cost_nanousd)
        self._put(ask.key, entry)
        if ask.leads:
            self._land(ask, Found(entry))
        if self._similar is not None and ask.inquiry is not None:
            self._note_near_miss(call, ask.inquiry, entry)
            self._similar.answered(call, ask.inquiry, ask.key)

    def _note_near_miss(self, call: Call, inquiry: Inquiry, entry: Entry) -> None:
        alike = inquiry.alike
        if alike is None or (like := self._fresh(alike.kept.key)) is None:
            return
        miss = NearMiss(
            at_us=self._clock(),
            project=entry.project,
            workflow=entry.workflow or "",
            similarity=alike.similarity,
            threshold=inquiry.threshold,
            run_id=call.record.run_id,
            like_run_id=alike.kept.run_id,
            same=same_answer(like, entry),
        )
        self.keeper.note_near_miss(miss)

    def _keep_batch(self, call: Call, ask: Ask, usage: Usage, body: bytes) -> bytes | None:
        batch, record = ask.batch, call.record
        assert batch is not None  # noqa: S101 - asked of batches only
        positions = ask.positions if ask.partial else range(len(batch.keys))
        items = batch.read(body, positions, usage, record.cost_nanousd)
        if items is None:
            return None if ask.partial else body
        for key, item in items.items():
            told = Usage(model=usage.model, input_tokens=item.tokens, output_tokens=0)
            self._put(key, self._entry(call, ask, item.vector, told, item.cost_nanousd))
        if ask.partial:
            items |= {key: _item(entry) for key, entry in ask.known.items()}
            body, usage = batch.whole(items, usage.model)
        total_nanousd = total_cost_nanousd(items[key].cost_nanousd for key in batch.keys)
        if ask.partial:
            record.input_tokens = usage.input_tokens
            if total_nanousd is not None and record.cost_nanousd is not None:
                record.saved_nanousd = total_nanousd - record.cost_nanousd
        self._land(ask, Found(self._entry(call, ask, body, usage, total_nanousd)))
        return body

    def _entry(
        self, call: Call, ask: Ask, body: bytes, usage: Usage, cost_nanousd: int | None
    ) -> Entry:
        fresh_until_us = self._clock() + int(ask.terms.ttl_s * 1_000_000)
        return Entry(
            body=body,
            usage=usage,
            cost_nanousd=cost_nanousd,
            target=call.target.name.decode() if call.target is not None else "",
            project=ask.scope.project,
            workflow=ask.scope.workflow,
            model=ask.scope.model,
            tags=ask.tags,
            simulated=call.record.simulated,
            asked_at_us=ask.asked_at_us,
            fresh_until_us=fresh_until_us,
            usable_until_us=fresh_until_us + int(ask.terms.stale_if_error_s * 1_000_000),
        )

    def _put(self, key: bytes, entry: Entry) -> None:
        if len(entry.body) > self.settings.max_entry_bytes or self._clearings.cover(entry):
            return
        self.memory.put(key, entry)
        if self.keeper.store is not None:
            self.keeper.keep(key, entry)

    def _land(self, ask: Ask, found: Found) -> None:
        if ask.leads:
            ask.leads = False
            self._flights.land(ask.key, found)


def _item(entry: Entry) -> Item:
    return Item(entry.body, entry.usage.input_tokens, entry.cost_nanousd)
